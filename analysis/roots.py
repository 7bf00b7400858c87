"""Findings of one cause stand together: what a loop costs is told with the loop. Pure.

A detector names in `follows` those whose findings explain its own: one of the same family on the same span, one of
another family in the same trace. A finding has a root as long as all places in which it is known have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from actorscope.analysis.detector import Detector
from actorscope.analysis.finding import ALERTS, SEVERITIES, Finding, Signal
from actorscope.analysis.findings import Place


def roots(
    findings: Iterable[Finding], places: Mapping[str, Collection[Place]], detectors: Sequence[Detector]
) -> dict[str, str]:
    """By finding that may follow from another: the id of its root, empty where it has none.

    `places` is where each was seen in the traces looked at now; what was seen elsewhere keeps the root that it has.
    """
    known = {f.id: f for f in findings if f.state != "resolved" and places.get(f.id)}
    follows = {d.id: d for d in detectors if d.follows}
    result = {}
    for finding in known.values():
        detector = follows.get(finding.detector)
        if detector is None:
            continue
        possible = [r for r in known.values() if _may_explain(r, detector) and _covers(r, finding, places)]
        best = max(possible, key=lambda r: (SEVERITIES.index(r.severity), r.id), default=None)
        elsewhere = finding.count > len(places[finding.id])
        found = best.id if best else ""
        result[finding.id] = found if not elsewhere or found == finding.root or not found else ""
    return result


def _may_explain(root: Finding, detector: Detector) -> bool:
    return root.detector != detector.id and root.severity != "info" and root.detector.startswith(detector.follows)


def _covers(root: Finding, finding: Finding, places: Mapping[str, Collection[Place]]) -> bool:
    if root.family == finding.family:
        return set(places[finding.id]) <= set(places[root.id])
    return {trace for trace, _ in places[finding.id]} <= {trace for trace, _ in places[root.id]}


def combine(signals: Mapping[str, Sequence[Signal]], detectors: Sequence[Detector]) -> dict[str, list[Signal]]:
    """Two alerts of one family on one span, one of which follows from the other, are one that is at least high; what another
    detector swallows is not told.
    """
    combined = {name: list(found) for name, found in signals.items()}
    for detector in detectors:
        told = {(s.trace_id, s.span_id) for s in combined.get(detector.id, ())}
        for name in detector.swallows if told else ():
            combined[name] = [s for s in combined.get(name, ()) if (s.trace_id, s.span_id) not in told]
    for detector in detectors:
        alerts = {(s.trace_id, s.span_id) for s in combined.get(detector.id, ()) if s.severity in ALERTS}
        roots_of = [d.id for d in detectors if d.family == detector.family and d.id.startswith(detector.follows or ("?",))]
        for name in roots_of if alerts else []:
            combined[name] = [
                replace(s, severity="high") if s.severity == "medium" and (s.trace_id, s.span_id) in alerts else s
                for s in combined.get(name, ())
            ]
    return combined
