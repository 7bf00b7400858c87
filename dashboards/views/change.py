"""Change: start from a resource; which agent changed it, through which chain, and who approved."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.hops import badge, hops
from actorscope.dashboards.parts.live import choose, live
from actorscope.dashboards.parts.period import chosen_period
from actorscope.dashboards.parts.tables import counted, full, height
from actorscope.dashboards.parts.text import line, visible

_HOW = {"target": "it acted on it", "named": "its arguments name it"}


def _table(changes: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "When": [words.clock(c["start_time"]) for c in changes],
            "Effect": [c["side_effect"] or "unknown" for c in changes],
            "Tool": [line(c["tool_name"], 80) for c in changes],
            "Agent": [line(c["actor_name"] or c["actor_id"], 80) for c in changes],
            "Outcome": ["✖ failed" if c["is_error"] else "↺ replayed" if c["is_replayed"] else "● done" for c in changes],
            "Approved by": [_approval(c) for c in changes],
            "Chain": [badge(c["lineage"]) if c["lineage"] else "" for c in changes],
            "How known": [_HOW[c["how"]] for c in changes],
            "Arguments": [line(c["arguments"], 300) for c in changes],
        }
    )


def _approval(change: dict[str, Any]) -> str:
    if change["approver_id"] or change["approver_type"]:
        return line(f"{change['approver_id'] or '?'} ({change['approver_type'] or '?'})", 80)
    return line(change["approval_status"] or change["authz_outcome"] or "nobody on record", 80)


st.title("Who changed it?", anchor=False)
resource = st.text_input(
    "Resource", key="resource", bind="query-params", placeholder="order 4711, ann@example.org, /srv/reports/q3.csv, an IBAN ...",
    icon=":material/search:",
)  # fmt: skip
period = chosen_period("7d", "In the last (event time)", has_end=True)
reads = st.toggle("Reads too", key="reads", bind="query-params")


def page() -> None:
    if not (resource or "").strip():
        st.info("Name the thing that was changed, as it stands in arguments or as its target.", icon=":material/edit_note:")
        return
    answer = data.who_changed(resource or "", period.since, period.until, bool(reads))
    changes = answer["changes"]
    if not changes:
        st.info("Nobody is known to have changed it in this period.", icon=":material/search_off:")
        st.text("Try a longer period, reads too, or another spelling. Looked for:")
        st.code(visible(answer["resource"], 200), language=None)
        return
    ids = [(c["trace_id"], c["span_id"]) for c in changes]
    clicked = choose(full(_table(changes)), ids, f"changes-{hash(tuple(ids))}", walk="changes", height=height(len(ids), 460),
                     placeholder="", alt="Actions on the resource")  # fmt: skip
    st.text(f"{counted(len(changes), 'action')} shown{'; more exist' if answer['is_cut'] else ''}, writes first. Click one for its chain.")
    export(lambda: changes, "changes")
    if clicked:
        st.session_state["change"] = clicked
    chosen = next((c for c in changes if (c["trace_id"], c["span_id"]) == st.session_state.get("change")), changes[0])
    lineage = chosen["lineage"] or data.lineage(chosen["trace_id"], chosen["span_id"])
    st.subheader("The chain behind it", anchor=False)
    if lineage is None:
        st.text("The chain of this action is not known.")
    else:
        hops(lineage, "change")


live(page)
