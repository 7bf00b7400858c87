"""What people say of findings: acknowledged, muted until a day, closed, open again. Only analysis writes findings: it heeds marks.

| state | holds for | ends |
| --- | --- | --- |
| `acknowledged` | the finding | when it becomes graver than it was, or is resolved |
| `muted` | everything with the finding's fingerprint, also what is opened later | at `until` |
| `resolved` | the finding and the places in which it was seen so far | when it is seen in another place |
| `open` | | takes back what was said before |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import polars as pl

from actorscope.analysis import notes
from actorscope.analysis.finding import SEVERITIES, Finding
from actorscope.analysis.findings import Change
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store

STATES = ("acknowledged", "muted", "resolved", "open")
Key = tuple[str, str]
"""Detector and fingerprint."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TEXT = 1000


@dataclass(frozen=True)
class Mark:
    """The latest word on a fingerprint; `until` only means something for a mute."""

    detector: str
    fingerprint: str
    finding_id: str
    state: str
    owner: str
    reason: str
    severity: str
    at: datetime
    until: datetime

    def said(self) -> dict[str, str]:
        """For the finding's JSON."""
        end = {"until": self.until.isoformat()} if self.state == "muted" else {}
        return {"state": self.state, "owner": self.owner, "reason": self.reason, "at": self.at.isoformat(), **end}


def say(
    store: Store, finding: Mapping[str, Any], state: str, owner: str, reason: str, now: datetime, until: datetime | None = None
) -> Mark:
    """Write a mark on a finding (its JSON); raises DefinitionError when something is missing that it needs."""
    problems = [] if owner.strip() else [Problem("owner", "is missing", "say who answers for it")]
    if state == "muted":
        problems += [] if reason.strip() else [Problem("reason", "is missing", "say why nobody needs to hear of it")]
        problems += [] if until and until > now else [Problem("until", "must lie in the future", "mutes always end")]
    if problems:
        raise DefinitionError(problems)
    texts = owner.strip()[:_LONGEST_TEXT], reason.strip()[:_LONGEST_TEXT]
    ids = finding["detector"], finding["fingerprint"], finding["id"]
    mark = Mark(*ids, state, *texts, finding["severity"], now.replace(microsecond=now.microsecond // 1000 * 1000), until or _NEVER)
    row = pl.DataFrame([asdict(mark)]).with_columns(
        pl.col("at", "until").cast(pl.Datetime("us", "UTC")),
        pl.lit(int(now.timestamp() * 1e9), pl.UInt64).alias("version"),
    )
    store.insert_frame("finding_marks", row)
    notes.write(store, finding, state, owner, reason, mark.at, until=until)
    return mark


def read(store: Store) -> dict[Key, Mark]:
    """Every mark by what it is on."""
    return {(row["detector"], row["fingerprint"]): Mark(**row) for row in store.named("marks").iter_rows(named=True)}


def heed(opened: Mapping[Key, Finding], marks: Mapping[Key, Mark], now: datetime) -> list[Change]:
    """What marks change about open findings; also mutes that have ended."""
    changes = []
    for key in sorted(marks.keys() & opened.keys()):
        before, after = opened[key], stated(opened[key], marks[key], now)
        if (after.state, after.mark) != (before.state, before.mark):
            changes.append(Change(replace(after, updated_at=now), _kind(before, after)))
    return changes


def stated(finding: Finding, mark: Mark | None, now: datetime) -> Finding:
    """An open finding in the state that a mark gives it."""
    if mark is None or finding.state == "resolved":
        return finding
    same = finding.id == mark.finding_id and mark.at >= began(finding)
    if mark.state == "muted" and mark.until > now:
        return replace(finding, state="muted", mark=mark.said())
    if mark.state == "acknowledged" and same and SEVERITIES.index(finding.severity) <= SEVERITIES.index(mark.severity):
        return replace(finding, state="acknowledged", mark=mark.said())
    if mark.state == "resolved" and same:
        why = f"closed by {mark.owner}" + (f": {mark.reason}" if mark.reason else "")
        return replace(finding, state="resolved", mark=mark.said(), resolution=why)
    return replace(finding, state="open", mark={})


def began(finding: Finding) -> datetime:
    """When it was opened, or opened again."""
    return datetime.fromisoformat(finding.reopened[-1]) if finding.reopened else finding.opened_at


def _kind(before: Finding, after: Finding) -> str:
    """The transition; what was opened under a mute is told when the mute ends."""
    if after.state == "open":
        unheard = before.state == "muted" and began(before) >= datetime.fromisoformat(before.mark["at"])
        return "opened" if unheard else "unmarked"
    return after.state
