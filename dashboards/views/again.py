"""Why again: a run, its siblings, the class of its cause with evidence, and what it did a second time."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.evidence import evidence
from actorscope.dashboards.parts.live import choose, live
from actorscope.dashboards.parts.text import label, line, visible

_MEANS = {
    "schedule": "a clock started it", "retry": "an earlier attempt failed", "redelivery": "the same execution was started twice",
    "resume": "an interrupted run went on", "human": "a person asked for the same once more",
    "upstream duplicate": "the caller sent the same request as a run of its own", "self": "the agent repeated it within one run",
    "new request": "something else was asked for, or nothing like it was seen before", "unknown": "nothing on record tells",
}  # fmt: skip

st.title("Why did it run again?", anchor=False)
with st.container(horizontal=True, gap="small"):
    asked = st.text_input("Trace id", key="trace_id", bind="query-params", width=320)
    below = st.text_input("Span id (empty: the topmost run)", key="span_id", bind="query-params", width=240)


def _siblings(answer: dict[str, Any]) -> None:
    found, run = answer["siblings"], answer["run"]
    st.subheader("Runs of the same agent around it", anchor=False)
    frame = pl.DataFrame(
        {
            "": ["▶ this run" if (s["trace_id"], s["span_id"]) == (run["trace_id"], run["span_id"]) else "" for s in found],
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
    config = {"Cost": st.column_config.NumberColumn(format="$%.4f")}
    clicked = choose(frame, ids, f"again-{hash(tuple(ids))}", column_config=config, placeholder="", alt="Sibling runs")
    st.text(f"{len(found)} runs from 30 days before to a day after{'; more exist' if answer['is_cut'] else ''}. Click one to open it.")
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
            "Before": [len(e["before"]) for e in effects],
            "After": [len(e["after"]) for e in effects],
            "First": [words.clock(e["before"][0]["at"]) if e["before"] else "here" for e in effects],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", alt="Writes of the run")
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
            st.info("Give a trace id, or open this page from a run.", icon=":material/link:")
        return
    answer = data.why_again(trace, span or "")
    if answer is None:
        st.warning("No run of an agent is known there.", icon=":material/search_off:")
        return
    cause = answer["cause"]
    with st.container(horizontal=True):
        st.badge(cause["class"], color="violet")
        st.badge(cause["basis"], color="gray")
    run = answer["run"]
    st.subheader(label(f"{run['actor_name'] or run['actor_id']}: {_MEANS[cause['class']]}", 300), anchor=False)
    st.text(f"{visible(cause['why'], 400)}.")
    evidence(cause)
    _siblings(answer)
    _effects(answer["effects"])


live(page)
