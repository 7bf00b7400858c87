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
    "unknown": "? nothing to compare with",
}
_MODES = {
    "run": "works on it", "pass_control": "took over", "return_to_caller": "called, and returns",
}  # fmt: skip
_STARTERS = {"human": "a person", "schedule": "a schedule", "event": "an event", "agent": "an agent", "service": "a service"}


def hops(lineage: dict[str, Any], key: str) -> None:
    """Top to bottom; each hop leads to its span."""
    starter = lineage["starter"]
    who = line(starter["name"] or starter["id"] or "unknown", 120)
    _verdict(lineage)
    with st.container(border=True):
        st.text(f"▼ started by {who} ({_STARTERS.get(starter['type'], 'nobody knows who')})")
        for depth, hop in enumerate(lineage["hops"]):
            _hop(hop, depth, f"{key}-{depth}")
    if lineage["traces"] > 1:
        st.text(f"The chain runs through {lineage['traces']} traces.")
    if lineage["is_cut"]:
        st.text("The chain is longer than is shown.")


def _hop(hop: dict[str, Any], depth: int, key: str) -> None:
    what, scope, place = st.columns([5, 5, 2], vertical_alignment="center")
    # Lines and figure spaces: plain spaces in front of a text are not drawn. One text, for the lines of two stand apart.
    above = "│\u2007\u2007" * min(depth, 12)
    below = f"{above}│\u2007\u2007"
    if hop["role"] == "run":
        told = [f"◉ {line(hop['actor_name'] or hop['actor_id'] or '(unknown agent)', 60)}", _how(hop), words.clock(hop["start_time"])]
    else:
        shape = "▣" if hop["role"] == "action" else "◇"
        effect = hop["side_effect"] or ("effect unknown" if hop["role"] == "action" else "model call")
        told = [f"{'✖ ' if hop['is_error'] else ''}{shape} {line(hop['tool_name'] or hop['name'], 60)} ({effect})"]
        told += [f"on {line(hop['target'], 80)}"] if hop["target"] else []
    told = [f"{above}└─ {told[0]}", *(f"{below}{each}" for each in told[1:])]
    what.text("\n".join(told))
    scope.text("\n".join(_authority(hop)))
    place.page_link("views/run.py", label="Open in its run", icon=":material/account_tree:",
                    query_params={"trace_id": hop["trace_id"], "span_id": hop["span_id"]})  # fmt: skip


def _authority(hop: dict[str, Any]) -> list[str]:
    """Scope, approval, and as whom."""
    told = [_scope(hop)] if hop["role"] in ("run", "action") else []
    if hop["approval_status"] or hop["approver_id"]:
        by = f"{line(hop['approver_id'] or 'nobody named', 60)} ({line(hop['approver_type'] or 'unknown', 30)})"
        told.append(f"approval {line(hop['approval_status'], 30)} by {by}")
    if hop["principal_id"] or hop["credential_id"]:
        who, shown = line(hop["principal_id"], 60), line(hop["credential_id"], 60)
        told.append(" ".join([f"as {who}" if who else "", f"with {shown}" if shown else "(no credential named)"]).strip())
    return told


def _how(hop: dict[str, Any]) -> str:
    basis = f" ({hop['basis']})" if hop["basis"] else ""
    return f"{_MODES.get(hop['mode'] or 'run') or line(hop['mode'], 40)}{basis}"


def _verdict(lineage: dict[str, Any]) -> None:
    """The narrowing check in one line, above the chain: where somebody had more than whoever they work for."""
    found = lineage["hops"]
    grown = [hop for hop in found if hop["beyond"]]
    if grown:
        st.error("Somewhere on the way more was passed on or used than was given.", icon=":material/trending_up:")
    for hop in grown:
        name = line(hop["actor_name"] or hop["actor_id"] or "an agent", 60)
        beyond, tool = line(", ".join(hop["beyond"]), 200), line(hop["tool_name"] or hop["name"], 60)
        is_run = hop["role"] == "run"
        told = f"was given {beyond}, which whoever it works for did not hold" if is_run else f"used {beyond} with {tool}, outside its grant"
        st.text(f"▲ {name} {told}.")
    if not grown and any(hop["verdict"] != "unknown" for hop in found):
        st.success("Nobody passed on or used more than was given, as far as the hops state a scope.", icon=":material/check:")
    elif not grown:
        st.info("Too few hops state a scope to tell whether it grew; the coverage page has the line that says it.", icon=":material/help:")


def _scope(hop: dict[str, Any]) -> str:
    own = hop["granted"] if hop["role"] == "run" else hop["used"]
    if not own:
        return "○ no grant stated" if hop["role"] == "run" else "○ no scope stated"
    said = line(", ".join(own), 300)
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
