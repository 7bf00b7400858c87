"""Blast radius: what an identity can reach, through whom, and in which order to take it away."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.live import live, numbers
from actorscope.dashboards.parts.period import chosen_period
from actorscope.dashboards.parts.text import line, visible


def _plan(plan: list[dict[str, Any]]) -> None:
    st.subheader("Revoke plan", anchor=False)
    frame = pl.DataFrame(
        {
            "Step": list(range(1, len(plan) + 1)),
            "Do": [line(step["do"], 300) for step in plan],
            "Why": [line(step["why"], 200) for step in plan],
            "Breaks": [line(", ".join(filter(None, step["breaks"])), 200) or "nobody else" for step in plan],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", alt="Revoke plan")
    st.text("Actorscope watches; it revokes nothing. An emitted revocation (semconv.revoked) makes later uses findings.")


def _held(held: list[dict[str, Any]]) -> None:
    st.subheader("Held", anchor=False)
    if not held:
        st.text("No credential and no delegation of it is on record.")
        return
    frame = pl.DataFrame(
        {
            "Kind": [h["kind"] for h in held],
            "Id": [line(h["id"], 120) for h in held],
            "Scopes": [line(", ".join(h["scopes"]), 200) for h in held],
            "From": [line(h["delegator_name"], 80) for h in held],
            "Ends": [line(h["ends"] or "never said", 40) for h in held],
            "Used by": [line(", ".join(h["actors"]), 120) for h in held],
            "Last used": [f"{words.ago(h['last_seen'])} ago" for h in held],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", placeholder="", alt="Credentials and delegations")


def _reach(reach: list[dict[str, Any]]) -> None:
    st.subheader("Reached", anchor=False)
    if not reach:
        st.text("It did nothing that is known in this period.")
        return
    frame = pl.DataFrame(
        {
            "Effect": [r["side_effect"] or "unknown" for r in reach],
            "Tool": [line(r["tool_name"], 80) for r in reach],
            "Resource": [line(r["target"] or "–", 160) for r in reach],
            "Uses": [r["uses"] for r in reach],
            "Traces": [r["traces"] for r in reach],
            "First": [words.clock(r["first_seen"]) for r in reach],
            "Last": [words.clock(r["last_seen"]) for r in reach],
        }
    )
    st.dataframe(frame, hide_index=True, placeholder="", alt="What was reached")
    st.text(f"{len(reach)} pairs of tool and resource shown{'; more may exist' if len(reach) >= 1000 else ''}, writes first.")
    export(lambda: reach, "reach")


def _around(title: str, actors: list[dict[str, Any]]) -> None:
    st.subheader(title, anchor=False)
    if not actors:
        st.text("Nobody is known.")
        return
    frame = pl.DataFrame(
        {
            "Agent": [line(a["actor_name"] or a["actor_id"], 80) for a in actors],
            "Steps away": [a["steps"] for a in actors],
            "Times": [a["delegations"] for a in actors],
            "Last": [f"{words.ago(a['last_seen'])} ago" for a in actors],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", alt=title)


st.title("Blast radius", anchor=False)
wanted = st.text_input(
    "Actor, principal, credential or delegation id", key="id", bind="query-params", icon=":material/search:",
    placeholder="spiffe://example.org/agent/refunds",
)  # fmt: skip
period = chosen_period("30d", "Used in the last (event time)")


def page() -> None:
    identity = (wanted or "").strip()
    if not identity:
        st.info("Give the id of an identity, or open this page from an actor.", icon=":material/crisis_alert:")
        return
    answer = data.radius(identity, period.since)
    if not answer["actors"]:
        st.warning("Nothing was done under this identity in this period.", icon=":material/search_off:")
        st.code(visible(identity, 200), language=None)
        return
    numbers(
        {
            "Agents under it": len(answer["actors"]),
            "Writes": words.amount(answer["writes"]),
            "Resources": words.amount(answer["resources"]),
            "Agents below": len(answer["below"]),
            "Delegate to it": len(answer["above"]),
        }
    )
    st.text("Agents: " + line(", ".join(a["actor_name"] or a["actor_id"] for a in answer["actors"]), 600))
    _plan(answer["plan"])
    _held(answer["held"])
    _reach(answer["reach"])
    left, right = st.columns(2)
    with left:
        _around("Reached through it", answer["below"])
    with right:
        _around("Would miss it", answer["above"])


live(page)
