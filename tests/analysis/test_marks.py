"""What people say of findings and what becomes of it: acknowledged, muted, closed, opened again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.analysis.test_findings import DETECTOR, NOW, Ledger, kinds, signal
from tests.make import spans

from actorscope.analysis import marks
from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts.desk import Desk
from actorscope.analysis.answers.findings import get_finding, transitions
from actorscope.analysis.finding import Finding
from actorscope.analysis.findings import Known, apply, transition
from actorscope.analysis.marks import Mark, stated
from actorscope.errors import DefinitionError
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import AlertSettings, TargetSettings

STORY = """
- trace: "{name}"
  at: {at}
  spans:
    - agent: clerk
      grant: ["payment:read"]
      children: [{{tool: transfer_funds, used: ["payment:write"], effect: write}}]
"""
ALERTS = AlertSettings(targets=[TargetSettings(name="pager")], group_wait_seconds=0, resolve_wait_seconds=0)


def story(name: str = "one", at: str = "0") -> Any:
    return spans(STORY.format(name=name, at=at))


def opened() -> Finding:
    return Ledger().see(signal())[0].finding


def mark(finding: Finding, state: str, at: datetime = NOW, until: datetime = NOW + timedelta(days=1)) -> Mark:
    return Mark(finding.detector, finding.fingerprint, finding.id, state, "ann", "known", finding.severity, at, until)


def test_a_mark_gives_an_open_finding_its_state() -> None:
    finding = opened()
    for state in ("acknowledged", "muted", "resolved"):
        marked = stated(finding, mark(finding, state), NOW)
        assert marked.state == state and marked.mark["owner"] == "ann"
        assert stated(marked, mark(finding, "open"), NOW).state == ("resolved" if state == "resolved" else "open")


def test_a_mute_ends_by_itself_and_holds_for_the_same_thing_under_another_id() -> None:
    finding = opened()
    other = replace(opened(), id="fnd_that_follows")
    muted = mark(finding, "muted")
    assert stated(other, muted, NOW).state == "muted"
    assert stated(finding, muted, NOW + timedelta(days=2)).state == "open"
    assert stated(other, mark(finding, "acknowledged"), NOW).state == "open"


def test_what_becomes_graver_is_not_acknowledged_any_more() -> None:
    ledger = Ledger()
    finding = ledger.see(signal("t1", "medium"))[0].finding
    graver = ledger.see(signal("t2", "high", 1))[0].finding
    assert stated(graver, mark(finding, "acknowledged"), NOW).state == "open"


def test_seen_again_within_a_day_it_is_the_same_finding_and_told_under_an_id_of_its_own() -> None:
    ledger = Ledger()
    first = ledger.see(signal())[0].finding
    (closed,) = ledger.see(touched="elsewhere", hours=30)
    past = {first.fingerprint: Known(closed.finding)}
    (change,) = apply(DETECTOR, [signal("t5", minute=99)], {}, {"t5"}, NOW + timedelta(hours=23), {}, past)
    assert (change.kind, change.finding.id, change.finding.state, change.finding.count) == ("reopened", first.id, "open", 2)
    assert len(change.finding.reopened) == 1 and change.finding.resolution == ""
    assert transition(change)["id"] == f"{first.id}-reopened-1"


def test_after_a_day_it_is_a_new_finding_that_follows_the_old_one() -> None:
    ledger = Ledger()
    first = ledger.see(signal())[0].finding
    (closed,) = ledger.see(touched="elsewhere", hours=30)
    past = {first.fingerprint: Known(closed.finding)}
    (change,) = apply(DETECTOR, [signal("t5", minute=99)], {}, {"t5"}, NOW + timedelta(hours=25), {}, past)
    assert (change.kind, change.finding.follows) == ("opened", first.id) and change.finding.id != first.id


def test_what_somebody_closed_stays_closed_in_its_places_and_opens_in_others() -> None:
    finding = opened()
    closed = stated(finding, mark(finding, "resolved"), NOW)
    past = {finding.fingerprint: Known(closed, {("t1", "s"): "medium"})}
    assert apply(DETECTOR, [signal()], {}, {"t1"}, NOW, {}, past) == []
    (change,) = apply(DETECTOR, [signal(), signal("t2")], {}, {"t1", "t2"}, NOW + timedelta(hours=1), {}, past)
    assert kinds([change]) == ["reopened"] and list(change.seen) == [("t2", "s")] and change.finding.count == 2
    assert stated(change.finding, mark(finding, "resolved"), NOW + timedelta(hours=1)).state == "open"


@pytest.mark.parametrize(
    ("state", "owner", "reason", "until"),
    [("muted", "", "known", 1), ("muted", "ann", " ", 1), ("muted", "ann", "known", -1), ("acknowledged", " ", "", 0)],
)
def test_marks_without_what_they_need_are_refused(store: Store, state: str, owner: str, reason: str, until: int) -> None:
    with pytest.raises(DefinitionError):
        marks.say(store, opened().to_json(), state, owner, reason, NOW, NOW + timedelta(days=until))


def told_of(store: Store) -> list[str]:
    """What the pager is told, in order."""
    return [str(row["kind"]) for row in reversed(outbox.notifications(store))]


def test_nothing_is_sent_of_what_is_muted_until_the_mute_ends(store: Store) -> None:
    def act() -> None:
        analyst, late = Analyst(store), timedelta()
        desk = Desk(store, ALERTS, clock=lambda: datetime.now(UTC) + late)
        desk.begin()
        analyst.runner._tell = lambda told: (analyst.told.extend(told), desk.hear(told), desk.work())
        analyst.look(story())
        (finding,) = analyst.open("authority_outside_grant")
        assert told_of(store) == ["opened"]
        now = datetime.now(UTC)
        marks.say(store, finding.to_json(), "muted", "ann", "known", now, now + timedelta(hours=1))
        assert kinds(analyst.runner.heed_once()) == ["muted"] and analyst.runner.heed_once() == []
        analyst.look(story("two", "1h"))
        (finding,) = analyst.open("authority_outside_grant")
        shown = get_finding(store, finding.id)
        assert shown and (finding.state, finding.count, shown["mark"]["reason"]) == ("muted", 2, "known")
        second = Analyst(store)
        assert [f.state for f in second.open("authority_outside_grant")] == ["muted"], "also after a restart"
        late = timedelta(hours=2)
        assert kinds(analyst.runner.heed_once(now + late)) == ["unmarked"]
        assert told_of(store) == ["opened"]
        assert [t["kind"] for t in transitions(store, finding.id)][:2] == ["opened", "muted"]

    in_worker(act)


def test_what_was_opened_under_a_mute_is_told_when_it_ends(store: Store) -> None:
    def act() -> None:
        analyst, late = Analyst(store), timedelta()
        desk = Desk(store, ALERTS, clock=lambda: datetime.now(UTC) + late)
        desk.begin()
        analyst.runner._tell = lambda told: (desk.hear(told), desk.work())
        analyst.look(story())
        (finding,) = analyst.open("authority_outside_grant")
        now = datetime.now(UTC)
        marks.say(store, finding.to_json(), "resolved", "ann", "paid back", now)
        assert kinds(analyst.runner.heed_once()) == ["resolved"] and analyst.open("authority_outside_grant") == []
        assert told_of(store) == ["opened", "resolved"]
        analyst.runner.heed_once()
        marks.say(store, finding.to_json(), "muted", "ann", "known", datetime.now(UTC), now + timedelta(hours=1))
        analyst.runner.heed_once()
        analyst.look(story("two", "1h"))
        (again,) = analyst.open("authority_outside_grant")
        assert (again.id, again.state, again.count) == (finding.id, "muted", 2)
        assert told_of(store) == ["opened", "resolved"]
        late = timedelta(hours=2)
        analyst.runner.heed_once(now + late)
        assert told_of(store) == ["opened", "resolved", "reopened"]

    in_worker(act)
