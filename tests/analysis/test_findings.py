"""The life of a finding: opened, updated, escalated, retracted, resolved, opened again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.make import BASE

from actorscope.analysis.detectors import delegation_cycle, reexecution_duplicate_write
from actorscope.analysis.finding import EVIDENCE_LIMIT, Evidence, Signal, weakest
from actorscope.analysis.findings import Change, Known, apply, transition

DETECTOR = delegation_cycle.DETECTOR
NOW = BASE + timedelta(hours=1)


def signal(trace: str = "t1", severity: str = "medium", minute: int = 0, subject: str = "desk/ann") -> Signal:
    return Signal(
        rule="D1a", severity=severity, confidence=0.87654, title=f"{severity} in {trace}", subject_id=subject,
        subject_name="ann", scope=("x",), trace_id=trace, span_id="s", at=BASE + timedelta(minutes=minute),
        evidence=(Evidence(trace, "s", "returns", "because"),), baseline={}, counterfactual="", impact={}, basis="derived",
    )  # fmt: skip


class Ledger:
    """What `apply` is told about the past, kept as the store keeps it."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.past: dict[str, Known] = {}

    def see(self, *signals: Signal, touched: str = "", hours: float = 0, who: str = "desk/ann", days: int = 0) -> list[Change]:
        """A pass over the traces of the signals and those of `touched`, `days` after NOW; the clock of `who` stands at `hours`."""
        traces = {s.trace_id for s in signals} | set(touched.split())
        known = {
            print_: Known(k.finding, {p: v for p, v in k.places.items() if p[0] in traces})
            for print_, k in self.known.items()
        }
        now = NOW + timedelta(days=days)
        changes = apply(DETECTOR, signals, known, traces, now, {who: BASE + timedelta(hours=hours)}, self.past)
        for change in changes:
            mine = self.known.setdefault(change.finding.fingerprint, Known(change.finding))
            mine.finding = change.finding
            mine.places |= {place: severity for place, (_, severity) in change.seen.items()}
            for place in change.retracted:
                del mine.places[place]
            if change.kind == "resolved":
                self.past[change.finding.fingerprint] = self.known.pop(change.finding.fingerprint)
        return changes


def kinds(changes: list[Change]) -> list[str]:
    return [change.kind for change in changes]


def test_a_first_signal_opens_a_finding_that_wears_it() -> None:
    (change,) = Ledger().see(signal())
    finding = change.finding
    assert (change.kind, finding.state, finding.count, finding.severity) == ("opened", "open", 1, "medium")
    assert finding.subject == {"id": "desk/ann", "name": "ann"}
    assert finding.confidence == 0.877
    assert finding.evidence == [{"trace_id": "t1", "span_id": "s", "role": "returns", "why": "because"}]
    assert finding.opened_at == NOW and finding.first_evidence_at == BASE
    assert finding.next_step == DETECTOR.next_step


def test_the_same_thing_wrong_is_counted_once_a_place_and_the_gravest_speaks() -> None:
    (change,) = Ledger().see(
        signal("t1", "medium"), signal("t2", "high", 1), signal("t3", "medium", 2), signal("t3", "medium", 2)
    )
    assert (change.finding.count, change.finding.title) == (3, "high in t2")
    assert change.finding.last_evidence_at == BASE + timedelta(minutes=2)


def test_the_order_of_passes_does_not_say_who_speaks_or_what_it_is_called() -> None:
    late, early = Ledger(), Ledger()
    for trace, minute in (("t2", 1), ("t1", 0)):
        (last,) = late.see(signal(trace, minute=minute))
    for trace, minute in (("t1", 0), ("t2", 1)):
        (first,) = early.see(signal(trace, minute=minute))
    assert last.finding == replace(first.finding, opened_at=last.finding.opened_at)
    assert last.finding.title == "medium in t2"


def test_another_place_speaks_when_the_one_that_spoke_is_gone_or_milder() -> None:
    ledger = Ledger()
    ledger.see(signal("t1"), signal("t2", "high"))
    (gone,) = ledger.see(touched="t2")
    assert gone.is_milder and gone.finding.severity == "high", "nobody knows yet what stands elsewhere"
    (told,) = ledger.see(signal("t1"))
    assert (told.finding.severity, told.finding.title, told.is_milder) == ("medium", "medium in t1", False)


def test_a_place_that_says_something_else_now_is_told_anew() -> None:
    ledger = Ledger()
    ledger.see(signal())
    (change,) = ledger.see(replace(signal(), baseline={"runs": 9}))
    assert (change.kind, change.finding.baseline, change.seen) == ("updated", {"runs": 9}, {})
    assert ledger.see(replace(signal(), baseline={"runs": 9})) == []


def test_subjects_and_scopes_make_findings_of_their_own() -> None:
    other = replace(signal(), scope=("y",))
    changes = Ledger().see(signal(), signal(subject="desk/bob"), other)
    assert len({change.finding.id for change in changes}) == 3


def test_ids_follow_from_the_input_alone() -> None:
    first, second = (Ledger().see(signal("t2", minute=5), signal("t1"))[0].finding.id for _ in range(2))
    assert first == second
    assert first == Ledger().see(signal("t1"), signal("t2", minute=5))[0].finding.id
    assert first.startswith("fnd_") and len(first) == 28


def test_more_of_the_same_updates_without_telling_anybody_a_new_severity() -> None:
    ledger = Ledger()
    opened = ledger.see(signal("t1"))[0].finding
    (change,) = ledger.see(signal("t2", minute=9))
    assert (change.kind, change.finding.id, change.finding.count) == ("updated", opened.id, 2)
    assert change.finding.title == "medium in t2"
    (change,) = ledger.see(signal("t3", "low", minute=10))
    assert (change.kind, change.finding.severity, change.finding.count) == ("opened", "low", 1), "context is apart from alerts"


