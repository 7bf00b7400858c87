"""What lies around a run or one of its spans: span links both ways, work in other traces, the conversation."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.run import Run
from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import label, line

_SHOWN = 30


def around(run: Run) -> dict[str, Any]:
    """Links, joins and conversation of a run."""
    runs = run.spans.filter(pl.col("role") == "run")["span_id"].to_list()
    return data.around(run.told["trace_id"], tuple(runs), tuple(run.told["summary"]["conversations"]))


def of_run(run: Run) -> None:
    """Other traces that this one hangs together with."""
    found = around(run)
    for join in found["joins"][:_SHOWN]:
        _join(join)
    for link in [link for link in found["links"] if link["from_trace_id"] != link["to_trace_id"]][:_SHOWN]:
        _link(link)
    if found["conversation"]:
        st.text("Other runs of the conversation, the newest first:")
    for other in found["conversation"][:_SHOWN]:
        told = f"{words.clock(other['start_time'])}  {line(other['actor_name'], 60)}  {words.money(other['cost_usd'])}"
        st.page_link("views/run.py", label=label(told), query_params={"trace_id": other["trace_id"], "span_id": other["span_id"]})
    if not (found["joins"] or found["links"] or found["conversation"]):
        st.text("No span link, delegation or conversation leads to another trace.")
    if found["is_cut"]:
        st.text("There are more; the first 200 links and delegations were read.")


def of_span(run: Run, span_id: str) -> None:
    """Span links from a span and to it, and the work in other traces that it started or was started by."""
    found, trace = around(run), run.told["trace_id"]
    here = (trace, span_id)
    joins = [j for j in found["joins"] if here in ((j["trace_id"], j["span_id"]), (j["run_trace_id"], j["run_span_id"]))]
    links = [
        k for k in found["links"] if here in ((k["from_trace_id"], k["from_span_id"]), (k["to_trace_id"], k["to_span_id"]))
    ]
    for join in joins[:_SHOWN]:
        _join(join)
    for link in links[:_SHOWN]:
        _link({**link, "is_out": (link["from_trace_id"], link["from_span_id"]) == here})
    if not (joins or links):
        st.text("No span links here, and this one links to none.")


def _join(join: dict[str, Any]) -> None:
    who = f"{line(join['delegator_name'], 60)} → {line(join['delegate_name'], 60)}"
    way = "Work went on in another trace" if join["is_out"] else "Started from another trace"
    other = ("run_trace_id", "run_span_id") if join["is_out"] else ("trace_id", "span_id")
    wanted = {"trace_id": join[other[0]], "span_id": join[other[1]]}
    told = f"{way}: {who} ({line(join['basis'], 20)}, {line(join['mode'], 30)})"
    st.page_link("views/run.py", label=label(told, 300), query_params=wanted, icon=":material/call_split:")


def _link(link: dict[str, Any]) -> None:
    end = "to" if link["is_out"] else "from"
    wanted = {"trace_id": link[f"{end}_trace_id"], "span_id": link[f"{end}_span_id"]}
    told = f"Links to span {wanted['span_id']} of {wanted['trace_id']}"
    if not link["is_out"]:
        told = f"Linked from {line(link['name'], 80)} ({wanted['span_id']} of {wanted['trace_id']})"
    st.page_link("views/run.py", label=label(told, 300), query_params=wanted, icon=":material/link:")
