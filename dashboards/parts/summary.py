"""What a run was, in numbers, and what was found in it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.live import numbers
from actorscope.dashboards.parts.text import label, line


def summary(run: dict[str, Any]) -> None:
    """Ids, actors and numbers of a run."""
    told = run["summary"]
    st.code(run["trace_id"], language=None)
    st.text(f"{words.clock(told['start_time'])}   services: {_list(told['services'])}")
    if told["actors"]:
        st.text(f"actors: {_list(told['actors'])}")
    tokens = (told["input_tokens"] or 0) + (told["output_tokens"] or 0)
    numbers(
        {
            "Duration": words.duration(told["duration_ms"]),
            "Cost": words.money(told["cost_usd"]),
            "Tokens": words.amount(tokens),
            "Agent runs": told["runs"],
            "Model calls": told["model_calls"],
            "Actions": told["actions"],
            "Errors": told["errors"],
            "Findings": len(run["findings"]),
        }
    )
    if not told["is_analysed"]:
        st.text("Analysis has found no agent, model call or action in this trace, or has not come to it yet.")
    if told["unpriced_calls"]:
        st.text(f"{told['unpriced_calls']} model calls have no known price; the cost leaves them out.")


def findings_here(findings: list[dict[str, Any]], shown: int = 5) -> None:
    """Links to the findings that cite the run, the gravest first."""
    for finding in findings[:shown]:
        _link(finding)
    if len(findings) > shown:
        with st.expander(f"{len(findings) - shown} more findings", icon=":material/flag:"):
            for finding in findings[shown:]:
                _link(finding)


def _link(finding: dict[str, Any]) -> None:
    st.page_link(
        "views/finding.py",
        label=f"{words.severity(finding['severity'])}: {label(finding['title'], 160)}",
        query_params={"finding": finding["id"]},
        icon=":material/flag:",
    )


def _list(names: list[str]) -> str:
    shown = ", ".join(line(name, 60) for name in names[:8])
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
