"""What people do about a finding: acknowledge, assign, mute, close, comment. All of it is kept with author and time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from actorscope.analysis import marks, notes
from actorscope.analysis.answers import period
from actorscope.dashboards import data
from actorscope.dashboards.parts import viewer, words
from actorscope.dashboards.parts.text import line, visible
from actorscope.errors import DefinitionError

_ENDS = ("4h", "1d", "3d", "7d", "30d")
_SAID = {
    "comment": "wrote", "assigned": "assigned it", "acknowledged": "acknowledged it", "muted": "muted it",
    "resolved": "closed it", "open": "opened it again",
}  # fmt: skip


def triage(finding: dict[str, Any]) -> None:
    """The row of things to do. It stands outside of what refreshes itself, or a dialog would close while somebody types."""
    if not viewer.may("responder"):
        st.text("Your role lets you look; ask an admin for the role of a responder to act.")
        return
    _act(finding, "Acknowledge", "acknowledged", ":material/visibility:", "A", _reason)
    _act(finding, "Assign", "assigned", ":material/person_add:", "S", _assign)
    _act(finding, "Mute", "muted", ":material/notifications_off:", "M", _mute)
    _act(finding, "Close", "resolved", ":material/task_alt:", "X", _reason)
    _act(finding, "Comment", "comment", ":material/comment:", "W", _comment)
    _act(finding, "Open again", "open", ":material/undo:", "O", _reason)


def _act(
    finding: dict[str, Any], label: str, kind: str, icon: str, key: str, form: Callable[[dict[str, Any], str], None]
) -> None:
    if st.button(label, icon=icon, shortcut=key, key=f"do-{kind}"):
        st.dialog(label)(form)(finding, kind)


def _reason(finding: dict[str, Any], kind: str) -> None:
    author, text = viewer.ask_name(), st.text_area("Why, or what was done", max_chars=1000)
    if st.button("Save", type="primary", key="save"):
        _done(lambda: data.write(marks.say, finding, kind, author, text, datetime.now(UTC)))


def _mute(finding: dict[str, Any], kind: str) -> None:
    author = viewer.ask_name()
    text = st.text_area("Why nobody needs to hear of it", max_chars=1000)
    length = st.segmented_control("For", _ENDS, default="1d", required=True)
    exact = st.text_input("Or until (UTC)", placeholder="2030-01-31")
    if st.button("Mute", type="primary", key="save"):
        now = datetime.now(UTC)
        _done(lambda: data.write(marks.say, finding, kind, author, text, now, period.until(exact.strip() or length or "1d", now)))


def _assign(finding: dict[str, Any], kind: str) -> None:
    author = viewer.ask_name()
    whom = st.text_input("Who looks at it", value=finding["assignee"] or author, max_chars=200)
    if st.button("Save", type="primary", key="save"):
        _done(lambda: data.write(notes.write, finding, kind, author, "", datetime.now(UTC), whom))


def _comment(finding: dict[str, Any], kind: str) -> None:
    author, text = viewer.ask_name(), st.text_area("Comment", max_chars=4000, height=160)
    if st.button("Save", type="primary", key="save"):
        _done(lambda: data.write(notes.write, finding, kind, author, text, datetime.now(UTC)))


def _done(write: Callable[[], object]) -> None:
    """Write, close the dialog and show what is now so; what is missing is said in the dialog."""
    try:
        write()
    except (DefinitionError, ValueError) as error:
        st.error("This could not be saved.", icon=":material/error:")
        st.text(visible(error, 400))
        return
    st.rerun()


def said(finding: dict[str, Any]) -> None:
    """What was said so far."""
    mark = finding.get("mark") or {}
    if mark.get("state") == "muted":
        st.text(f"Muted by {line(mark['owner'], 80)} until {words.clock(mark['until'])}: {line(mark['reason'], 300)}")
    if finding["assignee"]:
        st.text(f"Looked at by {line(finding['assignee'], 80)}")
    if not finding["notes"]:
        return
    with st.expander(f"{len(finding['notes'])} notes", icon=":material/forum:", expanded=len(finding["notes"]) <= 5):
        for note in reversed(finding["notes"]):
            until = f" until {words.clock(note['until'])}" if note["until"] else ""
            to = f" to {line(note['assignee'], 80)}" if note["assignee"] else ""
            st.text(f"{words.clock(note['at'])}  {line(note['author'], 80)} {_SAID.get(note['kind'], note['kind'])}{to}{until}")
            if note["text"]:
                st.text(visible(note["text"], 4000))
