"""What needs attention: findings, the gravest, dearest and newest first; a click opens one."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.live import choose, live, numbers
from actorscope.dashboards.parts.text import line
from actorscope.dashboards.parts.welcome import first_steps

_ROWS = 200
_COLUMNS = {
    "Severity": st.column_config.TextColumn(width=90),
    "Finding": st.column_config.TextColumn(width=400),
    "Who": st.column_config.TextColumn(width=120),
    "Family": st.column_config.TextColumn(width=95),
    "Cost": st.column_config.NumberColumn(format="$%.4f", width=75, help="Money that the finding is about"),
    "Count": st.column_config.NumberColumn(width=60, help="Times it was seen"),
    "Age": st.column_config.TextColumn(width=60, help="Since it was opened"),
    "State": st.column_config.TextColumn(width=80),
}


def _filters() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    with st.container(horizontal=True, gap="small"):
        # Without icons here: the address holds what the options show.
        severities = st.pills(
            "Severity", list(words.SEVERITIES), selection_mode="multi", key="severity", bind="query-params"
        )
        families = st.pills("Family", words.FAMILIES, selection_mode="multi", key="family", bind="query-params")
        states = st.pills(
            "State", list(words.STATES), selection_mode="multi", default=["open"], key="state", bind="query-params"
        )
    return tuple(families), tuple(severities), tuple(states)


def _table(findings: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Severity": [words.severity(f["severity"]) for f in findings],
            "Finding": [line(f["title"], 300) for f in findings],
            "Who": [line(f["subject"]["name"] or f["subject"]["id"], 80) for f in findings],
            "Family": [f["family"] for f in findings],
            "Cost": pl.Series([f["cost_usd"] for f in findings], dtype=pl.Float64),
            "Count": [f["count"] for f in findings],
            "Age": [words.ago(f["opened_at"]) for f in findings],
            "State": [words.STATES.get(f["state"], f["state"]) for f in findings],
        }
    )


def _page_number(matched: int) -> int:
    pages = ceil(matched / _ROWS)
    return int(st.number_input("Page", 1, pages, key="page", width=120)) if pages > 1 else 1


st.title("Needs attention", anchor=False)
chosen = _filters()


def page() -> None:
    first = (st.session_state.get("page", 1) - 1) * _ROWS
    families, severities, states = chosen
    answer = data.attention(families, severities, states, limit=_ROWS, offset=first)
    if not answer["total"]:
        first_steps(data.health())
        return
    tally = answer["counts"]["severity"]
    numbers({words.severity(severity): count for severity, count in tally.items()})
    found = answer["findings"]
    if not answer["matched"]:
        st.info(f"None of the {answer['total']} findings passes these filters.", icon=":material/filter_alt_off:")
        return
    clicked = choose(_table(found), [f["id"] for f in found], "findings", column_config=_COLUMNS, height="content",
                     placeholder="", alt="Findings")  # fmt: skip
    shown = f"{first + 1}–{first + len(found)}" if first else f"{len(found)}"
    st.text(f"{shown} of {answer['matched']} findings shown ({answer['total']} in all). Click a row to open it.")
    _page_number(answer["matched"])
    if clicked:
        st.switch_page(Path(__file__).parent / "finding.py", query_params={"finding": clicked})


live(page)
