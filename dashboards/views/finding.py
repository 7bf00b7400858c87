"""One finding: the claim, what it rests on, what would disprove it, and what to do next."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.evidence import evidence, pairs
from actorscope.dashboards.parts.live import choose, live, numbers
from actorscope.dashboards.parts.text import deep, label, line, visible


def _head(finding: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        st.badge(words.severity(finding["severity"]), color=words.COLOURS.get(finding["severity"], "gray"))
        st.badge(words.STATES.get(finding["state"], "unknown"), color="gray")
        st.badge(label(finding["family"], 40), color="violet")
        st.badge(label(finding["basis"], 40), color="gray", help="The basis of the claim; see below")
    st.subheader(label(finding["title"], 400), anchor=False)
    who = finding["subject"]
    st.text(f"Who: {line(who.get('name') or who.get('id'), 200)}   ({line(who.get('id'), 200)})")
    numbers(
        {
            "Money": words.money(finding["impact"].get("cost_usd")),
            "Times seen": words.amount(finding["count"]),
            "Confidence": f"{finding['confidence']:.0%}",
            "Opened": f"{words.ago(finding['opened_at'])} ago",
            "Newest evidence": f"{words.ago(finding['last_evidence_at'])} ago",
        }
    )
    st.text(f"This claim is {words.BASES.get(finding['basis'], visible(finding['basis'], 40))}")
    if finding.get("resolution"):
        st.text(f"Resolved: {line(finding['resolution'], 300)}")


def _reasoning(finding: dict[str, Any]) -> None:
    left, right = st.columns(2)
    with left:
        st.subheader("Baseline", anchor=False)
        pairs(finding["baseline"], "Baseline")
        st.subheader("What would disprove it", anchor=False)
        st.text(visible(finding["counterfactual"]) or "Nothing is stated.")
    with right:
        st.subheader("Impact", anchor=False)
        pairs(finding["impact"], "Impact")
        st.subheader("Next step", anchor=False)
        st.text(visible(finding.get("next_step")) or "Nothing is stated.")
        if finding["caveats"]:
            st.subheader("Caveats", anchor=False)
            st.text("\n".join(f"• {line(caveat, 400)}" for caveat in finding["caveats"]))


def _occurrences(finding: dict[str, Any]) -> None:
    places = finding["occurrences"]
    st.subheader("Occurrences", anchor=False)
    frame = pl.DataFrame(
        {
            "Seen at": [words.clock(place["at"]) for place in places],
            "Severity": [words.severity(place["severity"]) for place in places],
            "Trace": [place["trace_id"] for place in places],
            "Span": [place["span_id"] for place in places],
        }
    )
    ids = [(place["trace_id"], place["span_id"]) for place in places]
    clicked = choose(frame, ids, "occurrences", alt="Occurrences")
    st.text(f"{len(places)} of {finding['count']} shown, the newest first. Click a row to open its run.")
    if clicked:
        st.switch_page("views/run.py", query_params={"trace_id": clicked[0], "span_id": clicked[1]})


def _more(finding: dict[str, Any]) -> None:
    with st.expander("How this detector works", icon=":material/menu_book:"):
        # The docstring of the detector: our own text.
        st.markdown(finding["explanation"] or "This detector is not part of this version.")
    with st.expander("History", icon=":material/history:"):
        st.text("\n".join(f"{words.clock(t['at'])}  {t['kind']}  {t['severity']}" for t in finding["transitions"]))
    with st.expander("Fingerprint and JSON", icon=":material/data_object:"):
        st.code(f"id           {finding['id']}\nfingerprint  {finding['fingerprint']}\n"
                f"detector     {finding['detector']}  rule {finding['rule']}", language=None)  # fmt: skip
        st.json(deep({key: value for key, value in finding.items() if key != "explanation"}), expanded=1)
    body = {key: value for key, value in finding.items() if key not in ("explanation", "transitions")}
    st.download_button("Download JSON", json.dumps(body, indent=2), f"{finding['id']}.json", "application/json",
                       icon=":material/download:", on_click="ignore")  # fmt: skip


def page() -> None:
    wanted = st.query_params.get("finding", "")
    finding = data.finding(wanted) if wanted else None
    if finding is None:
        st.warning("There is no such finding." if wanted else "No finding was chosen.", icon=":material/search_off:")
        st.code(visible(wanted, 100), language=None)
        st.page_link("views/attention.py", label="All findings", icon=":material/warning:")
        return
    for part in (_head, evidence, _reasoning, _occurrences, _more):
        part(finding)


live(page)
