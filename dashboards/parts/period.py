"""The period that a page looks at: a length back from now, or two moments; both stand in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards.parts import words

LENGTHS = {
    "15m": timedelta(minutes=15), "1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7),
    "30d": timedelta(days=30), "all": None,
}  # fmt: skip
_EXACT, _SINCE = "between", "since"
# Hours as clocks on call show them; Vega's own are those of the morning and the afternoon.
CLOCK_AXIS = {"labelExpr": "utcFormat(datum.value, utchours(datum.value) || utcminutes(datum.value) ? '%H:%M' : '%d %b')"}
_COLOURS = {"critical": "#9f1239", "high": "#e11d48", "medium": "#f59e0b", "low": "#0ea5e9", "info": "#94a3b8"}


@dataclass(frozen=True)
class Period:
    """Event time from `since` on, up to `until`; None is open."""

    since: datetime | None
    until: datetime | None = None


def chosen_period(default: str = "24h", what: str = "Active in the last (event time)", has_end: bool = False) -> Period:
    """Ask for the period; `?range=24h`, `?range=since&from=2026-01-31T10:00`, or `?range=between&from=...&to=...`.

    Only pages whose answers can end before now (`has_end`) offer an end. Moments are rounded down, so that an answer serves
    everybody who asks within the same minute.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        exact = _EXACT if has_end else _SINCE
        choice = st.segmented_control(what, [*LENGTHS, exact], default=default, required=True, key="range", bind="query-params")
        if choice == exact:
            first = st.text_input("From (UTC)", key="from", bind="query-params", width=190, placeholder="2026-01-31 10:00")
            if not has_end:
                return Period(_moment(first, "From"))
            last = st.text_input("To (UTC)", key="to", bind="query-params", width=190, placeholder="now")
            return Period(_moment(first, "From"), _moment(last, "To"))
    length = LENGTHS[choice or default]
    if length is None:
        return Period(None)
    step = 60 if length < timedelta(days=7) else 300
    now = datetime.now(UTC).timestamp()
    return Period(datetime.fromtimestamp(now - now % step, UTC) - length)


def _moment(text: str | None, name: str) -> datetime | None:
    if not text or not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        st.warning(f"“{name}” is no moment; write 2026-01-31 10:00 (UTC) or leave it empty.", icon=":material/schedule:")
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def times(answer: dict[str, Any], key: str) -> None:
    """Bars of how often something was seen; what is brushed becomes the period of the page."""
    rows = answer["buckets"]
    if not rows:
        return
    frame = pl.DataFrame(
        {
            "at": [datetime.fromisoformat(row["bucket"]) for row in rows],
            "seen": [row["seen"] for row in rows],
            "severity": [row["severity"] for row in rows],
        }
    )

    def zoom() -> None:
        brushed = st.session_state[key]["selection"].get("brush", {}).get("at")
        if brushed:
            first, last = (datetime.fromtimestamp(moment / 1000, UTC) for moment in brushed)
            last = max(last, first + timedelta(seconds=1))
            st.session_state["range"] = _EXACT
            st.session_state["from"], st.session_state["to"] = (m.strftime("%Y-%m-%d %H:%M:%S") for m in (first, last))

    order = list(words.SEVERITIES)
    spec = {
        "mark": {"type": "bar", "binSpacing": 0, "width": {"band": 0.9}},
        "params": [{"name": "brush", "select": {"type": "interval", "encodings": ["x"]}}],
        "encoding": {
            "x": {"field": "at", "type": "temporal", "title": None, "scale": {"type": "utc"}, "axis": CLOCK_AXIS},
            "y": {"field": "seen", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "color": {
                "field": "severity", "type": "nominal", "scale": {"domain": order, "range": [_COLOURS[s] for s in order]},
                "legend": None,
            },
            "order": {"field": "severity"},
            "tooltip": [
                {"field": "at", "type": "temporal", "format": "%Y-%m-%d %H:%M", "scale": {"type": "utc"}},
                {"field": "severity"}, {"field": "seen"},
            ],
        },
        "height": 90,
    }  # fmt: skip
    st.vega_lite_chart(frame, spec, key=key, on_select=zoom, selection_mode="brush", width="stretch", alt="When it was seen")
    st.caption(f"Times seen per {words.duration(answer['seconds'] * 1000)}. Drag over the bars to look at that time only.")
