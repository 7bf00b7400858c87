"""What a finding rests on: its spans with links into their runs, and its named values."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards.parts.text import line


def evidence(finding: dict[str, Any]) -> None:
    """The spans that make a claim true, each with a link to its run."""
    st.subheader("Evidence", anchor=False)
    with st.container(border=True):
        for each in finding["evidence"]:
            role, why, place = st.columns([2, 5, 2], vertical_alignment="center")
            role.text(line(each["role"], 100))
            why.text(line(each["why"], 400))
            if not each["trace_id"]:
                continue
            wanted = {key: each[key] for key in ("trace_id", "span_id") if each[key]}
            place.page_link("views/run.py", label=f"Span {each['span_id'] or 'of the trace'}", query_params=wanted,
                            icon=":material/account_tree:")  # fmt: skip
    st.text(f"{len(finding['evidence'])} spans make the claim; a role that starts with “context” only explains.")


def pairs(pairs: dict[str, Any], name: str) -> None:
    """Named values as a table."""
    known = {key: value for key, value in pairs.items() if value is not None}
    told = {
        "What": [line(key, 80).replace("_", " ") for key in known],
        "Value": [line(_said(value), 500) for value in known.values()],
    }
    st.dataframe(pl.DataFrame(told), hide_index=True, height="content", alt=name)


def _said(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
