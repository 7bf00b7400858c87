"""What needs attention: findings as rows of a list, the gravest, dearest and newest first, with counts to filter by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actorscope.analysis.answers.console import plain
from actorscope.analysis.detector import FAMILIES
from actorscope.analysis.finding import SEVERITIES
from actorscope.ingest.store.client import Store

STATES = ("open", "acknowledged", "muted", "resolved")


def attention(
    store: Store,
    families: Sequence[str] = (),
    severities: Sequence[str] = (),
    states: Sequence[str] = (),
    subject: str = "",
    limit: int = 200,
    offset: int = 0,
) -> dict[str, Any]:
    """One page of findings. Empty filters let everything through; `subject` is an actor id.

    `matched` counts what the filters let through, `total` everything, `counts` the findings per value of each filter
    with the other filters on, so that a choice shows what it would bring.
    """
    chosen = {"family": families, "severity": severities, "state": states}
    rows = store.named(
        "attention",
        families=list(families),
        severities=list(severities),
        states=list(states),
        subject=subject,
        limit=limit,
        offset=offset,
    )
    counts = store.named("attention_counts", subject=subject).to_dicts()
    hits = [row for row in counts if _passes(row, chosen)]
    return {
        "findings": [_finding(row) for row in rows.iter_rows(named=True)],
        "matched": sum(row["findings"] for row in hits),
        "total": sum(row["findings"] for row in counts),
        "cost_usd": sum(row["cost_usd"] or 0.0 for row in hits),
        "counts": {
            "family": _tally(counts, chosen, "family", FAMILIES),
            "severity": _tally(counts, chosen, "severity", tuple(reversed(SEVERITIES))),
            "state": _tally(counts, chosen, "state", STATES),
        },
    }


def _finding(row: dict[str, Any]) -> dict[str, Any]:
    place = row.pop("last_evidence")
    trace, span = tuple(place[0].values()) if place and isinstance(place[0], dict) else place[0] if place else ("", "")
    named = {key: plain(value) for key, value in row.items()}
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
            tally[row[key]] = tally.get(row[key], 0) + row["findings"]
    return tally
