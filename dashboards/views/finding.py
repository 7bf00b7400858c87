"""One finding: the claim, what it rests on, what would disprove it, and what to do next."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.evidence import evidence, pairs
from actorscope.dashboards.parts.live import choose, live, numbers, unless_away
from actorscope.dashboards.parts.summary import findings_here
from actorscope.dashboards.parts.tables import height
from actorscope.dashboards.parts.text import deep, label, line, sentence, visible
from actorscope.dashboards.parts.triage import said, triage


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
    if finding.get("next_step"):
        with st.container(border=True):
            st.text(f"Next step: {visible(finding['next_step'])}")
    _ways(finding)
    st.text(f"This claim is {words.BASES.get(finding['basis'], visible(finding['basis'], 40))}")
    if finding.get("resolution"):
        st.text(f"Resolved: {line(finding['resolution'], 300)}")


def _ways(finding: dict[str, Any]) -> None:
    """To the answers that this finding makes people ask for."""
    first = next((each for each in finding["evidence"] if each["trace_id"]), None)
    place = {key: first[key] for key in ("trace_id", "span_id") if first[key]} if first else {}
    with st.container(horizontal=True, gap="small"):
        if who := finding["subject"].get("id"):
            st.page_link("views/actor.py", label="This actor", icon=":material/person:", query_params={"actor": who})
            st.page_link("views/radius.py", label="What it can reach", icon=":material/crisis_alert:", query_params={"id": who})
        if place:
            st.page_link("views/delegation.py", label="On whose behalf?", icon=":material/linear_scale:", query_params=place)
            st.page_link("views/again.py", label="Why did it run?", icon=":material/replay:",
                         query_params={"trace_id": place["trace_id"]})  # fmt: skip


def _neighbours(shown: str) -> None:
    """The way to the findings before and after in the list that led here."""
    ids = st.session_state.get("findings-list", [])
    at = ids.index(shown) if shown in ids else -1
    if st.button("List", icon=":material/list:", shortcut="L", type="tertiary"):
        st.switch_page("views/attention.py")
    for name, step, key in (("Previous", -1, "K"), ("Next", 1, "J")):
        there = at + step
        is_there = at >= 0 and 0 <= there < len(ids)
        if st.button(name, shortcut=key, type="tertiary", disabled=not is_there) and is_there:
            st.switch_page("views/finding.py", query_params={"finding": ids[there]})


def _family(finding: dict[str, Any]) -> None:
    """What explains this one, and what it explains."""
    if finding.get("root"):
        st.page_link("views/finding.py", label="The finding that explains this one", icon=":material/north_west:",
                     query_params={"finding": finding["root"]})  # fmt: skip
    if finding["grouped"]:
        st.subheader("Follows from it", anchor=False)
        findings_here(finding["grouped"], 10)


def _told(finding: dict[str, Any]) -> None:
    """Who was told of it."""
    if not finding["deliveries"]:
        return
    with st.expander(f"Told to {len({d['subscriber'] for d in finding['deliveries']})} subscribers", icon=":material/send:"):
        rows = {
            "At": [words.clock(d["at"]) for d in finding["deliveries"]],
            "Subscriber": [line(d["subscriber"], 60) for d in finding["deliveries"]],
            "What": [line(d["id"], 120) for d in finding["deliveries"]],
            "Answer": [str(d["status"] or line(d["error"], 200)) for d in finding["deliveries"]],
        }
        st.dataframe(pl.DataFrame(rows), hide_index=True, height="content", alt="Deliveries of this finding")


def _reasoning(finding: dict[str, Any]) -> None:
    left, right = st.columns(2)
    with left:
        st.subheader("Baseline", anchor=False)
        pairs(finding["baseline"], "Baseline")
    with right:
        st.subheader("Impact", anchor=False)
        pairs(finding["impact"], "Impact")
        st.subheader("What would disprove it", anchor=False)
        st.text(sentence(visible(finding["counterfactual"])) or "Nothing is stated.")
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
    clicked = choose(frame, ids, "occurrences", height=height(len(ids), 400), alt="Occurrences")
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
    finding = data.finding(wanted) if wanted else None
    if finding is None:
        st.title("Finding", anchor=False)
        st.warning("There is no such finding." if wanted else "No finding was chosen.", icon=":material/search_off:")
        if wanted:
            st.code(visible(wanted, 100), language=None)
            st.text("It may be of another store, or the link was cut short.")
        st.page_link("views/attention.py", label="All findings", icon=":material/warning:")
        return
    for part in (_head, said, _told, evidence, _reasoning, _family, _occurrences, _more):
        part(finding)


wanted = st.query_params.get("finding", "")
known = unless_away(lambda: data.finding(wanted), None) if wanted else None
if known is not None:
    with st.container(horizontal=True, gap="small"):
        _neighbours(known["id"])
        triage(known)
live(page)
