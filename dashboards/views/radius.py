"""Blast radius: what an identity can reach, through whom, and in which order to take it away."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.live import ask, choose, live, numbers, take_asked
from actorscope.dashboards.parts.period import chosen_period
from actorscope.dashboards.parts.tables import COUNT, counted, full, height
from actorscope.dashboards.parts.text import line, visible
from actorscope.dashboards.parts.welcome import first_steps

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)")


def _plan(plan: list[dict[str, Any]]) -> None:
    st.subheader("Revoke plan", anchor=False)
    frame = pl.DataFrame(
        {
            "Step": list(range(1, len(plan) + 1)),
            "Do": [line(step["do"], 300) for step in plan],
            "Why": [_MOMENT.sub(lambda found: words.clock(found[0]), line(step["why"], 200)) for step in plan],
            "Breaks": [line(", ".join(filter(None, step["breaks"])), 200) or "nobody else" for step in plan],
        }
    )
    config = {"Step": st.column_config.NumberColumn(width=45), "Do": st.column_config.TextColumn(width=530)}
    st.dataframe(frame, hide_index=True, height=height(len(plan)), column_config=config, alt="Revoke plan")
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
            "Ends": [_MOMENT.sub(lambda found: words.clock(found[0]), line(h["ends"] or "never said", 40)) for h in held],
            "Used by": [line(", ".join(h["actors"]), 120) for h in held],
            "Last used": [f"{words.ago(h['last_seen'])} ago" for h in held],
        }
    )
    config = {"Ends": st.column_config.TextColumn(width=185)}
    st.dataframe(full(frame), hide_index=True, height=height(len(held), 390), column_config=config, placeholder="",
                 alt="Credentials and delegations")  # fmt: skip
    st.text(f"{counted(len(held), 'credential or delegation', 'credentials and delegations')}, the latest first.")


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
    config = {"Uses": COUNT, "Traces": COUNT}
    st.dataframe(full(frame), hide_index=True, height=height(len(reach), 560), column_config=config, placeholder="", alt="What was reached")
    st.text(f"{counted(len(reach), 'pair')} of tool and resource shown{'; more may exist' if len(reach) >= 1000 else ''}, writes first.")
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
    st.dataframe(frame, hide_index=True, height=height(len(actors), 390), alt=title)


st.title("Blast radius", anchor=False)
take_asked()
wanted = st.text_input(
    "Actor, principal, credential or delegation id", key="id", bind="query-params", icon=":material/search:",
    placeholder="spiffe://example.org/agent/refunds",
)  # fmt: skip
period = chosen_period("30d", "Used in the last (event time)")


def _choose(since: datetime | None) -> None:
    """The actors of the fleet; a click looks at one."""
    actors = data.fleet(since)["actors"]
    if not actors:
        first_steps(data.health(), "actors")
        return
    frame = pl.DataFrame(
        {
            "Actor": [line(a["actor_name"] or a["actor_id"], 80) for a in actors],
            "Id": [line(a["actor_id"], 120) for a in actors],
            "Runs": [a["runs"] for a in actors],
            "Last seen": [f"{words.ago(a['last_seen'])} ago" for a in actors],
        }
    )
    ids = [a["actor_id"] for a in actors]
    clicked = choose(frame, ids, f"radius-{hash(tuple(ids))}", walk="radius", column_config={"Runs": COUNT},
                     height=height(len(ids), 560), alt="Actors")  # fmt: skip
    if clicked:
        ask(id=clicked)


def page() -> None:
    identity = (wanted or "").strip()
    if not identity:
        st.info("Give the id of an identity, or choose one of the actors.", icon=":material/crisis_alert:")
        _choose(period.since)
        return
    answer = data.radius(identity, period.since)
    if not answer["actors"]:
        st.warning("Nothing was done under this identity in this period.", icon=":material/search_off:")
        st.code(visible(identity, 200), language=None)
        st.text("Choose a longer period, or one of the actors:")
        _choose(period.since)
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
