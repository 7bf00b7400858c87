"""One run: summary, who delegated to whom, the waterfall, the spans, and the span that was chosen; the latest runs else."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import graph, waterfall, words
from actorscope.dashboards.parts.details import span_details
from actorscope.dashboards.parts.live import choose, live
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.summary import findings_here, summary
from actorscope.dashboards.parts.text import line, visible

_SHOW = ("everything", "agents, models, actions", "errors and evidence")


def _pick(span_id: str) -> None:
    st.query_params["span_id"] = span_id


def _filtered(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = st.segmented_control("Show", _SHOW, default=_SHOW[0], required=True, key="show", bind="query-params")
    if wanted == _SHOW[1]:
        return [span for span in spans if span["role"] or span["findings"]]
    if wanted == _SHOW[2]:
        return [span for span in spans if span["is_error"] or span["findings"]]
    return spans


def _waterfall(spans: list[dict[str, Any]], matched: int, trace: str, selected: str) -> None:
    first = int(st.session_state.get("first_row", 1)) - 1
    start, rows = waterfall.window(spans, selected, first)
    if not rows:
        st.info("No span of this run is of that kind.")
        return
    key = f"waterfall-{trace}-{start}-{len(rows)}-{rows[0]['span_id']}"

    def clicked() -> None:
        # Each kind of span is a series with a selection of its own: what was hit is what was not selected before.
        groups = st.session_state[key]["selection"]["selected"]
        now = {index for group in groups for index in group["data_indices"]}
        hit = now - st.session_state.get(f"{key} before", set())
        st.session_state[f"{key} before"] = now
        if hit and (index := max(hit)) < len(rows):
            _pick(rows[index]["span_id"])

    with st.container(height=520 if len(rows) > 18 else "content", border=True):
        height = len(rows) * waterfall.ROW_PIXELS + 70
        st.echarts_chart(
            waterfall.spec(rows, selected), height=height, key=key, on_select=clicked, alt="Waterfall of spans"
        )
    note = f"Rows {start + 1}–{start + len(rows)} of {len(spans)} shown"
    st.text(note + (f"; the run has {matched} spans" if matched != len(spans) else "") + ".")
    if len(spans) > waterfall.MOST_ROWS:
        st.number_input("First row", 1, len(spans), step=waterfall.MOST_ROWS, key="first_row", width=160)


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
    if run["delegations"]:
        st.subheader("Delegations", anchor=False)
        accused = {finding["subject"]["id"] for finding in run["findings"]}
        st.echarts_chart(graph.spec(run["delegations"], accused), height=260, key="graph", alt="Delegation graph")
    st.subheader("Waterfall", anchor=False)
    spans = _filtered(run["spans"])
    _waterfall(spans, run["spans_matched"], trace, selected)
    if selected:
        st.subheader("Selected span", anchor=False)
        with st.container(border=True):
            span_details(trace, selected)
    st.subheader("Spans", anchor=False)
    ids = [span["span_id"] for span in spans]
    config = {"Span": st.column_config.TextColumn(width=380), "Cost": st.column_config.NumberColumn(format="$%.5f")}
    # Another number of rows is another table: a selection by row number would mean another span.
    clicked = choose(_table(spans), ids, f"spans-{trace}-{len(ids)}", column_config=config, placeholder="", alt="Spans")
    if clicked:
        _pick(clicked)
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
