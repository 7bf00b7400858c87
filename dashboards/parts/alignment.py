"""The comparison of two runs on the page: totals, what was gained and lost, and the steps side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.live import choose
from actorscope.dashboards.parts.text import line

CHANGES = {"added": "+ added", "removed": "− removed", "changed": "≠ changed", "same": "= same"}
_TOTALS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "duration_ms": ("Duration", words.duration),
    "cost_usd": ("Cost", words.money),
    "input_tokens": ("Input tokens", words.amount),
    "output_tokens": ("Output tokens", words.amount),
    "runs": ("Agent runs", words.amount),
    "model_calls": ("Model calls", words.amount),
    "actions": ("Actions", words.amount),
    "errors": ("Errors", words.amount),
    "spans": ("Spans", words.amount),
}
_KINDS = {**words.KINDS, "": "other"}


def _signed(value: float, say: Callable[[Any], str]) -> str:
    if not value:
        return "="
    return f"{'+' if value > 0 else '−'}{say(abs(value))}"


def totals(found: dict[str, Any]) -> None:
    """Numbers of both runs and their difference."""
    rows = [(*_TOTALS[each["name"]], each) for each in found["totals"]]
    told = {
        "What": [name for name, _, _ in rows],
        "A": [say(each["a"]) for _, say, each in rows],
        "B": [say(each["b"]) for _, say, each in rows],
        "B less A": [_signed(each["difference"], say) for _, say, each in rows],
        "Change": [_share(each["a"], each["difference"]) for _, _, each in rows],
    }
    st.dataframe(pl.DataFrame(told), hide_index=True, height="content", alt="Totals of both runs")


def _share(before: float | None, difference: float) -> str:
    return f"{difference / before:+.0%}" if before and difference else ""


def differences(found: dict[str, Any]) -> None:
    """Scopes and targets that only one of them used."""
    for column, key, name in zip(st.columns(2), ("scopes", "targets"), ("Scopes", "Targets"), strict=True):
        with column:
            st.subheader(name, anchor=False)
            gained = found[key]
            told = [(CHANGES["added"], each) for each in gained["added"]] + [(CHANGES["removed"], each) for each in gained["removed"]]
            if told:
                frame = pl.DataFrame({"Change": [word for word, _ in told], name[:-1]: [line(each, 200) for _, each in told]})
                st.dataframe(frame, hide_index=True, height="content", alt=name)
            st.text(f"{len(gained['kept']) or 'None'} in both." if told or gained["kept"] else "Neither run names any.")


def steps(found: dict[str, Any]) -> None:
    """The steps of both, aligned; a click opens the step in its run."""
    st.subheader("Steps", anchor=False)
    counts = found["counts"]
    options = [change for change in CHANGES if counts[change]]
    wanted = st.segmented_control(
        "Show", options, selection_mode="multi", default=[each for each in options if each != "same"] or options,
        format_func=lambda change: f"{CHANGES[change]} {counts[change]:,}", key="changes", bind="query-params",
    )  # fmt: skip
    shown = [step for step in found["steps"] if step["change"] in (wanted or options)]
    frame = pl.DataFrame(
        {
            "Change": [CHANGES[step["change"]] for step in shown],
            "Kind": [_KINDS.get((step["b"] or step["a"])["role"], "other") for step in shown],
            "Actor": [line((step["b"] or step["a"])["actor_name"], 60) for step in shown],
            "A": [_step(step["a"]) for step in shown],
            "B": [_step(step["b"]) for step in shown],
            "What differs": [_differs(step) for step in shown],
        }
    )
    ids = [
        (found["b"]["trace_id"], step["b"]["span_id"]) if step["b"] else (found["a"]["trace_id"], step["a"]["span_id"])
        for step in shown
    ]
    config = {"A": st.column_config.TextColumn(width=210), "B": st.column_config.TextColumn(width=210)}
    key = f"steps-{found['a']['trace_id']}-{found['b']['trace_id']}-{len(ids)}"
    clicked = choose(frame, ids, key, column_config=config, height=min(38 + 35 * max(1, len(ids)), 640), placeholder="", alt="Steps")
    st.text(f"{len(shown):,} steps shown of {len(found['steps']):,} aligned. Click one to open it in its run (B, else A).")
    if clicked:
        st.switch_page("views/run.py", query_params={"trace_id": clicked[0], "span_id": clicked[1]})


def _step(step: dict[str, Any] | None) -> str:
    if step is None:
        return "–"
    indent = "\u2007\u2007" * min(step["depth"], 12)
    return f"{indent}{'✖ ' if step['is_error'] else ''}{line(step['name'] or step['tool_name'] or '(no name)', 80)}"


def _differs(step: dict[str, Any]) -> str:
    """The differences of a pair in words; what a lone step cost."""
    a, b = step["a"], step["b"]
    if a is None or b is None:
        only = a or b
        told = [words.duration(only["duration_ms"])]
        told += [words.money(only["cost_usd"])] if only["cost_usd"] else []
        return ", ".join(told + ([line(only["target"], 60)] if only["target"] else []))
    says: dict[str, Callable[[Any], str]] = {
        "duration_ms": words.duration, "cost_usd": words.money, "tokens": lambda n: f"{words.amount(n)} tokens",
        "is_error": lambda error: "error" if error else "ok", "is_open": lambda is_open: "open" if is_open else "ended",
        "scopes": lambda scopes: "scopes " + (line(", ".join(scopes), 80) or "none"),
    }  # fmt: skip
    return "; ".join(
        " → ".join(says.get(name, _plain)(side[name]) for side in (a, b)) for name in step["differences"]
    )


def _plain(value: Any) -> str:
    return line(value, 60) or "none"
