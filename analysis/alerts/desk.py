"""Turns what happens to findings into rows of the outbox, by the plan. Its memory is that of the store: any moment may be its last.

What was told stands in the outbox, what there is to tell in the findings; a new desk reads both and goes on. A row is
written before it counts as told, and its id follows from what it tells, so that writing it again is the same row.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from actorscope.analysis.alerts import outbox, routes, silences
from actorscope.analysis.alerts.event import notification
from actorscope.analysis.alerts.heard import PLACE, Heard, labels, rank
from actorscope.analysis.alerts.outbox import Group
from actorscope.analysis.alerts.plan import Step, Told, after, steps
from actorscope.analysis.alerts.silences import Silence
from actorscope.analysis.finding import SEVERITIES
from actorscope.ingest.redact import PRESETS, Redactor
from actorscope.ingest.store.client import Store
from actorscope.settings import AlertSettings, TargetSettings

log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
LONGEST_PAUSE = timedelta(seconds=5)
_STALE = timedelta(seconds=2)
_TIME = pl.Datetime("us", "UTC")
_CHUNK = 500
_SHOWN, _MOST = 20, 1000
_RISES = ("opened", "reopened", "escalated")
_SAY_NOTHING = ("still_open", "acknowledged")
"""Kinds that change nothing: where a target does not want them, they have not happened."""
_DAY = timedelta(days=1)


class Desk:
    """Hears what becomes of findings and writes what targets are to be told. `hear` may be called from any thread,
    everything else from one that may ask the store.
    """

    def __init__(
        self,
        store: Store,
        settings: AlertSettings,
        public_url: Callable[[], str] = lambda: "",
        redact_patterns: Iterable[str] = (),
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._settings, self._public_url, self._clock = store, settings, public_url, clock
        self.targets = settings.everybody
        self._redactor = Redactor((), tuple(redact_patterns), tuple(PRESETS))
        self._floor = min((rank(t.min_severity) for t in self.targets), default=len(SEVERITIES))
        self._since: dict[str, datetime] = {}
        self._told: dict[Group, Told] | None = None
        self._known: dict[str, Heard] = {}
        self._news: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self.wrote = False
        """Whether the last `work` wrote a row."""

    def begin(self) -> None:
        """Note from when on each target hears; before anything is judged."""
        known: dict[str, datetime] = dict(self._store.named("alert_targets").iter_rows())
        new = {target.name: self._clock() for target in self.targets if target.name not in known}
        if new:
            frame = pl.DataFrame({"name": list(new), "since": list(new.values())}, schema={"name": pl.String, "since": _TIME})
            self._store.insert_frame("alert_targets", frame)
        self._since = {**new, **known}

    def hear(self, transitions: Iterable[dict[str, Any]]) -> None:
        """Take what happened to findings (see `findings.transition`); hearing it twice is hearing it once."""
        if self.targets:
            with self._lock:
                self._news += transitions

    def work(self) -> float:
        """Write what is due now; returns the seconds until there may be more. After an error everything is read anew."""
        try:
            return self._work(self._clock()).total_seconds()
        except BaseException:
            self._told = None
            raise

    def _work(self, now: datetime) -> timedelta:
        if not self._since:
            self.begin()
        if self._told is None:
            self._told = outbox.told(self._store, now)
            self._load()
        self._take_news()
        quiet = silences.read(self._store, now)
        due, _ = self._due(now, quiet)
        if due and self._refresh(finding for _, step, _ in due for finding in step.about):
            due, _ = self._due(now, quiet)
        self.wrote = False
        rows = [self._row(group, step if step.about else self._last_words(step, before), before, now) for group, step, before in due]
        if rows:
            outbox.write(self._store, [row for row, _ in rows])
            self.wrote = True
            self._told |= {(row.subscriber, row.group_key): told for row, told in rows}
        self._forget(now)
        _, next_at = self._due(now, quiet)
        return max(timedelta(), min(next_at - now, LONGEST_PAUSE))

    def _load(self) -> None:
        """Findings that are open, and those that are over without everybody's having heard."""
        risen = dict(self._store.named("risen").iter_rows())
        bodies = [json.loads(body) for body in self._store.named("open_findings")["body"]]
        missing = {id for told in (self._told or {}).values() if not told.is_over for id in told.members} - {b["id"] for b in bodies}
        bodies += self._bodies(missing)
        self._remember((body, risen.get(body["id"]) or datetime.fromisoformat(body["opened_at"])) for body in bodies)

    def _take_news(self) -> None:
        with self._lock:
            news = list(self._news)
        changed: dict[str, tuple[dict[str, Any], datetime]] = {}
        for transition in news:
            body, before = transition["finding"], changed.get(transition["finding_id"])
            known = self._known.get(transition["finding_id"])
            risen = before[1] if before else known.risen_at if known else transition["at"]
            changed[body["id"]] = body, max(risen, transition["at"]) if transition["kind"] in _RISES else risen
        self._remember(changed.values())
        with self._lock:
            del self._news[: len(news)]  # now that nothing can go wrong any more

    def _remember(self, found: Iterable[tuple[dict[str, Any], datetime]]) -> None:
        """Keep what any target may hear of, the latest of each finding, with where its evidence came from."""
        told = {id for each in (self._told or {}).values() for id in each.members}
        kept = [(b, at) for b, at in found if rank(b["severity"]) >= self._floor or b["id"] in told or b["id"] in self._known]
        fresh = [body for body, _ in kept if body["id"] not in self._known]
        places = self._places(fresh)
        for body, risen_at in kept:
            before = self._known.get(body["id"])
            place = places.get(body["id"]) or (
                {key: before.labels[key] for key in PLACE if key in before.labels} if before else None
            )
            facts = labels(body, place)
            heard = Heard(body, risen_at, facts, routes.hears(self.targets, self._settings.routes, facts))
            if before is None or heard.updated_at >= before.updated_at:
                self._known[body["id"]] = heard

    def _places(self, bodies: list[dict[str, Any]]) -> dict[str, dict[str, str]]:
        """Tenant, service and environment by finding."""
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(bodies), _CHUNK):
            some = [b for b in bodies[start : start + _CHUNK] if any(e["trace_id"] and e["span_id"] for e in b["evidence"])]
            pairs = [(e["trace_id"], e["span_id"]) for b in some for e in b["evidence"]]
            if not some:
                continue
            times = [datetime.fromisoformat(b[key]) for b in some for key in ("first_evidence_at", "last_evidence_at")]
            rows = self._store.named("alert_places", traces=sorted({t for t, _ in pairs}), spans=sorted({s for _, s in pairs}),
                                     **{"from": min(times) - _DAY, "to": max(times) + _DAY})  # fmt: skip
            by_span = {(t, s): dict(zip(PLACE, place, strict=True)) for t, s, *place in rows.iter_rows()}
            for body in some:
                places = (by_span.get((e["trace_id"], e["span_id"])) for e in body["evidence"])
                found[body["id"]] = next(filter(None, places), {})
        return found

    def _bodies(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        asked = sorted(ids)
        chunks = (asked[start : start + _CHUNK] for start in range(0, len(asked), _CHUNK))
        return [json.loads(body) for chunk in chunks for body in self._store.named("finding_bodies", ids=chunk)["body"]]

    def _refresh(self, findings: Iterable[Heard]) -> bool:
        """Read again what was heard a while ago: counts and roots change without a transition."""
        now = self._clock()
        stale = {f.id for f in findings if now - f.updated_at > _STALE}
        before = {id: self._known.get(id) for id in stale}
        self._remember((body, known.risen_at) for body in self._bodies(stale) if (known := self._known.get(body["id"])))
        return any(self._known.get(id) is not known for id, known in before.items())

    def _due(self, now: datetime, quiet: list[Silence]) -> tuple[list[tuple[Group, Step, Told | None]], datetime]:
        """What is to be told now, one step a group, and when there may be more."""
        told = self._told or {}
        firing = self._firing(now, quiet)
        due, next_at = [], now + LONGEST_PAUSE
        settings = {target.name: target for target in self.targets}
        for group in sorted(firing.keys() | {group for group, each in told.items() if not each.is_over}):
            target = settings.get(group[0])
            if target is None:
                continue
            possible = steps(told.get(group), self._known, firing.get(group, []), self._settings, self._since[target.name])
            steps_ = [step for step in possible if _is_wanted(target, step.kind) or step.kind not in _SAY_NOTHING]
            ready = next((step for step in steps_ if step.at <= now), None)
            if ready:
                due.append((group, ready, told.get(group)))
            next_at = min([next_at, *(step.at for step in steps_ if step.at > now)])
        return due, next_at

    def _firing(self, now: datetime, quiet: list[Silence]) -> dict[Group, list[Heard]]:
        """Open findings by target and group; a finding stays in the group in which it was told."""
        owner = {(t, id): key for (t, key), each in (self._told or {}).items() if not each.is_over for id in each.members}
        found: dict[Group, list[Heard]] = {}
        for finding in self._known.values():
            if finding.state != "open" or not finding.targets or any(silence.holds(finding.labels, now) for silence in quiet):
                continue
            for target in finding.targets:
                key = owner.get((target, finding.id)) or self._lead(finding).fingerprint
                found.setdefault((target, key), []).append(finding)
        return found

    def _lead(self, finding: Heard) -> Heard:
        """The root of a finding, as far as it is known."""
        seen = {finding.id}
        while (root := self._known.get(finding.root)) and root.id not in seen and root.state != "resolved":
            seen.add(root.id)
            finding = root
        return finding

    def _last_words(self, step: Step, told: Told | None) -> Step:
        """A step about findings that were told and never saved: their transitions were."""
        rows = self._store.named("last_words", ids=sorted(told.members if told else ())).iter_rows(named=True)
        bodies = [{**json.loads(row["body"]), "state": "resolved"} for row in rows]
        return replace(step, about=tuple(Heard(body, step.at, labels(body)) for body in bodies))

    def _row(self, group: Group, step: Step, before: Told | None, now: datetime) -> tuple[outbox.Row, Told]:
        target = next(t for t in self.targets if t.name == group[0])
        lead = next((f for f in step.about if f.fingerprint == group[1]), step.about[0])
        # Of equal findings the same id: whoever plans it again after a crash plans the same row.
        id = f"{lead.id}-{step.kind}-{int(step.at.timestamp() * 1000)}"
        redactor = self._redactor if target.evidence else None
        # What Alertmanager does not hear of again has ended for it, so that it is told of all.
        most = _MOST if target.kind.startswith("alertmanager") else _SHOWN
        body = notification(id, group[1], step, lead, before, now, self._public_url(), redactor, most)
        told = after(before, step, now)
        return outbox.first(target.name, id, step.kind, lead.id, group[1], body, told, _is_wanted(target, step.kind)), told

    def _forget(self, now: datetime) -> None:
        """What is over and told to everybody, and groups that have been over for long."""
        told = self._told or {}
        kept = {id for each in told.values() if not each.is_over for id in each.members}
        self._known = {id: f for id, f in self._known.items() if f.state != "resolved" or id in kept}
        self._told = {group: each for group, each in told.items() if not each.is_over or now - each.at < 2 * _DAY}


def _is_wanted(target: TargetSettings, kind: str) -> bool:
    if target.transitions:
        return kind in target.transitions
    return kind != "acknowledged" or target.kind == "pagerduty"
