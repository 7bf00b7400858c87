"""What a target is told of a group of findings, and when. Pure: no clock, no store, no network.

A group are the findings of one root. What the target knows of it (`Told`) stands in the newest row of the outbox; what is
to be told next follows from that and from the findings as they are now, so that nothing else needs to be remembered.

| told | when |
| --- | --- |
| `opened`, `reopened` | a finding is open in a group that the target does not know, or knows as over |
| `escalated` | a finding is graver than anything told of the group since it was opened |
| `grown` | another finding has joined, or one has become graver without being the gravest |
| `acknowledged` | somebody looks at every finding that is still open |
| `still_open` | nothing has changed since the repeat interval |
| `resolved`, `no_data` | nothing of what was told is open; `no_data` where there only is no data any more |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from actorscope.analysis.alerts.heard import Heard, rank
from actorscope.settings import AlertSettings

ENDS = ("resolved", "no_data")
KINDS = ("opened", "reopened", "escalated", "grown", "still_open", "acknowledged", *ENDS)
_LONGEST_HOLD = timedelta(hours=1)
_MOST_DOUBLINGS = 6
_LOST_AFTER = timedelta(hours=1)
_OVER = "resolved"


@dataclass(frozen=True)
class Told:
    """What a target knows of a group; `members` says of each finding how grave it was, or `resolved`."""

    kind: str
    at: datetime
    severity: str
    """The gravest since the group was opened: each level is told once."""
    members: Mapping[str, str]

    @property
    def is_over(self) -> bool:
        return self.kind in ENDS

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "at": self.at.isoformat(), "severity": self.severity, "members": dict(self.members)}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Told:
        return cls(body["kind"], datetime.fromisoformat(body["at"]), body["severity"], dict(body["members"]))


@dataclass(frozen=True)
class Step:
    """What may be told of a group, from when on; `at` follows from the findings and from what was told, not from a clock."""

    kind: str
    at: datetime
    about: tuple[Heard, ...]
    """The findings that it tells of, the gravest first."""


def steps(
    told: Told | None, known: Mapping[str, Heard], firing: Sequence[Heard], pace: AlertSettings, since: datetime
) -> Iterator[Step]:
    """All that may be told next; of what is due the first counts.

    `known` are all findings by id; `firing` those of the group that are open and that the target is to hear of. Nothing
    opens for a target that did not exist (`since`) when it was found.
    """
    if told is None or told.is_over:
        fresh = [f for f in firing if f.risen_at >= since]
        if fresh:
            again = told is not None and any(f.id in told.members for f in fresh)
            yield Step("reopened" if again else "opened", min(_due(f, pace) for f in fresh), _ordered(firing))
        return
    about = _ordered([*firing, *(known[m] for m in told.members if m in known and known[m].state in ("acknowledged", _OVER))])
    graver = [f for f in firing if rank(f.severity) > rank(told.severity)]
    if graver:
        yield Step("escalated", min(_due(f, pace) for f in graver), about)
    new = [f for f in firing if rank(f.severity) > rank(told.members.get(f.id, ""))]
    if new:
        yield Step("grown", max(told.at + _seconds(pace.group_interval_seconds), min(_due(f, pace) for f in new)), about)
    yield from _quieter(told, known, firing, pace, about)


def _quieter(
    told: Told, known: Mapping[str, Heard], firing: Sequence[Heard], pace: AlertSettings, about: tuple[Heard, ...]
) -> Iterator[Step]:
    """That it is over, looked at, or still as it was."""
    untold = [m for m, severity in told.members.items() if severity != _OVER]
    mine = [known[m] for m in untold if m in known]
    still = [m for m in mine if m.state != _OVER]
    if not firing and not still:
        ends = [m.updated_at + _hold(m, pace) for m in mine]
        # A finding that was told and never saved: the process died, and what came later gave it no ground.
        ends += [told.at + _LOST_AFTER] if len(mine) < len(untold) else []
        no_data = all(m.is_no_data for m in mine)
        yield Step("no_data" if no_data else "resolved", max(ends, default=told.at), about)
    if still and told.kind != "acknowledged" and all(m.state == "acknowledged" for m in still):
        yield Step("acknowledged", max(m.updated_at for m in still), about)
    if any(f.id in told.members for f in firing) and pace.repeat_interval_seconds:
        yield Step("still_open", told.at + _seconds(pace.repeat_interval_seconds), about)


def after(told: Told | None, step: Step, now: datetime) -> Told:
    """What the target knows when it was told."""
    members = {} if told is None or told.is_over else dict(told.members)
    for finding in step.about:
        members[finding.id] = _OVER if finding.state == _OVER else finding.severity
    if step.kind in ENDS:
        members = dict.fromkeys(members, _OVER)
    before = told.severity if told and not told.is_over else ""
    gravest = max([before, *(f.severity for f in step.about if f.state != _OVER)], key=rank)
    return Told(step.kind, now, gravest, members)


def _due(finding: Heard, pace: AlertSettings) -> datetime:
    is_urgent = rank(finding.severity) >= rank(pace.urgent)
    return finding.risen_at + _seconds(0 if is_urgent else pace.group_wait_seconds)


def _hold(finding: Heard, pace: AlertSettings) -> timedelta:
    """The more often it came back lately, the longer before its end is believed."""
    return min(_seconds(pace.resolve_wait_seconds * 2.0 ** min(finding.flaps, _MOST_DOUBLINGS)), _LONGEST_HOLD)


def _ordered(findings: Sequence[Heard]) -> tuple[Heard, ...]:
    once = {f.id: f for f in findings}.values()
    return tuple(sorted(once, key=lambda f: (f.state == _OVER, -rank(f.severity), f.id)))


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)
