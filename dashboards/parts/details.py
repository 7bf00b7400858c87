"""One span in full: what is known of it and on what basis, then everything it carried, as plain text only."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.run import Run
from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.around import of_span
from actorscope.dashboards.parts.text import deep, label, line, visible

# Fact, and where its basis stands.
_FACTS = {
    "role": "", "actor_name": "actor_basis", "actor_id": "actor_basis", "caller_name": "", "operation": "operation_basis",
    "task_kind": "", "trigger": "", "cause_id": "cause_basis", "tool_name": "", "side_effect": "side_effect_basis",
    "target": "", "attempt": "", "principal_id": "", "principal_type": "", "credential_id": "", "credential_type": "",
    "scope_granted": "", "scope_requested": "", "scope_used": "", "approval_id": "", "approval_status": "",
    "approver_id": "", "delegation_mode": "", "provider": "", "model": "", "input_tokens": "", "output_tokens": "",
    "cached_tokens": "", "reasoning_tokens": "", "cost_usd": "cost_source", "run_cost_usd": "", "run_tokens": "",
    "run_calls": "", "conversation_id": "", "error_type": "", "status_code": "", "status_message": "",
    "service_name": "", "dialect": "", "scope_name": "", "scope_version": "",
}  # fmt: skip
_LONG = 20_000


def _facts(span: dict[str, Any]) -> pl.DataFrame:
    known = [
        (fact, span[fact], span.get(basis) or "") for fact, basis in _FACTS.items() if span[fact] not in (None, "", [])
    ]
    return pl.DataFrame(
        {
            "Fact": [fact.replace("_", " ") for fact, _, _ in known],
            "Value": [line(", ".join(value) if isinstance(value, list) else value, 500) for _, value, _ in known],
            "Basis": [basis for _, _, basis in known],
        }
    )


def span_details(run: Run, span_id: str) -> None:
    """The panel beside the waterfall."""
    trace = run.told["trace_id"]
    span = data.span(trace, span_id)
    if span is None:
        _not_ended(run, span_id)
        return
    st.text(line(span["name"] or "(no name)", 300))
    st.text(
        f"{words.clock(span['start_time'])}\n{words.duration(span['duration_ms'])}   {span['kind']}"
        f"   status {span['status_code']}"
    )
    for mark in run.marks.get(span_id, [])[:5]:
        told = f"{words.severity(mark['severity'])} finding, as {label(mark['role'], 80)}"
        st.page_link("views/finding.py", label=told, query_params={"finding": mark["finding_id"]}, icon=":material/flag:")
    _ways(span)
    facts, carried, events, links, raw = st.tabs(["Facts", "Attributes", "Events", "Links", "Raw"])
    with facts:
        st.dataframe(_facts(span), hide_index=True, height="content", alt="Facts of the span")
    with carried:
        _map("Span attributes", span["attributes"])
        _map("Resource attributes", span["resource_attributes"])
    with events:
        st.text(f"{len(span['events'])} events")
        st.json(deep(span["events"][:100], _LONG), expanded=2)
    with links:
        of_span(run, span_id)
        for link in [link for link in span["links"] if link["attributes"]][:20]:
            st.json(deep(link, _LONG), expanded=1)
    with raw:
        _ids(trace, span_id, span["parent_span_id"])
        st.json(deep(span, _LONG), expanded=1)
        st.download_button("JSON of the span", lambda: json.dumps(span, indent=2), f"{span_id}.json", "application/json",
                           icon=":material/download:", on_click="ignore")  # fmt: skip


def _ways(span: dict[str, Any]) -> None:
    """To the questions that a span makes people ask."""
    place = {"trace_id": span["trace_id"], "span_id": span["span_id"]}
    with st.container(horizontal=True, gap="small"):
        if span["role"]:
            st.page_link("views/delegation.py", label="On whose behalf?", icon=":material/linear_scale:", query_params=place)
        if span["role"] == "run":
            st.page_link("views/again.py", label="Why again?", icon=":material/replay:", query_params=place)
        # A button, for a link would hold a stranger's text in its address.
        if span["target"] and st.button("Who else changed it?", icon=":material/edit_note:", type="tertiary"):
            st.switch_page("views/change.py", query_params={"resource": span["target"], "range": "all"})
        if span["actor_id"]:
            st.page_link("views/actor.py", label="Its actor", icon=":material/person:", query_params={"actor": span["actor_id"]})


def _ids(trace: str, span_id: str, parent: str) -> None:
    for name, value in (("trace_id", trace), ("span_id", span_id), ("parent_span_id", parent)):
        if value:
            st.text(name)
            st.code(value, language=None)


def _not_ended(run: Run, span_id: str) -> None:
    """A span that was said to have begun, or one that nobody knows."""
    known = run.spans.filter((pl.col("span_id") == span_id) & pl.col("is_open")).to_dicts()
    if not known:
        st.info("This span is not stored; it may still be on its way, or was never sent.")
        return
    span = known[0]
    st.text(line(span["name"] or "(no name)", 300))
    heard = (datetime.now(UTC) - span["heard_at"]).total_seconds() * 1000
    st.text(f"… open: it began at {words.clock(span['start_time'].isoformat())} and has not ended.")
    st.text(f"The last sign of life came {words.duration(heard)} ago. What it carries arrives when it ends.")
    _ids(run.told["trace_id"], span_id, span["parent_span_id"])


def _map(title: str, pairs: dict[str, str]) -> None:
    st.text(f"{title} ({len(pairs)})")
    short = {key: value for key, value in pairs.items() if len(value) <= 200 and "\n" not in value}
    if short:
        table = {"Key": [line(key) for key in sorted(short)], "Value": [line(short[key]) for key in sorted(short)]}
        st.dataframe(pl.DataFrame(table), hide_index=True, height="content", alt=title)
    for key in sorted(pairs.keys() - short.keys()):
        st.text(line(key))
        st.code(visible(pairs[key], _LONG), language=None, wrap_lines=True, height=220)
