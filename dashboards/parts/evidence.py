"""What a finding rests on: its spans with links into their runs, and its named values."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.tables import counted
from actorscope.dashboards.parts.text import line

_AMOUNTS = ("limit", "observed", "forecast", "projected")  # of a budget, which may count tokens or money


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
    made = counted(len(finding["evidence"]), "span makes the claim", "spans make the claim")
    st.text(f"{made}; a role that starts with “context” only explains.")


def pairs(pairs: dict[str, Any], name: str) -> None:
    """Named values as a table."""
    is_money = pairs.get("unit") == "currency"
    known = {key: value for key, value in pairs.items() if value is not None}
    told = {
        "What": [line(key, 80).removesuffix("_usd").removesuffix("_seconds").replace("_", " ") for key in known],
        "Value": [line(_said(f"{key}_usd" if is_money and key in _AMOUNTS else key, value), 500) for key, value in known.items()],
    }
    st.dataframe(pl.DataFrame(told), hide_index=True, height="content", alt=name)


def _said(key: str, value: Any) -> str:
    """With the unit that the name of the value tells."""
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ", ".join(value) or "none"
    if not isinstance(value, int | float):
        return json.dumps(value, ensure_ascii=False)
    if key.endswith("_usd"):
        return words.money(value)
    if key.endswith("_seconds"):
        return words.duration(1000 * value)
    if key.endswith("share"):
        return f"{value:.0%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
