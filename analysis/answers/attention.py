"""What needs attention: findings as rows of a list, the gravest, dearest and newest first, with counts to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.analysis.detector import FAMILIES
from actorscope.analysis.finding import SEVERITIES
from actorscope.ingest.store.client import Store

STATES = ("open", "acknowledged", "muted", "resolved")
_EVER = datetime(1970, 1, 2, tzinfo=UTC), datetime(2261, 1, 1, tzinfo=UTC)
_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 21_600, 86_400, 604_800, 2_592_000)
_MOST_BUCKETS = 100


@dataclass(frozen=True)
class Wanted:
    """What of the findings is asked for; what is empty lets everything through.

    `subject` is an actor id; `text` stands in title, name of the subject or id; of a period those findings are in it
    that were seen in it or may have been: last seen after `since`, first seen before `until` (event time).
    """

    families: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def bound(self) -> dict[str, Any]:
        """For the queries."""
        lists = {key: list(getattr(self, key)) for key in ("families", "severities", "states", "detectors")}
        period = {"from": self.since or _EVER[0], "to": self.until or _EVER[1]}
        return {**lists, "subject": self.subject, "text": self.text, **period}


_EVERYTHING = Wanted()


def attention(store: Store, wanted: Wanted = _EVERYTHING, limit: int = 200, offset: int = 0) -> dict[str, Any]:
    """One page of findings.

    `matched` counts what the filters let through, `total` everything, `counts` the findings per value of each filter
    with the other filters on, so that a choice shows what it would bring.
    """
    chosen: dict[str, Sequence[str]] = {
        "family": wanted.families, "severity": wanted.severities, "state": wanted.states, "detector": wanted.detectors,
    }  # fmt: skip
    bound = wanted.bound()
    rows = store.named("attention", **bound, limit=limit, offset=offset)
    known = {key: bound[key] for key in ("subject", "text", "from", "to")}
    counts = store.named("attention_counts", **known).to_dicts()
    hits = [row for row in counts if _passes(row, chosen)]
    named = tuple(sorted({row["detector"] for row in counts}))
    values = {"family": FAMILIES, "severity": tuple(reversed(SEVERITIES)), "state": STATES, "detector": named}
    return {
        "findings": [_finding(row) for row in rows.iter_rows(named=True)],
        "matched": sum(row["passing"] for row in hits),
        "total": sum(row["findings"] for row in counts),
        "cost_usd": sum(row["cost_usd"] or 0.0 for row in hits),
        "first_seen": min((plain(row["first_seen"]) for row in hits), default=None),
        "counts": {key: _tally(counts, chosen, key, every) for key, every in values.items()},
    }


def times(store: Store, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """How often what is wanted was seen, by bucket of event time and severity; `seconds` is the width of a bucket."""
    bound = wanted.bound()
    until = min(bound["to"], now)
    length = (until - (wanted.since or _EVER[0])).total_seconds()
    seconds = next((size for size in _BUCKETS if length / size <= _MOST_BUCKETS), _BUCKETS[-1])
    rows = store.named("attention_times", **{**bound, "to": until}, seconds=seconds)
    return {"seconds": seconds, "buckets": [plain(row) for row in rows.iter_rows(named=True)]}


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    place = row.pop("last_evidence")
    trace, span = tuple(place[0].values()) if place and isinstance(place[0], dict) else place[0] if place else ("", "")
    named = plain(row)
    subject = {"id": named.pop("subject_id"), "name": named.pop("subject_name")}
    return {**named, "subject": subject, "evidence": [{"trace_id": trace, "span_id": span}]}


def _passes(row: dict[str, Any], chosen: dict[str, Sequence[str]], but: str = "") -> bool:
    return all(not allowed or key == but or row[key] in allowed for key, allowed in chosen.items())


def _tally(
    counts: list[dict[str, Any]], chosen: dict[str, Sequence[str]], key: str, values: tuple[str, ...]
) -> dict[str, int]:
    tally = dict.fromkeys(values, 0)
    for row in counts:
        if _passes(row, chosen, but=key):
            tally[row[key]] = tally.get(row[key], 0) + row["passing"]
    return tally
