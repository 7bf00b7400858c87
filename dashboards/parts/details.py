"""One span in full: what is known of it and on what basis, then everything it carried, as plain text only."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import deep, line, visible

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


def span_details(trace: str, span_id: str) -> None:
    """The panel under the waterfall."""
    span = data.span(trace, span_id)
    if span is None:
        st.info("This span is not stored; it may still be on its way, or was never sent.")
        return
    st.text(line(span["name"] or "(no name)", 300))
    st.text(
        f"{words.clock(span['start_time'])}   {words.duration(span['duration_ms'])}   {span['kind']}"
        f"   status {span['status_code']}"
    )
    facts, carried, events, raw = st.tabs(["Facts", "Attributes", "Events and links", "Ids"])
    with facts:
        st.dataframe(_facts(span), hide_index=True, height="content", alt="Facts of the span")
    with carried:
        _map("Span attributes", span["attributes"])
        _map("Resource attributes", span["resource_attributes"])
    with events:
        st.text(f"{len(span['events'])} events, {len(span['links'])} links")
        st.json(deep(span["events"][:100], _LONG), expanded=2)
        for at, link in enumerate(span["links"][:20]):
            wanted = {"trace_id": link["trace_id"], "span_id": link["span_id"]}
            st.page_link("views/run.py", label=f"Linked span {at + 1}: trace {link['trace_id']}", query_params=wanted)
            if link["attributes"]:
                st.json(deep(link["attributes"], _LONG), expanded=1)
    with raw:
        st.code(f"trace_id        {trace}\nspan_id         {span_id}\nparent_span_id  {span['parent_span_id'] or '-'}",
                language=None)  # fmt: skip


def _map(title: str, pairs: dict[str, str]) -> None:
    st.text(f"{title} ({len(pairs)})")
    short = {key: value for key, value in pairs.items() if len(value) <= 200 and "\n" not in value}
    if short:
        table = {"Key": [line(key) for key in sorted(short)], "Value": [line(short[key]) for key in sorted(short)]}
        st.dataframe(pl.DataFrame(table), hide_index=True, height="content", alt=title)
    for key in sorted(pairs.keys() - short.keys()):
        st.text(line(key))
        st.code(visible(pairs[key], _LONG), language=None, wrap_lines=True, height=220)
