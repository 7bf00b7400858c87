"""The chain from whoever started the work down to a span: one line per hop, with its scope and the narrowing check."""

from __future__ import annotations

from typing import Any

import streamlit as st

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import label, line

_VERDICTS = {
    "same": "= same scope as above",
    "narrower": "▾ narrower than above",
    "wider": "▲ wider than above",
    "inside": "● inside its grant",
    "outside": "▲ outside its grant",
    "unknown": "? scope unknown",
}
_STARTERS = {"human": "a person", "schedule": "a schedule", "event": "an event", "agent": "an agent", "service": "a service"}


def hops(lineage: dict[str, Any], key: str) -> None:
    """Top to bottom; each hop leads to its span."""
    starter = lineage["starter"]
    who = line(starter["name"] or starter["id"] or "unknown", 120)
    with st.container(border=True):
        st.text(f"▼ started by {who} ({_STARTERS.get(starter['type'], 'nobody knows who')})")
        for depth, hop in enumerate(lineage["hops"]):
            _hop(hop, depth, f"{key}-{depth}")
    if lineage["traces"] > 1:
        st.text(f"The chain runs through {lineage['traces']} traces.")
    if lineage["is_cut"]:
        st.text("The chain is longer than is shown.")


def _hop(hop: dict[str, Any], depth: int, key: str) -> None:
    what, scope, place = st.columns([4, 5, 2], vertical_alignment="center")
    # Spaces in front of a text are not drawn.
    indent, below = "│ " * min(depth, 12) + "└ ", "│ " * min(depth, 12) + "│ "
    if hop["role"] == "run":
        what.text(f"{indent}{line(hop['actor_name'] or hop['actor_id'] or '(unknown agent)', 60)}")
        what.text(f"{below}{_how(hop)}")
    else:
        error = "✖ " if hop["is_error"] else ""
        what.text(f"{indent}{error}{line(hop['tool_name'] or hop['name'], 60)} ({hop['side_effect'] or 'effect unknown'})")
        if hop["target"]:
            what.text(f"{below}on {line(hop['target'], 80)}")
    scope.text(_scope(hop))
    if hop["approval_status"] or hop["approver_id"]:
        by = f"{line(hop['approver_id'] or 'nobody named', 60)} ({line(hop['approver_type'] or 'unknown', 30)})"
        scope.text(f"approval {line(hop['approval_status'], 30)} by {by}")
    if hop["principal_id"] or hop["credential_id"]:
        scope.text(f"as {line(hop['principal_id'] or '?', 60)} with {line(hop['credential_id'] or 'no credential named', 60)}")
    place.page_link("views/run.py", label=f"Span {hop['span_id'][:8]}…", icon=":material/account_tree:",
                    query_params={"trace_id": hop["trace_id"], "span_id": hop["span_id"]})  # fmt: skip


def _how(hop: dict[str, Any]) -> str:
    basis = f", {hop['basis']}" if hop["basis"] else ""
    return f"{line(hop['mode'], 40) or 'run'}{basis}, {words.clock(hop['start_time'])}"


def _scope(hop: dict[str, Any]) -> str:
    own = hop["granted"] if hop["role"] == "run" else hop["used"]
    said = line(", ".join(own), 300) if own else ("no grant stated" if hop["role"] == "run" else "no scope stated")
    beyond = f": {line(', '.join(hop['beyond']), 200)}" if hop["beyond"] else ""
    ends = f", until {words.clock(hop['ends'])}" if hop["ends"] else ""
    return f"{_VERDICTS[hop['verdict']]}{beyond}\n{said}{ends}"


def badge(lineage: dict[str, Any]) -> str:
    """The chain in one line: who, through whom."""
    starter = lineage["starter"]
    names = [hop["actor_name"] or "?" for hop in lineage["hops"] if hop["role"] == "run"]
    return line(" → ".join([starter["name"] or starter["id"] or "?", *names]), 300)


def heading(text: str) -> None:
    """A heading that may hold a stranger's text."""
    st.subheader(label(text, 200), anchor=False)
