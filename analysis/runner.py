"""When to think, about what, and that one broken detector stops no other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.analysis import budgets, frames, hindsight, ledger, marks, spends, watch
from actorscope.analysis.arrivals import ARRIVAL, Arrivals
from actorscope.analysis.detector import Detector
from actorscope.analysis.extensions import every_detector
from actorscope.analysis.finding import Finding, Signal
from actorscope.analysis.findings import Change, Known, apply
from actorscope.analysis.jury import Jury
from actorscope.analysis.keeping import keep
from actorscope.analysis.lookout import Lookout
from actorscope.analysis.revocations import Revoked
from actorscope.analysis.roots import roots
from actorscope.analysis.shelf import Shelf
from actorscope.analysis.system import FAILURE
from actorscope.analysis.watch import utc_now
from actorscope.analysis.watches import HOLDINGS, OURSELVES, STANDSTILL, WATCHES, delegation_deadlock
from actorscope.errors import ActorscopeError, DefinitionError, Problem
from actorscope.ingest.store.client import Store
from actorscope.settings import AnalysisSettings

log = logging.getLogger(__name__)
_PATIENCE_SECONDS = 60.0
"""How long a trace waits for spans above those that came; children are exported before their parents."""
_MOST_WAITING = 100_000
_PASS_SECONDS = 0.5
"""Passes that keep up begin no more often than this: each costs something, however little is new."""


@dataclass(frozen=True)
class Pass:
    """What one look at new data did."""

    spans: int = 0
    traces: int = 0
    changes: int = 0
    seconds: float = 0.0


class Runner:
    """Looks at spans in the order in which they were kept; each new span is taken once.

    `tell` gets the transitions of findings (see `findings.transition`) before the findings are saved, and must
    tolerate hearing the same transition again. `detectors` are our own and those of installed packages unless given.
    `fingerprint` is that of the intake where it keeps no content (`policy.fingerprint_of`).
    Raises DefinitionError on wrong thresholds, and on packages whose detectors cannot be used.
    """

    def __init__(
        self,
        store: Store,
        settings: AnalysisSettings,
        tell: Callable[[list[dict[str, Any]]], object] = lambda told: None,
        detectors: Sequence[Detector] | None = None,
        fingerprint: Callable[[str], str] | None = None,
    ) -> None:
        self._store = store
        self._fingerprint = fingerprint
        self._settings = settings
        self._tell = tell
        self._detectors = tuple(every_detector() if detectors is None else detectors)
        self._configs = configure(settings.detectors, self._detectors)
        self._open: dict[tuple[str, str], Finding] | None = None
        self._shelf = Shelf(store)
        self._arrivals = Arrivals(store, settings.batch_spans)
        self._marks: dict[tuple[str, str], marks.Mark] = {}
        self.jury = Jury(self._detectors, self._configs)
        self._budgets = budgets.Budgets(store, settings.budgets)
        self._waiting: dict[str, tuple[float, datetime]] = {}
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="analysis")
        self._began, self._watched_at = utc_now(), time.monotonic()
        self._lookout, self._looked_out_at = Lookout(store), 0.0
        self._audited_at = -watch.HOLDINGS_SECONDS
        self._revoked = Revoked(store, self._began)
        self.lag_seconds = 0.0
        self.spans_done = 0
        self.rows_seen = 0
        self.complete_at: datetime | None = None
        """The last moment at which everything in the store was judged and no trace waited for more."""

    @property
    def traces_waiting(self) -> int:
        """Traces that are judged again when what is above them came, or did not come in time."""
        return len(self._waiting)

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Look now: something new is in the store. From any thread."""
        self._wake.set()

    def stop(self) -> None:
        """End after the pass that is running."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def run_to_end(self, progress: Callable[[Pass], None] = lambda done: None) -> Pass:
        """Pass until nothing new is left; returns the sum."""
        total = Pass()
        self.heed_once()
        while (done := self.run_once()).traces or (self._waiting and (done := self.run_once(at_end=True)).traces):
            total = Pass(
                total.spans + done.spans,
                total.traces + done.traces,
                total.changes + done.changes,
                total.seconds + done.seconds,
            )
            progress(total)
        self.jury.note(self._store, utc_now())
        return total

    def _loop(self) -> None:
        while not self._stop.is_set():
            try:
                if time.monotonic() - self._watched_at >= watch.EVERY_SECONDS:
                    self.watch_once()
                self._look_out()
                if time.monotonic() - self._audited_at >= watch.HOLDINGS_SECONDS:
                    self.audit_once()
                self.heed_once()
                done = self.run_once()
                if done.traces:
                    log.debug("analysed %d spans of %d traces in %.2f s", done.spans, done.traces, done.seconds)
                    self._stop.wait(self._pause(done))
                    continue
                self._tidy()
            except ActorscopeError as error:
                log.warning("analysis waits: %s", error)
                self._forget()
            except Exception:
                log.exception("a pass of analysis failed and is repeated")
                self._forget()
                self._stop.wait(5)
            self._wake.wait(self._settings.interval_seconds)
            self._wake.clear()

    def _pause(self, done: Pass) -> float:
        """Of a runner that is behind half of the time is for others: intake comes first, and larger passes cost less."""
        is_behind = done.spans >= self._settings.batch_spans
        return min(done.seconds, 2.0) if is_behind else max(_PASS_SECONDS - done.seconds, 0.02)

    def _forget(self) -> None:
        """Something was cut short: what is in the store counts."""
        self._open, self._shelf = None, Shelf(self._store)
        self._arrivals = Arrivals(self._store, self._settings.batch_spans)

    def watch_once(self, now: datetime | None = None) -> list[Change]:
        """Let the watches look at senders and ingesters."""
        self._watched_at = time.monotonic()
        at = now or utc_now()
        self._opened()
        self.jury.note(self._store, at)
        return self._apply(OURSELVES, watch.look(self._store, self._configs, self._began, at), at)

    def audit_once(self, now: datetime | None = None) -> list[Change]:
        """Let the watches look at what actors hold."""
        self._audited_at = time.monotonic()
        at = now or utc_now()
        return self._apply(HOLDINGS, watch.held(self._store, self._configs, at), at)

    def heed_once(self, now: datetime | None = None) -> list[Change]:
        """Do what people said of findings since the last look, and let go of mutes that have ended."""
        opened, self._marks = self._opened(), marks.read(self._store)
        changes = marks.heed(opened, self._marks, now or utc_now()) if self._marks else []
        return self._save(changes, time.time_ns()) if changes else []

    def _opened(self) -> dict[tuple[str, str], Finding]:
        """The open findings, read with the marks when they are not known: at first, and after something failed."""
        if self._open is None:
            self._open = ledger.open_findings(self._store)
            self._marks = marks.read(self._store)
        return self._open

    def _look_out(self) -> None:
        """Look at what stands still when it is time to; what fails there keeps nothing else from going on."""
        if time.monotonic() - self._looked_out_at < watch.STANDSTILL_SECONDS:
            return
        try:
            self.look_out_once()
        except Exception:
            log.exception("a look at what stands still failed and is repeated")
            self._open = None

    def look_out_once(self, now: datetime | None = None) -> list[Change]:
        """Look at what stands still: waits that have not ended."""
        self._looked_out_at = time.monotonic()
        at = now or utc_now()
        opened = [finding for (name, _), finding in self._opened().items() if name == delegation_deadlock.DETECTOR.id]
        frames = self._lookout.look(at, opened)
        return self._apply(STANDSTILL, watch.judged(STANDSTILL, frames, self._configs), at)

    def _apply(self, watches: tuple[Detector, ...], found: Mapping[str, list[Signal]], at: datetime) -> list[Change]:
        """Each look judges anew everything that is open: what is not seen any more is over."""
        opened = self._opened()
        changes: list[Change] = []
        for detector in watches:
            mine = [finding for (name, _), finding in opened.items() if name == detector.id]
            if not mine and not found[detector.id]:
                continue
            traces = sorted({"", *(evidence["trace_id"] for finding in mine for evidence in finding.evidence)})
            seen = ledger.places(self._store, traces)
            known, past = ledger.known(detector.id, opened, seen), self._past({detector.id: found[detector.id]}, seen)
            changes += apply(detector, found[detector.id], known, set(traces), at, {}, past)
        return self._save(changes, time.time_ns())

    def run_once(self, at_end: bool = False) -> Pass:
        """One pass over what is new, at most `batch_spans`, and over traces that waited long enough for what is above
        them (all of them `at_end`); an empty Pass when there is neither.
        """
        try:
            return self._run_once(at_end)
        except BaseException:
            self._forget()
            raise

    def _run_once(self, at_end: bool) -> Pass:
        began, looked_at = time.monotonic(), utc_now()
        new, marks = self._arrivals.new()
        overdue = self._overdue(at_end)
        arrivals = pl.concat([new.select("trace_id", "start_time"), overdue, self._revoked.traces()])
        if arrivals.is_empty():
            self.lag_seconds = 0.0
            if not self._waiting:
                self.complete_at = min(looked_at, self._lookout.sure_at or looked_at)
            return Pass()
        if new.height:
            oldest = new.select(pl.col("received_at").min()).item()
            self.lag_seconds = max(0.0, (datetime.now(UTC) - oldest).total_seconds())
        version = time.time_ns()
        spans = frames.read(self._store, arrivals)
        # What is only read beside the new traces was judged before, unless it still waits.
        beside = set(spans["trace_id"]) - set(arrivals["trace_id"]) - self._waiting.keys()
        touched = frames.touch(spans, frozenset({*overdue["trace_id"], *beside}))
        self._remember_unsettled(
            touched.steps.filter(pl.col("trace_id").is_in(arrivals["trace_id"].unique().implode()))
        )
        steps, started_by_others = spends.carried(self._store, touched.steps, touched.below)
        touched = replace(touched, steps=steps)
        before = keep(self._store, touched, version)
        offered = frames.fill(self._shelf, touched, before, version, self._fingerprint, self._budgets)
        self._shelf.flush()
        changes = self._judge(offered, touched.steps, arrivals, before["trace_id"], version)
        self._look_again_at(frames.later_repetitions(touched, offered))
        self._look_again_at(pl.concat([offered["again"].select("trace_id", "start_time"), started_by_others]))
        standing = self._standing(offered["revised"])
        self._look_again_at(standing.join(touched.steps.select("trace_id").unique(), on="trace_id", how="anti"))
        self._arrivals.dealt_with(marks)
        taken = new.filter(pl.col("is_log").not_()).height
        self.spans_done += taken
        self.rows_seen += touched.steps.height
        return Pass(taken, touched.steps["trace_id"].n_unique(), len(changes), time.monotonic() - began)

    def _overdue(self, at_end: bool) -> pl.DataFrame:
        """Traces whose missing top did not come in time; they are judged as they are, once."""
        now = time.monotonic()
        due = [
            (trace, start)
            for trace, (since, start) in self._waiting.items()
            if at_end or now - since >= _PATIENCE_SECONDS
        ]
        for trace, _ in due:
            del self._waiting[trace]
        return pl.DataFrame(due, schema={"trace_id": pl.String, "start_time": ARRIVAL["start_time"]}, orient="row")

    def _look_again_at(self, traces: pl.DataFrame) -> None:
        """Judge these traces in the next pass: what came now may be what they repeated."""
        for trace, start in traces.select("trace_id", "start_time").iter_rows():
            self._waiting[trace] = (-_PATIENCE_SECONDS, start)

    def _standing(self, revised: pl.DataFrame) -> pl.DataFrame:
        """Where open findings were seen after something else became usual for their subject (`trace_id`, `start_time`)."""
        if revised.is_empty():
            return revised.select(trace_id=pl.lit(""), start_time="since")
        asked = {d.id for d in self._detectors if hindsight.FRAMES & d.needs.keys()}
        return ledger.seen_since(self._store, [f for f in self._opened().values() if f.detector in asked], revised)

    def _remember_unsettled(self, steps: pl.DataFrame) -> None:
        """Note the traces of agents in which something above is still missing, and forget those that are whole now."""
        told = steps.filter((pl.col("role") != "") | pl.col("actor_id").is_not_null()).group_by("trace_id")
        whole = told.agg(pl.col("is_settled").all(), pl.col("start_time").min())
        for trace, is_settled, start in whole.iter_rows():
            if is_settled:
                self._waiting.pop(trace, None)
            elif len(self._waiting) < _MOST_WAITING:
                self._waiting.setdefault(trace, (time.monotonic(), start))

    def _judge(
        self, offered: Mapping[str, pl.DataFrame], steps: pl.DataFrame, arrivals: pl.DataFrame, before: pl.Series, version: int
    ) -> list[Change]:
        """`before` has the traces that were looked at before: in the others nothing was found yet."""
        opened, now = self._opened(), datetime.now(UTC)
        clocks = _clocks(steps, now)
        signals = self.jury.judge(offered, arrivals)
        # What is judged over a memory may be told of a trace that was not touched.
        told = {signal.trace_id for found in signals.values() for signal in found}
        traces, seen = set(steps["trace_id"]), ledger.places(self._store, sorted({*before, *told}))
        past = self._past(signals, seen)
        changes: list[Change] = []
        for detector in (*self._detectors, FAILURE):
            if detector.id in signals:
                known = ledger.known(detector.id, opened, seen)
                judged = set() if detector is FAILURE else traces
                changes += apply(detector, signals[detector.id], known, judged, now, clocks, past)
        return self._save(self._rooted(changes, seen), version)

    def _past(
        self, signals: Mapping[str, Sequence[Signal]], seen: dict[str, dict[tuple[str, str], str]]
    ) -> dict[str, Known]:
        """What was resolved and is seen again."""
        told = {(name, signal.fingerprint(name)) for name, found in signals.items() for signal in found}
        return ledger.past(self._store, (print_ for _, print_ in told - self._opened().keys()), seen)

    def _rooted(self, changes: list[Change], seen: Mapping[str, Mapping[tuple[str, str], str]]) -> list[Change]:
        """The changes with the root of each finding, and findings of which only the root has changed."""
        latest = {f.id: f for f in self._opened().values() if f.id in seen} | {c.finding.id: c.finding for c in changes}
        places = {id: set(seen.get(id, ())) for id in latest}
        for change in changes:
            places[change.finding.id] = places[change.finding.id] - set(change.retracted) | set(change.seen)
        found = roots(latest.values(), places, self._detectors)
        told = {change.finding.id for change in changes}
        for change in changes:
            change.finding = replace(change.finding, root=found.get(change.finding.id, change.finding.root))
        moved = [latest[id] for id, root in sorted(found.items()) if id not in told and latest[id].root != root]
        return [*changes, *(Change(replace(finding, root=found[finding.id]), "updated") for finding in moved)]

    def _save(self, changes: list[Change], version: int) -> list[Change]:
        """Write what changed, tell it, and remember what is open now."""
        opened = self._opened()
        for change in changes:
            mark = self._marks.get((change.finding.detector, change.finding.fingerprint))
            change.finding = marks.stated(change.finding, mark, change.finding.updated_at)
        told = ledger.save(self._store, changes, version)
        if told:
            self._tell(told)
        self._look_again_at(ledger.settle(self._store, changes))
        ledger.save_findings(self._store, changes, version)
        for change in changes:
            key = (change.finding.detector, change.finding.fingerprint)
            if change.finding.state == "resolved":
                opened.pop(key, None)
            else:
                opened[key] = change.finding
        return changes

    def _tidy(self) -> None:
        """Drop the days of `arrivals` that are dealt with."""
        for day in self._store.named("finished_days")["day"]:
            self._store.command(f"ALTER TABLE arrivals DROP PARTITION '{day}'")


def _clocks(steps: pl.DataFrame, now: datetime) -> dict[str, datetime]:
    """How far each actor has come in event time; nobody is ahead of now."""
    times = steps.filter(pl.col("actor_id").is_not_null()).group_by("actor_id").agg(pl.col("start_time").max())
    return {actor: min(at, now) for actor, at in times.iter_rows()}


def configure(
    given: Mapping[str, Mapping[str, Any]], detectors: Sequence[Detector] | None = None
) -> dict[str, Any]:
    """The configuration of every detector; raises DefinitionError with all that is wrong in the settings."""
    every = (*(every_detector() if detectors is None else detectors), *WATCHES)
    names = {detector.id for detector in every}
    problems = [
        Problem(f"setting analysis.detectors.{name}", "no such detector", f"known: {', '.join(sorted(names))}")
        for name in given
        if name not in names
    ]
    configs = {}
    for detector in every:
        configs[detector.id], wrong = detector.configure(given.get(detector.id, {}))
        problems += wrong
    if problems:
        raise DefinitionError(problems)
    return configs
