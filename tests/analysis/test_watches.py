"""What watches Actorscope itself: silence, drops and lag, when they are there and only then."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.conftest import ROOT
from tests.ingest import otlp

from actorscope.analysis.alerts import outbox
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.plan import Told
from actorscope.analysis.alerts.verdict import Verdict
from actorscope.analysis.finding import Signal
from actorscope.analysis.runner import Runner
from actorscope.analysis.watches import (
    WATCHES,
    system_data_dropped,
    system_deliveries_failing,
    system_ingest_lag,
    system_intake_stopped,
    system_source_silent,
)
from actorscope.ingest.counters import Counters
from actorscope.ingest.reporter import Reporter
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import span_rows
from actorscope.settings import AnalysisSettings

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_HEADINGS = ("What it finds.", "Why it matters.", "Evidence and basis.", "What it cannot know.", "False positives.", "Next step.")


@pytest.mark.parametrize("watch", WATCHES, ids=lambda w: w.id)
def test_every_watch_explains_itself(watch: Any) -> None:
    path = ROOT / "analysis" / "watches" / f"{watch.id}.py"
    text = ast.get_docstring(ast.parse(path.read_text()), clean=False) or ""
    places = [text.find(f"\n**{heading}** ") for heading in _HEADINGS]
    assert places == sorted(places) and places[0] > 0 and watch.explanation == text
    assert watch.family in ("system", "delegation", "authority") and watch.id.startswith(f"{watch.family}_")
    assert sorted(p.stem for p in path.parent.glob("[!_]*.py")) == sorted(w.id for w in WATCHES)


def _silence(slots: Iterable[int], *, since_hours: float = 48, **config: float) -> list[Signal]:
    """The signals for a service with spans in these slots, counted back from now in minutes."""
    times = [NOW - timedelta(minutes=m) for m in slots]
    sources = pl.DataFrame({"service_name": ["desk"], "slots": [times], "last_at": [max(times)], "trace_id": ["ab" * 16]})
    clock = pl.DataFrame({"now": [NOW], "since": [NOW - timedelta(hours=since_hours)]})
    given = system_source_silent.Config(**config)  # type: ignore[arg-type]
    return system_source_silent.detect({"sources": sources, "clock": clock}, given)


def test_a_regular_service_that_stops_is_missed() -> None:
    (signal,) = _silence(range(45, 600, 5))
    assert signal.title == "desk has sent nothing for 40 minutes"
    assert signal.evidence[0].trace_id == "ab" * 16 and signal.evidence[0].role.startswith("context")
    assert signal.baseline["threshold_minutes"] == 30


@pytest.mark.parametrize(
    ("slots", "since_hours"),
    [
        (range(5, 600, 5), 48),  # it sends
        (range(30, 600, 5), 48),  # not yet long enough
        (range(45, 150, 5), 48),  # too few slots to be missed
        ([*range(45, 300, 5), *range(340, 600, 5)], 48),  # it pauses for as long now and then
        (range(600, 1200, 5), 0.4),  # we have watched for minutes only
    ],
)
def test_other_pauses_are_no_silence(slots: Iterable[int], since_hours: float) -> None:
    assert _silence(slots, since_hours=since_hours) == []


def _report(minute: float, started: float = -600, lag: float = 0, spool: int = 0, **counts: int) -> dict[str, Any]:
    return {
        "ingester": "i1", "at": NOW + minute * _MINUTE, "started_at": NOW + started * _MINUTE, "lag_seconds": float(lag),
        "spool_bytes": spool, "spool_limit": 1000,
        "counts": [{"key": key.replace("__", "."), "value": value} for key, value in counts.items()],
    }  # fmt: skip


_SCHEMA = {"counts": pl.List(pl.Struct({"key": pl.String(), "value": pl.UInt64()}))}


def _judge(watch: Any, *reports: dict[str, Any]) -> list[Signal]:
    frame = pl.DataFrame(list(reports), schema_overrides=_SCHEMA)
    clock = pl.DataFrame({"now": [NOW], "since": [NOW], "window_start": [NOW - 60 * _MINUTE]})
    found: list[Signal] = watch.detect({"reports": frame, "clock": clock}, watch.Config())
    return found


def test_drops_are_said_with_their_number_and_reason_across_restarts() -> None:
    signals = _judge(
        system_data_dropped,
        _report(-50, rejected__invalid_trace_id=5, attributes_cut=7),
        _report(-20, rejected__invalid_trace_id=9, attributes_cut=8, requests_quarantined=1),
        _report(-5, -10, rejected__invalid_trace_id=2),
    )
    assert {(s.scope[0], s.severity, s.impact["dropped"]) for s in signals} == {
        ("rejected.invalid_trace_id", "medium", 6), ("attributes_cut", "low", 1), ("requests_quarantined", "high", 1)
    }  # fmt: skip
    assert "6 dropped within an hour (rejected: invalid trace id)" in {s.title for s in signals}


@pytest.mark.parametrize(
    "reports",
    [
        [_report(-50, rejected__invalid_trace_id=5), _report(-5, rejected__invalid_trace_id=5)],  # it was before
        [_report(-50), _report(-5, refused__no_room=9, refused__throttled=3, rejected__metrics_are_not_kept=8)],  # come again
        [_report(-50), _report(-5, spans_accepted=9, contents_masked=3, values_redacted=4)],  # as the operator wants
    ],
)
def test_what_is_no_drop_is_not_said(reports: list[dict[str, Any]]) -> None:
    assert _judge(system_data_dropped, *reports) == []


def test_lag_is_said_when_it_grows_and_a_full_log_always() -> None:
    growing = _judge(system_ingest_lag, _report(-2, lag=30), _report(-1, lag=90))
    assert [s.severity for s in growing] == ["medium"]
    assert [s.severity for s in _judge(system_ingest_lag, _report(-1, lag=5, spool=850))] == ["high"]
    assert [s.severity for s in _judge(system_ingest_lag, _report(-2, lag=900), _report(-1, lag=700))] == ["high"]
    assert _judge(system_ingest_lag, _report(-2, lag=200), _report(-1, lag=90)) == [], "it catches up"
    assert _judge(system_ingest_lag, _report(-30, lag=900), _report(-1, lag=1)) == [], "it was before"


def test_a_drop_becomes_a_finding_once_and_ends_when_it_is_over(store: Store, tmp_path: Path) -> None:
    def live() -> None:
        counters = Counters()
        reporter = Reporter(store, "i1", counters, 1000)
        reporter.report()
        counters.add(spans_rejected=3)
        counters.reason("rejected", "invalid_span_id", 3)
        reporter.report()
        told: list[dict[str, Any]] = []
        runner = Runner(store, AnalysisSettings(), told.extend)  # type: ignore[call-arg]
        assert [(c.kind, c.finding.detector) for c in runner.watch_once()] == [("opened", "system_data_dropped")]
        assert runner.watch_once() == []
        assert Runner(store, AnalysisSettings()).watch_once() == [], "another process knows it"  # type: ignore[call-arg]
        (over,) = runner.watch_once(datetime.now(UTC) + timedelta(hours=3))
        assert (over.kind, over.finding.state) == ("resolved", "resolved")
        assert [t["kind"] for t in told] == ["opened", "resolved"]

    in_worker(live)


def _sent(store: Store, now: datetime, minutes: Iterable[int]) -> None:
    """Spans of `desk` that arrived so many minutes ago."""
    for number, ago in enumerate(minutes, 1):
        at = int((now - ago * _MINUTE).timestamp() * 1e9)
        span = otlp.span(number, start_time_unix_nano=at, end_time_unix_nano=at + 1, trace=number)
        record = replace(record_of("traces", otlp.traces(span, service="desk")), received_at=at)
        store.insert("span_rows", span_rows("i", number, [record]))


def test_a_silent_source_is_found_in_the_store_and_over_when_it_sends_again(store: Store) -> None:
    def live() -> None:
        now = datetime.now(UTC)
        _sent(store, now, range(50, 200, 5))
        runner = Runner(store, AnalysisSettings())  # type: ignore[call-arg]
        runner._began = now - timedelta(hours=9)
        (opened,) = runner.watch_once(now)
        assert (opened.kind, opened.finding.subject["id"]) == ("opened", "source/desk")
        assert runner.watch_once(now) == []
        _sent(store, now, [1])
        (over,) = runner.watch_once(now)
        assert over.kind == "resolved"

    in_worker(live)


def _intake(*reports: dict[str, Any], since_minutes: float = 600) -> list[tuple[str, str]]:
    frame = pl.DataFrame(list(reports), schema_overrides=_SCHEMA)
    clock = pl.DataFrame({"now": [NOW], "since": [NOW - since_minutes * _MINUTE]})
    found = system_intake_stopped.detect({"reports": frame, "clock": clock}, system_intake_stopped.Config())
    return [(signal.baseline["verdict"], signal.severity) for signal in found]


def test_an_ingester_that_stops_reporting_or_taking_spans_is_missed() -> None:
    gone = [_report(-minute, spans_accepted=1000 - minute) for minute in range(20, 7, -1)]
    assert _intake(*gone) == [("gone", "high")]
    assert _intake(*gone, since_minutes=3) == [], "we ourselves are up for three minutes only"
    assert _intake(gone[0]) == [], "one report is no habit"
    idle = [_report(-minute, spans_accepted=1000 - max(minute, 30)) for minute in range(55, 0, -1)]
    assert _intake(*idle) == [("idle", "medium")]
    at_work = [_report(-minute, spans_accepted=1000 - minute) for minute in range(55, 0, -1)]
    assert _intake(*at_work) == []
    now_and_then = [_report(-minute, spans_accepted=1000 - max(minute // 12, 2)) for minute in range(55, 0, -1)]
    assert _intake(*now_and_then) == [], "it always took few"


def _target(pending: int = 0, dead: int = 0, failing: float | None = None, delivered: float | None = None) -> list[Signal]:
    ever = datetime(1970, 1, 1, tzinfo=UTC)
    row = {
        "subscriber": "pager", "pending": pending, "dead": dead, "dead_lately": dead, "last_error": "answered 500",
        "failing_since": NOW - failing * _MINUTE if failing is not None else ever,
        "delivered_at": NOW - delivered * _MINUTE if delivered is not None else ever,
    }  # fmt: skip
    frames = {"deliveries": pl.DataFrame([row]), "clock": pl.DataFrame({"now": [NOW]})}
    return system_deliveries_failing.detect(frames, system_deliveries_failing.Config())


def test_a_target_that_is_not_reached_is_said() -> None:
    (signal,) = _target(pending=3, failing=12)
    assert (signal.severity, signal.title) == ("high", "Alert target pager is not reached: 3 wait, the oldest for 12 minutes")
    assert [s.severity for s in _target(dead=2)] == ["medium"]
    assert _target() == [] and _target(pending=1, failing=5) == []
    assert _target(pending=1, failing=12, delivered=1) == [], "others get through: it is that one notification"


def test_deliveries_that_fail_become_a_finding_that_ends_when_they_go_through(store: Store) -> None:
    def live() -> None:
        now = datetime.now(UTC)
        row = outbox.first("pager", "n1", "opened", "fnd", "g", "{}", Told("opened", now - 20 * _MINUTE, "high", {}), True)
        outbox.write(store, [row])
        row = outbox.record(store, row, Attempt(now, 500, 1, "answered 500"), Verdict("pending", now))
        runner = Runner(store, AnalysisSettings())  # type: ignore[call-arg]
        (opened,) = runner.watch_once(now)
        assert (opened.finding.detector, opened.finding.severity) == ("system_deliveries_failing", "high")
        outbox.record(store, row, Attempt(now, 204, 1), Verdict("delivered", now))
        (over,) = runner.watch_once(now)
        assert over.kind == "resolved"

    in_worker(live)
