"""Pages that refresh themselves, and tables whose rows lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, TypeVar

import polars as pl
import streamlit as st

from actorscope.dashboards.parts.text import visible
from actorscope.errors import ActorscopeError

REFRESH_SECONDS = 2.0
_T = TypeVar("_T")


def live(page: Callable[[], None]) -> None:
    """Show `page` now, and again every two seconds while the live switch is on."""
    every = REFRESH_SECONDS if st.session_state.get("live", True) else None
    rounds = count()

    def again() -> None:
        if next(rounds):
            st.empty()  # in the place of the sign, so that nothing below moves
            answered(page)
        else:
            waited(page)

    st.fragment(again, run_every=every)()


def waited(page: Callable[[], None]) -> None:
    """Show `page`; until it is there, a sign that it comes. A refresh needs none, for what was shown stays."""
    with st.spinner("Asking the store …", show_time=True):
        answered(page)


def answered(page: Callable[[], None]) -> None:
    """Show `page`; when the store fails, say so in its place."""
    try:
        page()
    except ActorscopeError as error:
        st.warning("The store did not answer. The page tries again by itself while it is live.")
        st.code(visible(error), language=None, wrap_lines=True)


def unless_away(question: Callable[[], _T], otherwise: _T) -> _T:
    """An answer that the head of a page needs; where the store does not give it, the page below says so."""
    try:
        return question()
    except ActorscopeError:
        return otherwise


def numbers(named: dict[str, Any]) -> None:
    """Figures of ours side by side, as wide as they need."""
    with st.container(horizontal=True, gap="medium"):
        for name, value in named.items():
            st.metric(name, value, width="content")


def choose(frame: pl.DataFrame, ids: Sequence[Any], key: str, **options: Any) -> Any:
    """A table; returns the id of the row that was clicked since the last time, else None.

    The ids are those of the rows on the screen: a refresh between the click and its arrival cannot change what was meant.
    """
    arrived = f"{key} chosen"

    def take(shown: tuple[Any, ...]) -> None:
        selection = st.session_state[key]["selection"]
        rows = [*selection["rows"], *(cell[0] for cell in selection["cells"])]
        if rows and 0 <= rows[0] < len(shown):
            st.session_state[arrived] = shown[rows[0]]

    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        lazy=False,
        on_select=lambda: take(tuple(ids)),
        selection_mode=["single-row", "single-cell"],
        **options,
    )
    return st.session_state.pop(arrived, None)
