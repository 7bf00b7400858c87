"""What a run was, in numbers, what its time went to, what was found in it, and ways on: comparison and export."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.run import Run, as_objects
from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.live import numbers
from actorscope.dashboards.parts.tables import counted
from actorscope.dashboards.parts.text import label, line, visible

_SHAPES = {"run": "◉", "model_call": "◇", "action": "▣", "gap": "–"}
_ROLES = {"run": "the agent itself", "model_call": "model calls", "action": "actions", "gap": "nothing recorded", "": "other"}


def heading(run: Run) -> str:
    """Whose run it is, and at what."""
    top = next(run.spans.filter(pl.col("role") == "run").head(1).iter_rows(named=True), None)
    if top is None:
        return "Run"
    return f"Run of {top['actor_name'] or top['actor_id'] or 'an agent'}" + (f", {top['task_kind']}" if top["task_kind"] else "")


def summary(run: Run) -> None:
    """Ids, actors and numbers of a run."""
    told = run.told["summary"]
    st.code(run.told["trace_id"], language=None)
    actors = f"\nactors: {_list(told['actors'])}" if told["actors"] else ""
    st.text(f"{words.clock(told['start_time'])}   services: {_list(told['services'])}{actors}")
    tokens = (told["input_tokens"] or 0) + (told["output_tokens"] or 0)
    numbers(
        {
            "Duration": words.duration(told["duration_ms"]),
            "Cost": words.money(told["cost_usd"]),
            "Tokens": words.amount(tokens),
            "Agent runs": f"{told['runs']:,}",
            "Model calls": f"{told['model_calls']:,}",
            "Actions": f"{told['actions']:,}",
            "Errors": f"{told['errors']:,}",
            "Open spans": run.told["spans_open"],
            "Findings": len(run.told["findings"]),
        }
    )
    if went := run.told["time_went_to"]:
        first = [f"{each['share']:.0%} {spent_on(each)}" for each in went[:4] if each["share"] >= 0.005]
        st.text(f"The time went to: {' · '.join(first)}")
    if not told["is_analysed"]:
        st.text("Analysis has found no agent, model call or action in this trace, or has not come to it yet.")
    if told["unpriced_calls"]:
        st.text(f"{told['unpriced_calls']} model calls have no known price; the cost leaves them out.")
    if run.spans.height < run.told["spans_matched"]:
        st.warning(f"This run has {run.told['spans_matched']:,} spans; the first {run.spans.height:,} are shown.")


def spent_on(each: dict[str, Any], is_short: bool = False) -> str:
    """What a part of the critical path was, in words; with the shape of its kind where there is little room."""
    if is_short:
        return f"{_SHAPES.get(each['role'], '·')} {line(each['what'] or '(nothing recorded)', 50)}"
    role = _ROLES.get(each["role"], "other")
    return role if each["role"] == "gap" else f"{line(each['what'] or '(no name)', 50)} ({role})"


def findings_here(findings: list[dict[str, Any]], shown: int = 5) -> None:
    """Links to the findings that cite the run, the gravest first."""
    for finding in findings[:shown]:
        _link(finding)
    if len(findings) > shown:
        with st.expander(counted(len(findings) - shown, "more finding"), icon=":material/flag:"):
            for finding in findings[shown:]:
                _link(finding)


def ways_on(run: Run) -> None:
    """Buttons under the numbers: compare with another run, take the spans along."""
    trace = run.told["trace_id"]
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover("Compare with…", icon=":material/compare_arrows:"):
            _compare(run)
        st.page_link("views/again.py", label="Why did it run?", icon=":material/replay:", query_params={"trace_id": trace})
        export(lambda: rows(run), trace, lambda: whole(run))


def rows(run: Run) -> list[dict[str, Any]]:
    """The spans for CSV."""
    trace = run.told["trace_id"]
    return [{"trace_id": trace, **span, "scopes": " ".join(span["scopes"]), "findings": len(span["findings"])} for span in as_objects(run)]


def whole(run: Run) -> str:
    """The run as JSON, like the answer of the API."""
    return json.dumps({**run.told, "spans": as_objects(run)})


def _compare(run: Run) -> None:
    trace = run.told["trace_id"]
    given = st.text_input("Trace id of the other run", key=f"other-{trace}")
    other = data.trace_id(given)
    if other:
        st.page_link("views/compare.py", label="Compare", query_params={"a": trace, "b": other})
    elif given:
        st.text("A trace id has 32 hexadecimal digits.")
    top = run.spans.filter(pl.col("role") == "run").head(1).to_dicts()
    found = data.siblings(trace, top[0]["actor_id"], top[0]["task_kind"]) if top else []
    st.text("Other runs of the same actor at the same task:" if found else "No other run of this actor at this task is known.")
    for each in found[:8]:
        told = f"{words.clock(each['start_time'])}  {words.money(each['cost_usd'])}  {words.amount(each['tokens'])} tokens"
        st.page_link("views/compare.py", label=label(told), query_params={"a": each["trace_id"], "b": trace})


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


def missing(trace: str) -> None:
    """Said when no span of a trace is stored."""
    st.warning("No span of this trace is stored.", icon=":material/search_off:")
    st.text("It may still be on its way, it was sampled out by the sender, or the id is from another system.")
    st.code(visible(trace, 100), language=None)
