"""The life of findings: opened, counted, escalated, retracted, resolved. Pure; the store is read and written around it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from actorscope.analysis.detector import Detector
from actorscope.analysis.finding import EDIT_LIMIT, EVIDENCE_LIMIT, SEVERITIES, Finding, Signal, finding_id

REOPENED_WITHIN = timedelta(hours=24)
NO_DATA = "nothing was heard of its subject any more"
"""How the resolution of a finding begins that ended only because there is no data."""
Place = tuple[str, str]
"""Trace and span of an occurrence."""


@dataclass
class Known:
    """An open finding with the places where it was seen in the traces that are looked at now."""

    finding: Finding
    places: dict[Place, str] = field(default_factory=dict)


@dataclass
class Change:
    """What a pass did to one finding."""

    finding: Finding
    kind: str
    """`opened`, `reopened`, `escalated`, `updated`, `resolved`; of marks `acknowledged`, `muted`, `unmarked`"""
    seen: dict[Place, tuple[datetime, str]] = field(default_factory=dict)
    retracted: list[Place] = field(default_factory=list)
    is_milder: bool = False
    """What spoke for the finding is gone or less grave now: a place elsewhere may have to speak for it."""


def apply(
    detector: Detector,
    signals: Iterable[Signal],
    known: dict[str, Known],
    touched: set[str],
    now: datetime,
    clocks: Mapping[str, datetime],
    past: Mapping[str, Known] | None = None,
) -> list[Change]:
    """What the signals of one detector over the traces `touched` make of its open findings (by fingerprint).

    An occurrence in a touched trace that is not signalled any more is retracted: later spans took its ground away.
    A finding without occurrences is resolved; also one that was quiet for the detector's `quiet_hours`, by what its
    subject did since (`clocks`: latest event time by subject id, so that one wrong clock resolves nothing else), or by
    the wall clock. What is seen again within a day after it was resolved is the same finding, opened again (`past`: the
    latest resolved finding by fingerprint); after that it is a new one that follows the old one.
    """
    by_fingerprint: dict[str, list[Signal]] = {}
    for signal in signals:
        by_fingerprint.setdefault(signal.fingerprint(detector.id), []).append(signal)
    changes = []
    for fingerprint in sorted({*by_fingerprint, *known}):
        group = sorted(by_fingerprint.get(fingerprint, []), key=lambda s: (s.at, s.trace_id, s.span_id))
        if fingerprint in known:
            change = _update(detector, known[fingerprint], group, touched, now, clocks)
        else:
            change = _open(detector, fingerprint, group, now, (past or {}).get(fingerprint))
        if change is not None:
            changes.append(change)
    return changes


def _rank(severity: str, at: datetime, place: Place) -> tuple[int, datetime, Place]:
    """What speaks for all is the gravest, of these the latest."""
    return SEVERITIES.index(severity), at, place


def _rank_of(signal: Signal) -> tuple[int, datetime, Place]:
    return _rank(signal.severity, signal.at, (signal.trace_id, signal.span_id))


def _open(
    detector: Detector, fingerprint: str, signals: list[Signal], now: datetime, past: Known | None
) -> Change | None:
    if past is not None and past.finding.mark.get("state") == "resolved":
        # Somebody looked at these places and closed them.
        signals = [s for s in signals if (s.trace_id, s.span_id) not in past.places]
    if not signals:
        return None
    first, face = signals[0], max(signals, key=_rank_of)
    seen = {(s.trace_id, s.span_id): (s.at, s.severity) for s in signals}
    finding = Finding(
        id=finding_id(fingerprint),
        detector=detector.id,
        family=detector.family,
        rule=face.rule,
        severity=face.severity,
        confidence=0.0,
        state="open",
        title="",
        subject={"id": face.subject_id, "name": face.subject_name},
        opened_at=now,
        updated_at=now,
        first_evidence_at=first.at,
        last_evidence_at=signals[-1].at,
        count=len(seen),
        evidence=[],
        baseline={},
        counterfactual="",
        impact={},
        basis="",
        caveats=[],
        fingerprint=fingerprint,
        next_step=detector.next_step,
    )
    if past is None:
        return Change(_wear(finding, face), "opened", seen)
    if past.finding.first_evidence_at != first.at and now - past.finding.updated_at > REOPENED_WITHIN:
        again = replace(finding, id=finding_id(fingerprint, past.finding.id), follows=past.finding.id)
        return Change(_wear(again, face), "opened", seen)
    return Change(_wear(_again(past, finding, seen), face), "reopened", seen)


def _again(past: Known, fresh: Finding, seen: Mapping[Place, object]) -> Finding:
    """A resolved finding that is open again, with where it is seen now."""
    old = past.finding
    return replace(
        old,
        state="open",
        resolution="",
        reopened=[*old.reopened, fresh.updated_at.isoformat()],
        updated_at=fresh.updated_at,
        # Of one whose ground was taken away nothing is left.
        first_evidence_at=min(old.first_evidence_at, fresh.first_evidence_at) if old.count else fresh.first_evidence_at,
        last_evidence_at=max(old.last_evidence_at, fresh.last_evidence_at) if old.count else fresh.last_evidence_at,
        count=old.count + len([place for place in seen if place not in past.places]),
    )


def _wear(finding: Finding, face: Signal) -> Finding:
    """The finding with the claim and evidence of a signal."""
    return replace(
        finding,
        rule=face.rule,
        severity=face.severity,
        confidence=round(face.confidence, 3),
        title=face.title,
        evidence=[vars(e) for e in face.evidence[:EVIDENCE_LIMIT]],
        baseline=face.baseline,
        counterfactual=face.counterfactual,
        counterfactual_edits=[vars(edit) for edit in face.edits[:EDIT_LIMIT]],
        impact=face.impact,
        basis=face.basis,
        caveats=list(face.caveats),
        shown={"trace_id": face.trace_id, "span_id": face.span_id, "at": face.at.isoformat()},
    )


def _spoken(finding: Finding, signals: list[Signal], known: Known, touched: set[str], count: int) -> tuple[Finding, bool]:
    """The finding as its gravest place tells it, and whether that place is gone or milder than it was."""
    shown = finding.shown
    place = (shown.get("trace_id", ""), shown.get("span_id", ""))
    before = _rank(finding.severity, datetime.fromisoformat(shown["at"]), place) if shown else None
    is_judged = place[0] in touched and place in known.places
    face = max(signals, key=_rank_of, default=None)
    if face is None:
        return (replace(finding, shown={}), True) if is_judged else (finding, False)
    is_milder = before is not None and is_judged and _rank_of(face) < before
    if before is None or is_judged or _rank_of(face) > before:
        finding = _wear(finding, face)
    return finding, is_milder and count > len({(s.trace_id, s.span_id) for s in signals})


def _says(finding: Finding) -> str:
    """All of it, equal for one that was written and read again."""
    return json.dumps(finding.to_json(), sort_keys=True)


def _update(
    detector: Detector,
    known: Known,
    signals: list[Signal],
    touched: set[str],
    now: datetime,
    clocks: Mapping[str, datetime],
) -> Change | None:
    finding = known.finding
    seen = {(s.trace_id, s.span_id): (s.at, s.severity) for s in signals}
    fresh = {place: value for place, value in seen.items() if known.places.get(place) != value[1]}
    new = [place for place in fresh if place not in known.places]
    gone = [place for place in known.places if place[0] in touched and place not in seen]
    count = finding.count + len(new) - len(gone)
    if count <= 0:
        resolved = replace(
            finding, state="resolved", updated_at=now, count=0, resolution="later spans took its ground away"
        )
        return Change(resolved, "resolved", {}, gone)
    quiet = timedelta(hours=min(detector.quiet_hours, 24 * 3650))
    last = max([finding.last_evidence_at, *(s.at for s in signals)])
    told, is_milder = _spoken(finding, signals, known, touched, count)
    if not fresh and not gone and _says(told) == _says(finding):
        acted_on = clocks.get(finding.subject["id"], last) - last >= quiet
        if not acted_on and now - finding.updated_at < quiet:
            return None
        text = f"not seen again for {detector.quiet_hours:g} hours"
        if not acted_on and finding.family != "system":
            # Silence is no proof of anything: nobody saw it behave.
            text = f"{NO_DATA}: {text}"
        return Change(replace(finding, state="resolved", updated_at=now, resolution=text), "resolved")
    is_graver = SEVERITIES.index(told.severity) > SEVERITIES.index(finding.severity)
    first = min([finding.first_evidence_at, *(s.at for s in signals)])
    told = replace(told, updated_at=now, count=count, first_evidence_at=first, last_evidence_at=last)
    return Change(told, "escalated" if is_graver else "updated", fresh, gone, is_milder)


def transition(change: Change) -> dict[str, Any]:
    """What subscribers are told, with an id that a repetition of the pass does not change."""
    finding = change.finding
    suffix = f"-{finding.severity}" if change.kind == "escalated" else ""
    suffix += f"-{len(finding.reopened)}" if finding.reopened else ""
    if change.kind in ("acknowledged", "muted", "unmarked"):
        suffix += f"-{finding.mark.get('at', finding.updated_at.isoformat())}"
    return {
        "id": f"{finding.id}-{change.kind}{suffix}",
        "finding_id": finding.id,
        "kind": change.kind,
        "severity": finding.severity,
        "at": finding.updated_at,
        "finding": finding.to_json(),
    }