def test_seeing_it_again_changes_nothing() -> None:
    ledger = Ledger()
    ledger.see(signal())
    assert ledger.see(signal()) == []
    assert ledger.see(touched="t9") == []


def test_something_graver_escalates() -> None:
    ledger = Ledger()
    ledger.see(signal("t1", "medium"))
    (change,) = ledger.see(signal("t2", "high", 1))
    assert (change.kind, change.finding.severity, change.finding.count) == ("escalated", "high", 2)
    assert transition(change)["id"] == f"{change.finding.id}-escalated-high"
    ledger.see(signal("t1", "medium"))
    (change,) = ledger.see(signal("t1", "critical"))
    assert (change.kind, change.finding.count) == ("escalated", 2), "the same place may turn out graver"


def test_an_earlier_place_that_arrives_late_moves_the_first_evidence() -> None:
    ledger = Ledger()
    opened = ledger.see(signal("t2", minute=5))[0].finding
    (change,) = ledger.see(signal("t1", minute=1))
    assert (change.finding.first_evidence_at, change.finding.id) == (BASE + timedelta(minutes=1), opened.id)
    assert change.finding.last_evidence_at == BASE + timedelta(minutes=5)


def test_a_place_that_is_not_signalled_any_more_is_retracted() -> None:
    ledger = Ledger()
    ledger.see(signal("t1"), signal("t2", minute=1))
    (change,) = ledger.see(touched="t1")
    assert (change.kind, change.finding.count, change.retracted) == ("updated", 1, [("t1", "s")])


def test_a_finding_without_places_is_resolved_and_says_why() -> None:
    ledger = Ledger()
    ledger.see(signal())
    (change,) = ledger.see(touched="t1")
    assert (change.kind, change.finding.state, change.finding.count) == ("resolved", "resolved", 0)
    assert "ground" in change.finding.resolution
    assert transition(change)["id"].endswith("-resolved")


def test_what_is_left_is_as_grave_as_it_is() -> None:
    ledger = Ledger()
    ledger.see(signal("t1", "high"))
    (change,) = ledger.see(signal("t1", "medium"))
    assert (change.kind, change.finding.severity, change.finding.title) == ("updated", "medium", "medium in t1")
    assert sorted(kinds(ledger.see(signal("t1", "info")))) == ["opened", "resolved"], "no alert any more, only context"


@pytest.mark.parametrize(("hours", "expected"), [(23.9, []), (24.1, ["resolved"])])
def test_a_quiet_finding_is_resolved_by_event_time(hours: float, expected: list[str]) -> None:
    ledger = Ledger()
    ledger.see(signal())
    assert kinds(ledger.see(touched="elsewhere", hours=hours)) == expected


def test_the_clock_of_another_actor_resolves_nothing() -> None:
    ledger = Ledger()
    ledger.see(signal())
    assert kinds(ledger.see(touched="elsewhere", hours=1000, who="desk/bob")) == []


def test_an_actor_that_is_gone_is_quiet_by_the_wall_clock() -> None:
    known = {"p": Known(Ledger().see(signal())[0].finding)}
    assert apply(DETECTOR, [], known, set(), NOW + timedelta(hours=23), {}) == []
    assert kinds(apply(DETECTOR, [], known, set(), NOW + timedelta(hours=24), {})) == ["resolved"]


def test_what_comes_back_after_it_was_resolved_is_a_finding_of_its_own() -> None:
    ledger = Ledger()
    first = ledger.see(signal())[0].finding
    ledger.see(touched="elsewhere", hours=30)
    (change,) = ledger.see(signal("t5", minute=60 * 40), hours=40, days=2)
    assert (change.kind, change.finding.follows) == ("opened", first.id)
    assert (change.finding.fingerprint, change.finding.id != first.id) == (first.fingerprint, True)


def test_the_same_place_opens_the_same_finding_again() -> None:
    ledger = Ledger()
    first = ledger.see(signal())[0].finding
    ledger.see(touched="t1")
    (change,) = ledger.see(signal())
    assert (change.kind, change.finding.id, change.finding.state) == ("reopened", first.id, "open")


def test_duplicate_writes_stay_open_until_somebody_closes_them() -> None:
    known = {"p": Known(Ledger().see(signal())[0].finding)}
    long_after = BASE + timedelta(days=1000)
    assert apply(reexecution_duplicate_write.DETECTOR, [], known, set(), long_after, {"desk/ann": long_after}) == []


def test_evidence_is_cut_to_what_people_read() -> None:
    many = tuple(Evidence("t1", f"s{i}", "r", "w") for i in range(50))
    (change,) = Ledger().see(replace(signal(), evidence=many))
    assert len(change.finding.evidence) == EVIDENCE_LIMIT


def test_a_claim_is_as_good_as_its_weakest_ground() -> None:
    assert weakest("declared", "derived") == "derived"
    assert weakest("declared", None) == weakest("unheard of") == weakest() == "inferred"


def test_the_json_of_a_finding_is_that_of_the_contract() -> None:
    told = transition(Ledger().see(signal())[0])
    body = told["finding"]
    assert body["opened_at"].endswith("Z")
    promised = (
        "id detector family rule severity confidence state title subject opened_at updated_at first_evidence_at count evidence "
        "occurrences baseline counterfactual impact basis caveats fingerprint"
    )
    assert set(promised.split()) <= set(body)
