"""One run: summary, the waterfall beside the span that was chosen, who delegated to whom; the latest runs else."""

from __future__ import annotations

import re
import time
from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.run import Run
from actorscope.dashboards import data
from actorscope.dashboards.parts import graph, waterfall, words
from actorscope.dashboards.parts.around import of_run
from actorscope.dashboards.parts.details import span_details
from actorscope.dashboards.parts.live import answered, choose, live, waited
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.summary import findings_here, heading, missing, spent_on, summary, ways_on
from actorscope.dashboards.parts.text import label, line, visible

_LONG_RUN, _LONG_RUN_SECONDS = 3000, 15.0
_GRAPHS = ("actors", "runs")
_ZOOM = re.compile(r"(\d{1,15}(?:\.\d{1,3})?)-(\d{1,15}(?:\.\d{1,3})?)")
_KEYS = "Keys: J K or ↑ ↓ · Enter opens · ← → folds · / or F search · N hit · E error or finding · Z zoom · 0 all"


def _pick(span_id: str) -> None:
    """Make a span the selected one; the address says so too."""
    if data.span_id(span_id):
        st.query_params["span_id"] = span_id


def _changed(told: dict[str, Any]) -> None:
    """What the viewer did in the waterfall becomes part of the address."""
    if isinstance(told.get("span"), str):
        _pick(told["span"])
    if told.get("show") in waterfall.SHOWN:
        st.query_params["show"] = told["show"]
    if isinstance(told.get("query"), str):
        _put("find", told["query"][:200].strip())
    if "zoom" in told:
        zoom = told["zoom"] if isinstance(told["zoom"], list) else []
        _put("zoom", "-".join(f"{float(each):.3f}" for each in zoom) if len(zoom) == 2 else "")


def _put(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)


def _state(run: Run) -> dict[str, Any]:
    """What the address says of the waterfall."""
    given = st.query_params
    zoom, query = _ZOOM.fullmatch(given.get("zoom", "")), given.get("find", "")[:200]
    found = data.search_run(run.told["trace_id"], query) if len(query) > 1 else {"spans": []}
    show = given.get("show", "")
    return {
        "selected": data.span_id(given.get("span_id", "")) or "",
        "show": show if show in waterfall.SHOWN else "all",
        "zoom": [float(zoom[1]), float(zoom[2])] if zoom and float(zoom[1]) < float(zoom[2]) else None,
        "query": query,
        "hits": {"query": query, "spans": found["spans"]},
    }


def _board(run: Run) -> None:
    """The waterfall, beside it the chosen span, under it the graph: a click in one of them concerns all."""
    state = _state(run)
    left, right = st.columns([8, 5])
    with left:
        waterfall.show(run, state, _changed)
        st.caption(_KEYS)
    with right, st.container(height=max(520, waterfall.height(run) + 100), border=True):
        if state["selected"]:
            st.subheader("Selected span", anchor=False)
            span_details(run, state["selected"])
        else:
            _overview(run)
    _delegations(run)


def _overview(run: Run) -> None:
    """Beside the waterfall as long as no span is selected."""
    st.subheader("What the time went to", anchor=False)
    went = run.told["time_went_to"]
    frame = pl.DataFrame(
        {
            "Waited for": [spent_on(each, is_short=True) for each in went],
            "Time": [words.duration(each["ms"]) for each in went],
            "Share": [each["share"] for each in went],
        },
        schema_overrides={"Share": pl.Float64},
    )
    config = {
        "Waited for": st.column_config.TextColumn(width=180),
        "Time": st.column_config.TextColumn(width=60),
        "Share": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=60),
    }
    ids = [each["span_id"] for each in went]
    clicked = choose(frame, ids, f"went-{run.told['trace_id']}", column_config=config, height="content", alt="Critical path")
    st.text("The critical path: what, made faster, makes the run faster. Click a line for its longest span.")
    if clicked:
        _pick(clicked)
        st.rerun(scope="fragment")
    st.subheader("Other traces", anchor=False)
    of_run(run)


