"""Alerts: who is told, how that goes, what is silenced, and what could not be delivered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.alerts import outbox, silences
from actorscope.analysis.answers import period
from actorscope.analysis.detector import FAMILIES
from actorscope.dashboards import data
from actorscope.dashboards.parts import viewer, words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.live import choose, live, unless_away
from actorscope.dashboards.parts.text import line, visible
from actorscope.errors import DefinitionError

_STATES = {"ok": "● taken", "failing": "✖ failing", "idle": "○ nothing sent yet"}
_SENT = {"pending": "◌ waits", "delivered": "● delivered", "dead": "✖ given up", "unwanted": "– not wanted any more"}


def _targets(targets: list[dict[str, Any]]) -> None:
    st.subheader("Targets", anchor=False)
    if not targets:
        st.info("Nobody is told of findings yet.", icon=":material/notifications_off:")
        st.text("Name a target in actorscope.toml; docs/alerts.md has one of every kind:")
        st.code('[[alerts.targets]]\nname = "oncall"\nkind = "slack"\nurl_file = "slack-webhook-url"', language="toml")
        return
    frame = pl.DataFrame(
        {
            "Target": [line(t["name"], 60) for t in targets],
            "Kind": [t["kind"] for t in targets],
            "How it fares": [_STATES.get(t["state"], t["state"]) for t in targets],
            "From severity": [words.severity(t["min_severity"]) for t in targets],
            "Waiting": [t["pending"] for t in targets],
            "Given up": [t["dead"] for t in targets],
            "Last taken": [f"{words.ago(t['delivered_at'])} ago" if t["delivered_at"] else "–" for t in targets],
            "Last error": [line(t["last_error"], 200) for t in targets],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", placeholder="", alt="Alert targets")


def _groups(groups: list[dict[str, Any]]) -> None:
    st.subheader("Told, and still open", anchor=False)
    if not groups:
        st.text("Nothing that anybody was told of is still open.")
        return
    frame = pl.DataFrame(
        {
            "Severity": [words.severity(g["severity"]) for g in groups],
            "Told": [words.clock(g["at"]) for g in groups],
            "Last word": [g["told"] for g in groups],
            "Target": [line(g["target"], 60) for g in groups],
            "Findings": [len(g["findings"]) for g in groups],
        }
    )
    ids = [next(iter(g["findings"]), "") for g in groups]
    clicked = choose(frame, ids, f"groups-{hash(tuple(ids))}", alt="Groups of findings that were told")
    if clicked:
        st.switch_page("views/finding.py", query_params={"finding": clicked})


def _silences(found: list[dict[str, Any]]) -> None:
    st.subheader("Silences", anchor=False)
    if not found:
        st.text("Nothing is silenced.")
        return
    frame = pl.DataFrame(
        {
            "State": [line(s.get("state", ""), 20) for s in found],
            "Matches": [line(", ".join(f"{key}={value}" for key, value in s["matchers"].items()), 200) for s in found],
            "Until": [words.clock(s["ends_at"]) for s in found],
            "By": [line(s["author"], 60) for s in found],
            "Why": [line(s["reason"], 200) for s in found],
        }
    )
    st.dataframe(frame, hide_index=True, height="content", alt="Silences")


def _notifications() -> None:
    st.subheader("Notifications", anchor=False)
    state = st.segmented_control("State", ["all", *outbox.STATES], default="all", required=True, key="sent", bind="query-params")
    found = data.notifications("" if state == "all" else state or "", "", 200)
    if not found:
        st.text("Nobody was sent anything yet." if state == "all" else "No notification of that kind.")
        return
    frame = pl.DataFrame(
        {
            "At": [words.clock(n["created_at"]) for n in found],
            "State": [_SENT.get(n["state"], n["state"]) for n in found],
            "Target": [line(n["subscriber"], 60) for n in found],
            "What": [n["kind"] for n in found],
            "Attempts": [n["attempts"] for n in found],
            "Last answer": [f"{n['last_status'] or ''} {line(n['last_error'], 160)}".strip() for n in found],
            "Id": [line(n["id"], 120) for n in found],
        }
    )
    ids = [(n["id"], n["subscriber"]) for n in found]
    clicked = choose(frame, ids, f"sent-{hash(tuple(ids))}", placeholder="", alt="Notifications")
    st.text(f"{len(found)} shown, the newest first. Click one to send it again.")
    export(lambda: found, "notifications")
    if clicked:
        st.session_state["again"] = clicked
    if (chosen := st.session_state.get("again")) and viewer.may("responder"):
        st.code(line(chosen[0], 200), language=None)
        if st.button(f"Send again to {chosen[1]}", icon=":material/redo:", key="send-again"):
            count = data.write(outbox.redeliver, chosen[0], datetime.now(UTC), chosen[1])
            st.session_state.pop("again")
            st.text(f"Queued {count} times.")


@st.dialog("Silence")
def _silence() -> None:
    author = viewer.ask_name()
    family = st.selectbox("Family", ["any", *FAMILIES])
    detector = st.text_input("Detector", placeholder="any, such as cost_*")
    subject = st.text_input("Who", placeholder="any actor id")
    reason = st.text_area("Why nobody needs to hear of it", max_chars=1000)
    length = st.segmented_control("For", ["1h", "4h", "1d", "7d"], default="4h", required=True)
    if not st.button("Silence", type="primary", key="save"):
        return
    given = {"family": "" if family == "any" else family, "detector": detector, "subject": subject}
    matchers = {key: value.strip() for key, value in given.items() if value and value.strip()}
    now = datetime.now(UTC)
    try:
        data.write(silences.silence, matchers, author, reason, period.until(length or "4h", now), now)
    except (DefinitionError, ValueError) as error:
        st.error("This could not be saved.", icon=":material/error:")
        st.text(visible(error, 400))
        return
    st.rerun()


@st.dialog("Test a target")
def _try(names: list[str]) -> None:
    name = st.selectbox("Target", names)
    if st.button("Send a test", type="primary", key="save"):
        attempt = data.try_target(name)
        if 200 <= attempt.status < 300:
            st.success(f"Taken with {attempt.status} in {attempt.latency_ms} ms.", icon=":material/check_circle:")
        else:
            st.error("It was not taken.", icon=":material/error:")
            st.text(f"status {attempt.status or 'none'}: {visible(attempt.error, 400)}")


st.title("Alerts", anchor=False)
nothing: dict[str, Any] = {"targets": []}
known = [target["name"] for target in unless_away(data.alerts, nothing)["targets"]]
with st.container(horizontal=True, gap="small"):
    if viewer.may("responder") and st.button("Silence", icon=":material/notifications_paused:", shortcut="S"):
        _silence()
    if known and viewer.may("admin") and st.button("Test a target", icon=":material/send:", shortcut="T"):
        _try(known)


def page() -> None:
    answer = data.alerts()
    _targets(answer["targets"])
    _groups(answer["groups"])
    _silences(answer["silences"])
    _notifications()


live(page)
