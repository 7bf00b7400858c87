"""The waterfall on the page: what of the trace is shown, from which row on, and what a click does."""

from __future__ import annotations

from typing import Any

import streamlit as st

from actorscope.dashboards.parts import waterfall

_SHOW = ("everything", "agents, models, actions", "errors and evidence")


def pick(span_id: str) -> None:
    """Make a span the selected one; the address says so too."""
    st.query_params["span_id"] = span_id


def filtered(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The spans that the viewer wants to see."""
    wanted = st.segmented_control("Show", _SHOW, default=_SHOW[0], required=True, key="show", bind="query-params")
    if wanted == _SHOW[1]:
        return [span for span in spans if span["role"] or span["findings"]]
    if wanted == _SHOW[2]:
        return [span for span in spans if span["is_error"] or span["findings"]]
    return spans


def _first_row(spans: list[dict[str, Any]], trace: str, selected: str) -> int:
    """Where the waterfall begins: as it was, unless another span has been selected that would not be seen."""
    seen = st.session_state.setdefault(f"window-{trace}", {"start": 0, "selected": ""})
    if selected != seen["selected"]:
        seen.update(selected=selected, start=waterfall.centred(spans, selected, seen["start"]))
    return int(min(seen["start"], max(0, len(spans) - 1)))


def _ask_first_row(spans: list[dict[str, Any]], trace: str, start: int) -> None:
    key = f"first-{trace}-{start}"

    def move() -> None:
        st.session_state[f"window-{trace}"]["start"] = st.session_state[key] - 1

    st.number_input("First row", 1, len(spans), start + 1, waterfall.MOST_ROWS, key=key, on_change=move, width=160)


def panel(spans: list[dict[str, Any]], matched: int, trace: str, selected: str) -> None:
    """The waterfall with its place in the list of spans; a click on a bar selects the span."""
    start = _first_row(spans, trace, selected)
    rows = spans[start : start + waterfall.MOST_ROWS]
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
            pick(rows[index]["span_id"])

    with st.container(height=520 if len(rows) > 18 else "content", border=True):
        height = len(rows) * waterfall.ROW_PIXELS + 70
        st.echarts_chart(
            waterfall.spec(rows, selected), height=height, key=key, on_select=clicked, alt="Waterfall of spans"
        )
    note = f"Rows {start + 1}–{start + len(rows)} of {len(spans)} shown"
    st.text(note + (f"; the run has {matched} spans" if matched != len(spans) else "") + ".")
    if len(spans) > waterfall.MOST_ROWS:
        _ask_first_row(spans, trace, start)
