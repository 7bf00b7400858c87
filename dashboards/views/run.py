"""One run: summary, who delegated to whom, the waterfall, the spans, and the span that was chosen; the latest runs else."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import graph, waterfall, words
from actorscope.dashboards.parts import trace as trace_
from actorscope.dashboards.parts.details import span_details
from actorscope.dashboards.parts.live import choose, live
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.summary import findings_here, summary
from actorscope.dashboards.parts.text import line, visible


def _delegations(run: dict[str, Any]) -> None:
    edges = run["delegations"]
    if not edges:
        return
    st.subheader("Delegations", anchor=False)
    accused = {finding["subject"]["id"] for finding in run["findings"]}
    st.echarts_chart(graph.spec(edges, accused), height=graph.height(edges), key="graph", alt="Delegation graph")
    with st.expander(f"{len(edges)} pairs of delegator and delegate", icon=":material/table:"):
        told = {
            "Delegator": [line(edge["delegator_name"] or edge["delegator_id"], 80) for edge in edges],
            "Delegate": [line(edge["delegate_name"] or edge["delegate_id"], 80) for edge in edges],
            "Times": [edge["delegations"] for edge in edges],
            "Basis": [edge["basis"] for edge in edges],
            "Mode": [line(", ".join(edge["modes"]), 80) for edge in edges],
        }
        st.dataframe(pl.DataFrame(told), hide_index=True, alt="Delegations")


def _table(spans: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Span": [waterfall.title(span) for span in spans],
            "Kind": [waterfall.kind(span) for span in spans],
            "Actor": [line(span["actor_name"], 80) for span in spans],
            "Model or tool": [line(span["model"] or span["tool_name"], 80) for span in spans],
            "Start": [words.duration(span["offset_ms"]) for span in spans],
            "Duration": [words.duration(span["duration_ms"]) for span in spans],
            "Tokens": [(span["input_tokens"] or 0) + (span["output_tokens"] or 0) or None for span in spans],
            "Cost": pl.Series([span["cost_usd"] for span in spans], dtype=pl.Float64),
            "Service": [line(span["service_name"], 80) for span in spans],
        }
    )


def _one(trace: str) -> None:
    run = data.run(trace)
    if run is None:
        st.warning("No span of this trace is stored.", icon=":material/search_off:")
        st.text("It may still be on its way, it was sampled out by the sender, or the id is from another system.")
        st.code(trace, language=None)
        return
    selected = data.span_id(st.query_params.get("span_id", "")) or ""
    summary(run)
    findings_here(run["findings"])
    _delegations(run)
    st.subheader("Waterfall", anchor=False)
    spans = trace_.filtered(run["spans"])
    trace_.panel(spans, run["spans_matched"], trace, selected)
    if selected:
        st.subheader("Selected span", anchor=False)
        with st.container(border=True):
            span_details(trace, selected)
    st.subheader("Spans", anchor=False)
    ids = [span["span_id"] for span in spans]
    config = {
        "Span": st.column_config.TextColumn(width=380),
        "Cost": st.column_config.NumberColumn(format="$%.5f", width=90),
    }
    # Another number of rows is another table: a selection by row number would mean another span.
    clicked = choose(_table(spans), ids, f"spans-{trace}-{len(ids)}", column_config=config, placeholder="", alt="Spans")
    if clicked:
        trace_.pick(clicked)
        st.rerun(scope="app")


def page() -> None:
    given = st.query_params.get("trace_id", "")
    span = data.span_id(st.query_params.get("span_id", ""))
    trace = data.trace_id(given) or (data.trace_of(span) if span and not given else None)
    if trace:
        _one(trace)
        return
    if given or st.query_params.get("span_id"):
        st.warning("There is no such trace: a trace id has 32 hexadecimal digits, a span id has 16.")
        st.code(visible(given or st.query_params.get("span_id", ""), 200), language=None)
    choose_run()


st.title("Run" if st.query_params.get("trace_id") else "Runs", anchor=False)
live(page)