def _delegations(run: Run) -> None:
    edges = run.told["delegations"]
    if not edges:
        return
    st.subheader("Delegations", anchor=False)
    wanted = st.segmented_control("Nodes are", _GRAPHS, default="actors", required=True, key="graph", bind="query-params")
    accused = {finding["subject"]["id"] for finding in run.told["findings"]}
    if wanted == "runs":
        drawn = graph.runs(run.spans, edges, accused)
    else:
        drawn = graph.actors(edges, accused, graph.first_runs(run.spans))
    key = f"graph-{wanted}-{run.told['trace_id']}"

    def clicked() -> None:
        groups = st.session_state[key]["selection"]["selected"]
        hit = [index for group in groups for index in group["data_indices"] if group["data_type"] == "node"]
        # A second click on a node takes its mark away: it was meant all the same.
        last = st.session_state.get(f"{key} last", -1)
        at = st.session_state[f"{key} last"] = hit[0] if hit else -1 if groups else last
        if 0 <= at < len(drawn.spans) and drawn.spans[at]:
            _pick(drawn.spans[at])

    st.echarts_chart(drawn.spec, height=drawn.height, key=key, on_select=clicked, alt="Delegation graph")
    more = f" {drawn.left_out:,} more are not drawn." if drawn.left_out else ""
    st.text(f"Click a node to go to {'the run' if wanted == 'runs' else 'the first run of the actor'}.{more}")
    with st.expander(f"{len(edges)} pairs of delegator and delegate", icon=":material/table:"):
        told = {
            "Delegator": [line(edge["delegator_name"] or edge["delegator_id"], 80) for edge in edges],
            "Delegate": [line(edge["delegate_name"] or edge["delegate_id"], 80) for edge in edges],
            "Times": [edge["delegations"] for edge in edges],
            "Basis": [edge["basis"] for edge in edges],
            "Mode": [line(", ".join(edge["modes"]), 80) for edge in edges],
        }
        st.dataframe(pl.DataFrame(told), hide_index=True, alt="Delegations")


def _one(trace: str) -> None:
    run = data.run(trace)
    if run is None:
        st.title("Run", anchor=False)
        missing(trace)
        live(lambda: _watch(trace, "", 0, 0.0))
        return
    # In a container, for what is below must keep its place: a board that moved would be built anew under the viewer's hands.
    with st.container():
        st.title(label(heading(run), 120), anchor=False)
        summary(run)
        ways_on(run)
        findings_here(run.told["findings"])
    st.fragment(lambda: answered(lambda: _board(run)))()
    waterfall.send(run)
    shown_at = time.monotonic()
    live(lambda: _watch(trace, run.version, run.spans.height, shown_at))


def _watch(trace: str, version: str, rows: int, shown_at: float) -> None:
    """Only when something of the trace has changed is the page made anew; a long run less often, for its rows travel again."""
    now = data.run_version(trace)
    if now == version or time.monotonic() - shown_at < (_LONG_RUN_SECONDS if rows > _LONG_RUN else 0):
        return
    if version or data.run(trace):
        st.rerun(scope="app")


def page() -> None:
    given = st.query_params.get("trace_id", "")
    span = data.span_id(st.query_params.get("span_id", ""))
    trace = data.trace_id(given) or (data.trace_of(span) if span and not given else None)
    if trace:
        # A link to the page one is on leaves the browser's address as it was: saying it again corrects that.
        st.query_params["trace_id"] = trace
        _one(trace)
        return
    if given or st.query_params.get("span_id"):
        st.title("Runs", anchor=False)
        st.warning("There is no such trace: a trace id has 32 hexadecimal digits, a span id has 16.")
        st.code(visible(given or st.query_params.get("span_id", ""), 200), language=None)
    live(choose_run)


if not (st.query_params.get("trace_id") or st.query_params.get("span_id")):
    st.title("Runs", anchor=False)
waited(page)
