"""Delegation: the chain from the human, schedule or agent that started it to a span, with the scope at each hop."""

from __future__ import annotations

import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts.hops import hops
from actorscope.dashboards.parts.live import live, take_asked
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.text import label, visible

st.title("On whose behalf?", anchor=False)
st.text("The chain behind a span: who started the work, through which agents it went, and whether each passed on no more than it had.")
take_asked()
with st.container(horizontal=True, gap="small"):
    asked = st.text_input("Trace id", key="trace_id", bind="query-params", width=320)
    below = st.text_input("Span id (empty: the topmost run)", key="span_id", bind="query-params", width=240)


def page() -> None:
    trace, span = data.trace_id(asked or ""), data.span_id(below or "")
    if not asked:
        st.info("Give a trace id, choose one of the latest runs, or open this page from a span or a finding.", icon=":material/link:")
        choose_run(is_asked=True)
        return
    if trace is None or (below and span is None):
        st.warning("A trace id has 32 hexadecimal digits, a span id 16.", icon=":material/search_off:")
        st.code(visible(f"{asked} {below}", 200), language=None)
        return
    lineage = data.lineage(trace, span or "")
    if lineage is None:
        st.warning("No agent, action or run of that id is known.", icon=":material/search_off:")
        st.text("It may still be on its way, or analysis has found no agent in it.")
        return
    hops(lineage, "chain")
    agents = {hop["actor_id"]: hop["actor_name"] for hop in lineage["hops"] if hop["role"] == "run" and hop["actor_id"]}
    with st.container(horizontal=True, gap="small"):
        st.page_link("views/again.py", label="Why did it run?", icon=":material/replay:", query_params={"trace_id": trace})
        for actor, name in list(agents.items())[:6]:
            st.page_link("views/radius.py", label=f"What {label(name or actor, 40)} can reach", icon=":material/crisis_alert:",
                         query_params={"id": actor})  # fmt: skip


live(page)
