"""What needs attention: findings, the gravest, dearest and newest first; a click opens one."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import saved, words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.facets import many, pills
from actorscope.dashboards.parts.live import choose, live, unless_away
from actorscope.dashboards.parts.period import chosen_period, times
from actorscope.dashboards.parts.tables import full
from actorscope.dashboards.parts.text import line
from actorscope.dashboards.parts.welcome import first_steps

_ROWS = 200
_MOST = 10_000
_STATES = ("open", "acknowledged")
_COLUMNS = {
    "Severity": st.column_config.TextColumn(width=85),
    "Finding": st.column_config.TextColumn(width=455),
    "Who": st.column_config.TextColumn(width=115),
    "Family": st.column_config.TextColumn(width=90),
    "Cost": st.column_config.NumberColumn(format="$%.4f", width=70, help="Money that the finding is about"),
    "Count": st.column_config.NumberColumn(format="localized", width=52, help="Times it was seen"),
    "Age": st.column_config.TextColumn(width=55, help="Since it was opened"),
    "State": st.column_config.TextColumn(width=70),
    "Looked at by": st.column_config.TextColumn(width=100),
}


def _from_address(fixed: data.Wanted) -> data.Wanted:
    """What the address asks for, before the widgets stand."""
    keys = {"severities": "severity", "families": "family", "states": "state", "detectors": "detector"}
    given = {name: tuple(filter(None, st.query_params.get_all(key))) for name, key in keys.items()}
    if "state" not in st.query_params:
        given["states"] = _STATES
    return replace(fixed, text=st.query_params.get("text", ""), **given)  # type: ignore[arg-type]


def _filters(counts: dict[str, dict[str, int]]) -> dict[str, Any]:
    """What is wanted; each choice says how many findings it would bring."""
    with st.container(horizontal=True, gap="small"):
        severities = pills("Severity", list(words.SEVERITIES), "severity", counts.get("severity", {}))
        families = pills("Family", list(words.FAMILIES), "family", counts.get("family", {}))
        states = pills("State", list(words.STATES), "state", counts.get("state", {}), _STATES)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        text = st.text_input(
            "Search title, who or id", key="text", bind="query-params", width=260, icon=":material/search:", live=True
        )
        known = counts.get("detector", {})
        detectors = many("Detector", list(known), "detector", known)
        saved.views("attention")
    return {"severities": severities, "families": families, "states": states, "text": text or "", "detectors": detectors}


def _table(findings: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Severity": [words.severity(f["severity"]) for f in findings],
            "Finding": [("↳ " if f["root"] else "") + line(f["title"], 300) for f in findings],
            "Who": [line(f["subject"]["name"] or f["subject"]["id"], 80) for f in findings],
            "Family": [f["family"] for f in findings],
            "Cost": pl.Series([f["cost_usd"] for f in findings], dtype=pl.Float64).replace(0.0, None),
            "Count": [f["count"] for f in findings],
            "Age": [words.ago(f["opened_at"]) for f in findings],
            "State": [words.STATES.get(f["state"], f["state"]) for f in findings],
            "Looked at by": [line(f["assignee"] or "", 60) for f in findings],
        }
    )


def _page_number(matched: int) -> int:
    pages = ceil(matched / _ROWS)
    return int(st.number_input("Page", 1, pages, key="page", width=120)) if pages > 1 else 1


st.title("Needs attention", anchor=False)
period = chosen_period("all", "Seen in the last (event time)", has_end=True)
subject = st.query_params.get("subject", "")
fixed = data.Wanted(subject=subject, since=period.since, until=period.until)
tally: dict[str, dict[str, int]] = unless_away(lambda: data.attention(_from_address(fixed), limit=1)["counts"], {})
chosen = replace(fixed, **_filters(tally))


def page() -> None:
    first = (st.session_state.get("page", 1) - 1) * _ROWS
    answer = data.attention(chosen, limit=_ROWS, offset=first)
    if not answer["total"]:
        first_steps(data.health())
        return
    found = answer["findings"]
    if not answer["matched"]:
        st.info(f"None of the {answer['total']} findings passes these filters.", icon=":material/filter_alt_off:")
        st.text("Take a filter away, choose a longer period, or look at what was muted or resolved as well.")
        return
    first_seen = chosen.since or words.moment(answer["first_seen"])
    times(data.times_seen(replace(chosen, since=first_seen)), "times")
    clicked = choose(full(_table(found)), [f["id"] for f in found], "findings", walk="findings", column_config=_COLUMNS, height="content",
                     placeholder="", alt="Findings")  # fmt: skip
    shown = f"{first + 1}–{first + len(found)}" if first else f"{len(found)}"
    st.text(f"{shown} of {answer['matched']} findings shown ({answer['total']} in all). Click a row to open it.")
    _page_number(answer["matched"])
    export(lambda: data.attention(chosen, limit=_MOST)["findings"], "findings")
    if clicked:
        st.session_state["findings-list"] = [f["id"] for f in found]
        st.switch_page(Path(__file__).parent / "finding.py", query_params={"finding": clicked})


live(page)
