"""Why again: a run, its siblings, the class of its cause with evidence, and what it did a second time."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.evidence import evidence
from actorscope.dashboards.parts.live import choose, live, take_asked
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.tables import MONEY, counted, full, height
from actorscope.dashboards.parts.text import label, line, sentence, visible

_MEANS = {
    "schedule": "a clock started it", "retry": "an earlier attempt failed", "redelivery": "the same execution was started twice",
    "resume": "an interrupted run went on", "human": "a person asked for the same once more",
    "upstream duplicate": "the caller sent the same request as a run of its own", "self": "the agent repeated it within one run",
    "new request": "something else was asked for, or nothing like it was seen before", "unknown": "nothing on record tells",
}  # fmt: skip

st.title("Why did it run again?", anchor=False)
take_asked()
with st.container(horizontal=True, gap="small"):
    asked = st.text_input("Trace id", key="trace_id", bind="query-params", width=320)
    below = st.text_input("Span id (empty: the topmost run)", key="span_id", bind="query-params", width=240)


def _siblings(answer: dict[str, Any]) -> None:
    run = answer["run"]
    here = (run["trace_id"], run["span_id"])
    # What may be the same work stands above what was asked for by itself; the order of time is kept within both.
    found = sorted(answer["siblings"], key=lambda s: not (s["is_alike"] or (s["trace_id"], s["span_id"]) == here))
    st.subheader("Runs of the same agent around it", anchor=False)
    frame = pl.DataFrame(
        {
            "Which": ["▶ this run" if (s["trace_id"], s["span_id"]) == here else "" for s in found],
            "Started": [words.clock(s["start_time"]) for s in found],
            "Same work?": ["● may be" if s["is_alike"] else "○ another request" for s in found],
            "Why": [s["cause"]["class"] for s in found],
            "Basis": [s["cause"]["basis"] for s in found],
            "Outcome": ["✖ failed" if s["is_error"] else "● done" for s in found],
            "Attempt": [s["attempt"] for s in found],
            "Trigger": [line(s["trigger"], 30) for s in found],
            "Cost": pl.Series([s["cost_usd"] for s in found], dtype=pl.Float64),
            "Request": [line(s["request"], 200) for s in found],
        }
    )
    ids = [(s["trace_id"], s["span_id"]) for s in found]
    clicked = choose(full(frame), ids, f"again-{hash(tuple(ids))}", column_config={"Cost": MONEY}, height=height(len(found), 460),
                     placeholder="", alt="Sibling runs")  # fmt: skip
    more = "; more exist" if answer["is_cut"] else ""
    st.text(f"{counted(len(found), 'run')} from 30 days before to a day after{more}; what may be the same work stands first. "
            "Click one to open it.")  # fmt: skip
    if clicked:
        st.switch_page("views/run.py", query_params={"trace_id": clicked[0], "span_id": clicked[1]})


def _effects(effects: list[dict[str, Any]]) -> None:
    st.subheader("What it wrote, and where the same was written", anchor=False)
    if not effects:
        st.text("This run wrote nothing that is known.")
        return
    frame = pl.DataFrame(
        {
            "Tool": [line(e["tool_name"], 80) for e in effects],
            "Effect": [e["side_effect"] for e in effects],
            "On": [line(", ".join(e["targets"]), 120) for e in effects],
            "Same before": [len(e["before"]) for e in effects],
            "Same after": [len(e["after"]) for e in effects],
            "First written": [words.clock(e["before"][0]["at"]) if e["before"] else "here" for e in effects],
        }
    )
    st.dataframe(full(frame), hide_index=True, height=height(len(effects)), alt="Writes of the run")
    for effect in effects:
        for place in effect["before"][-3:]:
            st.page_link("views/run.py", icon=":material/content_copy:",
                         label=f"{label(effect['tool_name'], 60)} was done before, {words.clock(place['at'])}",
                         query_params={"trace_id": place["trace_id"], "span_id": place["span_id"]})  # fmt: skip


def page() -> None:
    trace, span = data.trace_id(asked or ""), data.span_id(below or "")
    if trace is None or (below and span is None):
        if asked or below:
            st.warning("A trace id has 32 hexadecimal digits, a span id 16.", icon=":material/search_off:")
            st.code(visible(f"{asked} {below}", 200), language=None)
        else:
            st.info("Give a trace id, choose one of the latest runs, or open this page from a run.", icon=":material/link:")
            choose_run(is_asked=True)
        return
    answer = data.why_again(trace, span or "")
    if answer is None:
        st.warning("No run of an agent is known there.", icon=":material/search_off:")
        st.text("It may still be on its way, or analysis has found no agent in it. These are the latest runs:")
        choose_run(is_asked=True)
        return
    cause = answer["cause"]
    with st.container(horizontal=True):
        st.badge(cause["class"], color="violet")
        st.badge(cause["basis"], color="gray")
    run = answer["run"]
    st.subheader(label(f"{run['actor_name'] or run['actor_id']}: {_MEANS[cause['class']]}", 300), anchor=False)
    st.text(f"{sentence(visible(cause['why'], 400))}.")
    with st.container(horizontal=True, gap="small"):
        place = {"trace_id": run["trace_id"], "span_id": run["span_id"]}
        st.page_link("views/run.py", label="Open the run", icon=":material/account_tree:", query_params=place)
        st.page_link("views/delegation.py", label="On whose behalf?", icon=":material/linear_scale:", query_params=place)
        if run["actor_id"]:
            st.page_link("views/actor.py", label="All of this actor", icon=":material/person:", query_params={"actor": run["actor_id"]})
    evidence(cause)
    _siblings(answer)
    _effects(answer["effects"])


live(page)
