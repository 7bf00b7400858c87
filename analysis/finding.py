"""What a detector says and what becomes of it: signals, findings, evidence. Plain values, no store, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

SEVERITIES = ("info", "low", "medium", "high", "critical")
ALERTS = ("medium", "high", "critical")
BASES = ("inferred", "derived", "declared")
EVIDENCE_LIMIT = 20
EDIT_LIMIT = 200


def weakest(*bases: str | None) -> str:
    """The basis of a claim that rests on several facts: that of the weakest; unknown ones count as inferred."""
    return min((b if b in BASES else BASES[0] for b in bases), key=BASES.index, default=BASES[0])


@dataclass(frozen=True)
class Evidence:
    """A span that makes the claim true; a role that starts with `context` only explains and accuses nobody."""

    trace_id: str
    span_id: str
    role: str
    why: str


def effect(action: Mapping[str, Any]) -> dict[str, Any]:
    """What an action did, as the impact of a signal."""
    return {
        "side_effect": action["side_effect"] or "unknown",
        "target": action["target"] or "",
        "cost_usd": action["cost_usd"],
    }


@dataclass(frozen=True)
class Edit:
    """One change of the counterfactual, so that a test can apply it: a span's column gets another value.

    Without a column the span and all below it had not happened; without a span `column` is a threshold of the detector.
    """

    trace_id: str = ""
    span_id: str = ""
    column: str = ""
    value: Any = None


@dataclass(frozen=True)
class Signal:
    """One place where a detector's rule holds. `scope` and the subject make the fingerprint."""

    rule: str
    severity: str
    confidence: float
    title: str
    subject_id: str
    subject_name: str
    scope: tuple[str, ...]
    trace_id: str
    span_id: str
    at: datetime
    evidence: tuple[Evidence, ...]
    baseline: dict[str, Any]
    counterfactual: str
    impact: dict[str, Any]
    basis: str
    caveats: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    """What `counterfactual` says, in a form that can be applied (`tests/analysis/test_counterfactuals.py`)."""
    grows: bool = False
    """The same places may be told as graver later: context and alert are one finding."""

    def fingerprint(self, detector: str) -> str:
        """Detector, subject and scope: the same thing wrong again has the same fingerprint.

        What only gives context is a finding apart: a place that is told as low must not wear the severity of another one.
        """
        return _digest(detector, self.subject_id, *self.scope, *(() if self.grows or self.severity in ALERTS else ("context",)))


@dataclass
class Finding:
    """What people see: all signals of one fingerprint since it was opened. Fields as in the contract."""

    id: str
    detector: str
    family: str
    rule: str
    severity: str
    confidence: float
    state: str
    title: str
    subject: dict[str, str]
    opened_at: datetime
    updated_at: datetime
    first_evidence_at: datetime
    last_evidence_at: datetime
    count: int
    evidence: list[dict[str, str]]
    baseline: dict[str, Any]
    counterfactual: str
    impact: dict[str, Any]
    basis: str
    caveats: list[str]
    fingerprint: str
    next_step: str = ""
    resolution: str = ""
    counterfactual_edits: list[dict[str, Any]] = field(default_factory=list)
    shown: dict[str, str] = field(default_factory=dict)
    """Which of the places its claim and evidence are of: the gravest, of these the latest."""
    root: str = ""
    """The finding that this one follows from; empty where it stands for itself."""
    follows: str = ""
    """The earlier finding of the same thing, resolved more than a day before this one was opened."""
    reopened: list[str] = field(default_factory=list)
    """When it was opened again."""
    mark: dict[str, Any] = field(default_factory=dict)
    """What somebody said of it: state, owner, reason, at, until (see `analysis/marks.py`)."""
    occurrences: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The contract's JSON; times are RFC 3339 in UTC."""
        return {k: _iso(v) if isinstance(v, datetime) else v for k, v in asdict(self).items()}


def finding_id(fingerprint: str, follows: str = "") -> str:
    """The same input gives the same id in whatever order it comes: it follows from the fingerprint, and from the finding before."""
    return "fnd_" + _digest(fingerprint, follows)[:24]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
