"""One actor: as whom it works, what it may and does, what that costs, what starts it, and how well that is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.coverage import actor_coverage
from actorscope.dashboards.parts.live import live, unless_away
from actorscope.dashboards.parts.period import CLOCK_AXIS, chosen_period
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.summary import findings_here
from actorscope.dashboards.parts.tables import COUNT, MONEY, counted, full, height
from actorscope.dashboards.parts.text import label, line

_MOST_LANES = 8
_COLOURS = ["#7c5cff", "#0ea5e9", "#94a3b8", "#0d9488", "#d97706", "#64748b"]
_LANES = {"principal": 0, "credential": 1, "on behalf of": 2, "version": 3, "host": 4, "service": 5}


def _lanes(identities: list[dict[str, Any]]) -> None:
    """Each identity from when it was first seen to when it was last seen."""
    st.subheader("Identities over time", anchor=False)
    if not identities:
        st.text("Nothing is on record about whom it works as.")
        return
    ordered = sorted(identities, key=lambda i: (_LANES.get(i["kind"], 9), i["first_seen"]))
    kept: dict[str, list[dict[str, Any]]] = {}
    for each in sorted(ordered, key=lambda i: (not i["is_new"], -i["spans"])):
        kept.setdefault(each["kind"], []).append(each)
    shown = {id(each) for lanes in kept.values() for each in lanes[:_MOST_LANES]}
    more = {kind: len(lanes) - _MOST_LANES for kind, lanes in kept.items() if len(lanes) > _MOST_LANES}
    ordered = [each for each in ordered if id(each) in shown]
    frame = pl.DataFrame(
        {
            "lane": [f"{i['kind']}: {line(i['value'], 60)}{' ★ new' if i['is_new'] else ''}" for i in ordered],
            "from": [datetime.fromisoformat(i["first_seen"]) for i in ordered],
            "to": [datetime.fromisoformat(i["last_seen"]) for i in ordered],
            "kind": [i["kind"] for i in ordered],
            "spans": [i["spans"] for i in ordered],
        }
    )
    time = {"type": "temporal", "title": None, "scale": {"type": "utc"}}
    axis = {**time, "axis": CLOCK_AXIS}
    spec = {
        "layer": [
            {"mark": {"type": "bar", "height": 10, "cornerRadius": 3}, "encoding": {"x": {"field": "from", **axis}, "x2": {"field": "to"}}},
            {"mark": {"type": "point", "filled": True, "size": 50}, "encoding": {"x": {"field": "from", **axis}}},
        ],
        "encoding": {
            "y": {"field": "lane", "type": "nominal", "title": None, "sort": None, "axis": {"labelLimit": 420}},
            "color": {"field": "kind", "type": "nominal", "legend": None, "scale": {"domain": list(_LANES), "range": _COLOURS}},
            "tooltip": [{"field": "lane"}, {"field": "from", **time}, {"field": "to", **time}, {"field": "spans"}],
        },
        "height": {"step": 24},
    }  # fmt: skip
    st.vega_lite_chart(frame, spec, width="stretch", alt="Identities over time")
    if more:
        st.text("Not drawn: " + ", ".join(f"{count} more of “{kind}”" for kind, count in more.items()))


def _scopes(scopes: list[dict[str, Any]]) -> None:
    st.subheader("What it uses", anchor=False)
    if not scopes:
        st.text("It used no tool and no scope.")
        return
    ordered = sorted(scopes, key=lambda s: (not s["is_new"], s["kind"], s["first_seen"]))
    frame = pl.DataFrame(
        {
            "New": ["★ new" if s["is_new"] else "" for s in ordered],
            "Kind": [s["kind"] for s in ordered],
            "Name": [line(s["name"], 120) for s in ordered],
            "Effect": [", ".join(filter(None, s["effects"])) or "unknown" for s in ordered],
            "First seen": [words.clock(s["first_seen"]) for s in ordered],
            "Last seen": [f"{words.ago(s['last_seen'])} ago" for s in ordered],
            "Uses": [s["uses"] for s in ordered],
            "Failed": [s["errors"] for s in ordered],
        }
    )
    config = {"Uses": COUNT, "Failed": COUNT}
    st.dataframe(full(frame), hide_index=True, height=height(len(ordered)), column_config=config, placeholder="", alt="Scopes and tools")


def _spend(spend: list[dict[str, Any]]) -> None:
    st.subheader("Cost by phase", anchor=False)
    if not spend:
        st.text("Nothing that it did has a known cost.")
        return
    frame = pl.DataFrame(
        {"day": [s["day"] for s in spend], "phase": [line(s["phase"], 40) for s in spend], "cost": [s["cost_usd"] for s in spend]}
    )
    spec = {
        "mark": {"type": "bar", "height": {"band": 0.7}},
        "encoding": {
            "y": {"field": "day", "type": "ordinal", "title": None, "sort": "descending"},
            "x": {"field": "cost", "type": "quantitative", "title": "US$", "stack": "zero", "axis": {"tickCount": 6}},
            "color": {"field": "phase", "type": "nominal", "title": None},
            "tooltip": [{"field": "day"}, {"field": "phase"}, {"field": "cost", "format": "$.4f"}],
        },
        "height": {"step": 26},
    }  # fmt: skip
    st.vega_lite_chart(frame, spec, width="stretch", alt="Cost by day and phase")


def _runs(runs: list[dict[str, Any]]) -> None:
    st.subheader("Runs by cause", anchor=False)
    if not runs:
        st.text("No run of it is known.")
        return
    frame = pl.DataFrame(
        {
            "Started by": [line(r["caller_name"] or r["trigger"] or "unknown", 80) for r in runs],
            "Trigger": [line(r["trigger"] or "unknown", 40) for r in runs],
            "Kind of task": [line(r["task_kind"] or "–", 80) for r in runs],
            "Runs": [r["runs"] for r in runs],
            "Failed": [r["errors"] for r in runs],
            "Cost": pl.Series([r["cost_usd"] for r in runs], dtype=pl.Float64),
            "Median": pl.Series([r["median_usd"] for r in runs], dtype=pl.Float64),
            "Last": [f"{words.ago(r['last_seen'])} ago" for r in runs],
        }
    )
    config = {"Cost": MONEY, "Median": MONEY, "Runs": COUNT, "Failed": COUNT}
    st.dataframe(full(frame), hide_index=True, height=height(len(runs)), column_config=config, placeholder="", alt="Runs")


def _partners(answer: dict[str, Any]) -> None:
    left, right = st.columns(2)
    for column, title, key in ((left, "Works for", "delegators"), (right, "Delegates to", "delegates")):
        with column:
            st.subheader(title, anchor=False)
            if not answer[key]:
                st.text("Nobody is known.")
            for each in answer[key][:12]:
                st.page_link("views/actor.py", icon=":material/person:", query_params={"actor": each["id"]},
                             label=f"{label(each['name'] or each['id'], 60)} · {counted(each['delegations'], 'time')}")  # fmt: skip


def _name(actor_id: str) -> str:
    """Its name, as its latest run has it; else the id."""
    nothing: list[dict[str, Any]] = []
    latest = unless_away(lambda: data.latest_runs(actor_id, 20), nothing)
    return next((run["actor_name"] for run in latest if run["actor_name"]), actor_id)


wanted = st.query_params.get("actor", "")
st.title(label(f"Actor {_name(wanted)}", 100) if wanted else "Actor", anchor=False)
period = chosen_period("7d", "New means: first seen in the last")
if wanted:
    with st.container(horizontal=True, gap="small"):
        st.page_link("views/radius.py", label="Blast radius and revoke plan", icon=":material/crisis_alert:", query_params={"id": wanted})
        st.page_link("views/attention.py", label="Its findings", icon=":material/flag:", query_params={"subject": wanted, "range": "all"})


def page() -> None:
    if not wanted:
        st.info("Choose an actor from the fleet.", icon=":material/groups:")
        st.page_link("views/fleet.py", label="Fleet", icon=":material/groups:")
        return
    st.code(line(wanted), language=None)
    answer = data.actor(wanted, period.since)
    if not answer["runs"] and not answer["scopes"] and not answer["identities"]:
        st.warning("Nothing that this actor did in the last 90 days is known.", icon=":material/search_off:")
        st.page_link("views/fleet.py", label="All actors", icon=":material/groups:", query_params={"range": "all"})
        return
    found = data.attention(data.Wanted(subject=wanted), limit=10)
    findings_here(found["findings"])
    _lanes(answer["identities"])
    _scopes(answer["scopes"])
    _spend(answer["spend"])
    _runs(answer["runs"])
    _partners(answer)
    st.subheader("Latest runs", anchor=False)
    choose_run(wanted, 20)


live(page)
if wanted:
    known = unless_away(lambda: data.coverage(period.since, wanted)["actors"], None) or []
    mine = next((each for each in known if each["actor_id"] == wanted), None)
    if mine:
        with st.expander("How well it can be known", icon=":material/fact_check:"):
            actor_coverage(mine)
