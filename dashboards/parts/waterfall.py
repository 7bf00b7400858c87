"""The waterfall of a run: its rows in columns for the browser, sent once, and the component that draws those in sight."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.run import Run
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import line

_HEIGHT = 560
SHOWN = ("all", "steps", "trouble", "path")
_ERROR, _CITED, _OPEN, _STEP, _LINKED = 1, 2, 4, 8, 16
_KINDS = {"run": 1, "model_call": 2, "action": 3}
_APPROVALS = {"pending": "?", "granted": "✓", "approved": "✓", "denied": "✗", "rejected": "✗", "expired": "⌛", "used": "●"}
_PART = files("actorscope.dashboards.parts")
_component = st.components.v2.component(
    "actorscope_waterfall",
    html=_PART.joinpath("waterfall.html").read_text(),
    css=_PART.joinpath("waterfall.css").read_text(),
    js=_PART.joinpath("waterfall.js").read_text(),
)


class _Texts:
    """Texts by number, each made safe to read once; 0 is no text."""

    def __init__(self) -> None:
        self.all = [""]
        self._numbers: dict[str, int] = {"": 0}

    def numbers(self, texts: list[str | None]) -> list[int]:
        return [self._numbers.get(text or "") or self._new(text or "") for text in texts]

    def _new(self, text: str) -> int:
        if text:
            self._numbers[text] = len(self.all)
            self.all.append(line(text, 120))
        return self._numbers[text]


def rows(run: Run) -> dict[str, Any]:
    """The spans in columns, as the component reads them: numbers, and texts by their number."""
    texts, spans = _Texts(), run.spans
    told = {name: texts.numbers(values) for name, values in _texts(run).items()}
    path = [list(column) for column in zip(*run.path, strict=True)] or [[], [], []]
    return {
        "columns": 1,
        "trace": run.told["trace_id"],
        "version": run.version,
        "total": round(float(spans["ends_ms"].max() or 0.0), 3),  # type: ignore[arg-type]
        "ids": "".join(spans["span_id"]),
        "parent": spans["parent"].to_list(),
        "kind": [_KINDS.get(role, 0) for role in spans["role"]],
        "at": spans["offset_ms"].round(3).to_list(),
        "ms": (spans["ends_ms"] - spans["offset_ms"]).round(3).to_list(),
        "cost": spans["cost_usd"].round(7).to_list(),
        "total_cost": spans["run_cost_usd"].round(7).to_list(),
        "flags": _flags(run),
        "path": path[0],
        "from": [round(each, 3) for each in path[1]],
        "to": [round(each, 3) for each in path[2]],
        "approvals": [_approval(each) for each in run.told["approvals"]],
        **told,
        "strings": texts.all,
    }


def _texts(run: Run) -> dict[str, list[str | None]]:
    spans = run.spans
    is_model, is_action = pl.col("role") == "model_call", pl.col("role") == "action"
    is_run, nothing = pl.col("role") == "run", pl.lit("")
    what = pl.when(is_model).then("model").when(is_action).then("tool_name").when(is_run).then("actor_name").otherwise(nothing)
    target = pl.when(pl.col("target") != "").then(pl.format("{} → {}", "side_effect", "target")).otherwise("side_effect")
    writes = pl.col("side_effect").is_in(["write", "destructive"])
    told = spans.select(
        "name",
        pl.col("tool_name").alias("tool"),
        pl.col("actor_name").alias("actor"),
        "model",
        "target",
        pl.col("service_name").alias("service"),
        pl.concat_str("error_type", "status_message", separator=" ").str.strip_chars().alias("error"),
        pl.col("scopes").list.join(", ").alias("scope"),
        pl.when(writes).then(target).otherwise(nothing).alias("effect"),
        # What the name already says is not said again.
        pl.when(pl.col("name").str.contains(what, literal=True)).then(nothing).otherwise(what).alias("who"),
    ).to_dict(as_series=False)
    return {**told, "finding": [_cited(run.marks.get(span)) for span in spans["span_id"]]}


def _cited(marks: list[dict[str, str]] | None) -> str:
    """What findings say of a span, in a shape and a word: the gravest evidence counts, context only explains."""
    if not marks:
        return ""
    proof = [mark["severity"] for mark in marks if not mark["role"].startswith("context")]
    return f"⚑ {min(proof, key=list(words.SEVERITIES).index)}" if proof else "⚐ context"


def _flags(run: Run) -> list[int]:
    flags = run.spans.select(
        pl.col("is_error").cast(pl.Int32) * _ERROR
        + pl.col("is_open").cast(pl.Int32) * _OPEN
        + (pl.col("role") != "").cast(pl.Int32) * _STEP
        + (pl.col("links") > 0).cast(pl.Int32) * _LINKED
    ).to_series()
    cited = [_CITED if span in run.marks else 0 for span in run.spans["span_id"]]
    return [own + mark for own, mark in zip(flags.to_list(), cited, strict=True)]


def _approval(each: dict[str, Any]) -> dict[str, Any]:
    by = f" by {line(each['approver_id'], 80)}" if each["approver_id"] else ""
    return {
        "at": round(each["offset_ms"], 3),
        "span": each["span_id"],
        "state": line(each["state"], 20),
        "shape": _APPROVALS.get(each["state"], "·"),
        "denied": each["state"] in ("denied", "rejected"),
        "text": f"{line(each['state'], 20)}{by}\napproval {line(each['approval_id'], 120)} ({each['basis'] or 'no basis'})",
    }


@st.cache_resource(max_entries=8, show_spinner=False)
def _remembered(trace: str, version: str, _run: Run) -> dict[str, Any]:
    return rows(_run)


def height(run: Run) -> int:
    """Pixels for the rows; few are given some air, many are scrolled."""
    return max(300, min(_HEIGHT, 24 * run.spans.height + 8))


def send(run: Run) -> None:
    """Hand the rows to the browser. Stands outside of what refreshes itself: the same rows travel once."""
    trace = run.told["trace_id"]
    _component(key=f"rows-{trace}", data=_remembered(trace, run.version, run), height=1)


def show(run: Run, state: dict[str, Any], changed: Callable[[dict[str, Any]], None]) -> None:
    """Draw the rows that were sent; `changed` is told what the viewer did: `span`, `show`, `zoom` or `query`."""
    key = f"waterfall-{run.told['trace_id']}"

    def said() -> None:
        told = st.session_state[key].get("said")
        if isinstance(told, dict):
            changed(told)

    told = run.told
    note = f"{told['spans_shown']:,} spans shown of {told['spans_matched']:,} matched, {told['rows_scanned']:,} rows scanned"
    given = {"trace": told["trace_id"], "height": height(run), "note": note, **state}
    _component(key=key, data=given, on_said_change=said)
