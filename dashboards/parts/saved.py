"""Saved views of a page: the address, under a name, for everybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

import streamlit as st

from actorscope.analysis import saved
from actorscope.dashboards import data
from actorscope.dashboards.parts import viewer
from actorscope.dashboards.parts.live import unless_away
from actorscope.dashboards.parts.text import label, line
from actorscope.errors import DefinitionError


def _open(query: dict[str, list[str]]) -> None:
    """Show the page as the address of a view has it. A link to the page one is on would leave the address as it is, and
    what a widget is bound to only its state can change.
    """
    for key in dict.fromkeys([*query, *st.query_params]):
        if key in st.session_state and key in query:
            st.session_state[key] = query[key][0]
        elif key in st.session_state:
            del st.session_state[key]
        elif key in query:
            st.query_params[key] = query[key]
        else:
            del st.query_params[key]


def views(page: str) -> None:
    """Open one of the page's saved views, or save what the page shows now."""
    with st.popover("Views", icon=":material/bookmark:", type="tertiary"):
        nothing: list[dict[str, Any]] = []
        found = [view for view in unless_away(data.saved_views, nothing) if view["page"] == page]
        for view in found:
            st.button(label(view["name"], 80), key=f"open-view-{page}-{view['name']}", icon=":material/bookmark:", type="tertiary",
                      on_click=_open, args=(parse_qs(view["query"]),))  # fmt: skip
        if not found:
            st.text("No view of this page is saved yet.")
        if not viewer.may("responder"):
            return
        author, name = viewer.ask_name(), st.text_input("Save what is shown now as", max_chars=200, key=f"view-{page}")
        if st.button("Save view", key=f"save-view-{page}"):
            shown = urlencode({key: st.query_params.get_all(key) for key in st.query_params}, doseq=True)
            try:
                data.write(saved.save, name, page, shown, author, datetime.now(UTC))
            except DefinitionError as error:
                st.text(line(error, 200))
            else:
                st.rerun()
        gone = st.selectbox("Take away", [v["name"] for v in found], index=None, format_func=lambda n: line(n, 80)) if found else None
        if gone and st.button("Take away", key=f"forget-view-{page}"):
            data.write(saved.forget, gone, author, datetime.now(UTC))
            st.rerun()
