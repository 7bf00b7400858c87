"""The waterfall of a trace as an ECharts specification: one bar per span, its place in the tree in the label."""

from __future__ import annotations

from math import floor
from typing import Any

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import line

MOST_ROWS = 150
ROW_PIXELS = 22
_COLOURS = {"agent run": "#7c5cff", "model call": "#0ea5e9", "action": "#f59e0b", "other": "#94a3b8"}
_ERROR = "#e11d48"
_DEEPEST = 14
_LABEL_PIXELS = 330


def kind(span: dict[str, Any]) -> str:
    """What a span is, in one word of ours."""
    return words.KINDS.get(span["role"], "other")


def marks(span: dict[str, Any]) -> str:
    """What is remarkable about a span, in words."""
    said = ["✖ error"] if span["is_error"] else []
    return " ".join(said + ["⚑ evidence"] if span["findings"] else said)


def title(span: dict[str, Any]) -> str:
    """The span's name at its depth in the tree, with its marks in front."""
    indent = "\u2007\u2007" * min(span["depth"], _DEEPEST) + (f"…{span['depth']} " if span["depth"] > _DEEPEST else "")
    noted = marks(span)
    return f"{indent}{noted + ' · ' if noted else ''}{line(span['name'] or '(no name)', 80)}"


def centred(spans: list[dict[str, Any]], selected: str, start: int) -> int:
    """The first row to draw so that the selected span is among the rows; `start` when it is already."""
    at = next((i for i, span in enumerate(spans) if span["span_id"] == selected), start)
    return start if start <= at < start + MOST_ROWS else max(0, at - MOST_ROWS // 3)


def spec(rows: list[dict[str, Any]], selected: str) -> dict[str, Any]:
    """Stacked horizontal bars: an invisible one up to the start, then the duration in the series of its kind.

    No formatter of ours holds a name, and the tooltip is drawn, not HTML: a name cannot be more than text.
    """
    unit, size = _unit(rows)
    begin = floor(min((row["offset_ms"] or 0 for row in rows), default=0) / size)
    offsets = {
        "type": "bar",
        "stack": "time",
        "silent": True,
        "itemStyle": {"color": "transparent"},
        "tooltip": {"show": False},
        "data": [(row["offset_ms"] or 0) / size for row in rows],
    }
    names = {"align": "left", "margin": _LABEL_PIXELS - 8, "width": _LABEL_PIXELS - 16, "overflow": "truncate"}
    return {
        "animation": False,
        "grid": {"left": _LABEL_PIXELS, "right": 90, "top": 56, "bottom": 8, "outerBoundsMode": "none"},
        "legend": {"data": list(_COLOURS), "top": 0, "left": 0, "selectedMode": False},
        "xAxis": {"type": "value", "position": "top", "axisLabel": {"formatter": f"{{value}} {unit}"}, "min": begin},
        "yAxis": {
            "type": "category",
            "inverse": True,
            "data": [title(row) for row in rows],
            "axisTick": {"show": False},
            "axisLine": {"show": False},
            "axisLabel": {**names, "interval": 0, "fontSize": 12},
        },
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "series": [offsets, *[_bars(rows, size, name, colour, selected) for name, colour in _COLOURS.items()]],
    }


def _unit(rows: list[dict[str, Any]]) -> tuple[str, float]:
    """The unit of the time axis and its length in milliseconds."""
    end = max(((row["offset_ms"] or 0) + (row["duration_ms"] or 0) for row in rows), default=0)
    return ("ms", 1.0) if end < 2000 else ("s", 1e3) if end < 300_000 else ("min", 6e4) if end < 1.8e7 else ("h", 3.6e6)


def _bars(rows: list[dict[str, Any]], size: float, name: str, colour: str, selected: str) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "stack": "time",
        "barWidth": "68%",
        "barMinHeight": 3,
        "large": False,
        "selectedMode": "single",
        "itemStyle": {"color": colour, "borderRadius": 2},
        "data": [_bar(row, size, row["span_id"] == selected) if kind(row) == name else None for row in rows],
    }


def _bar(row: dict[str, Any], size: float, is_selected: bool) -> dict[str, Any]:
    bar: dict[str, Any] = {"value": (row["duration_ms"] or 0) / size, "name": title(row).strip()}
    if row["is_error"]:
        bar["itemStyle"] = {"borderColor": _ERROR, "borderWidth": 2}
    told = words.duration(row["duration_ms"]) + (" ◀ selected" if is_selected else "")
    bar["label"] = {"show": True, "position": "right", "formatter": told, "fontSize": 11}
    return bar
