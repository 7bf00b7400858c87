"""An agent holds scopes that it does not use.

**What it finds.** Entries of grants that an actor has held for longer than 90 days and not used in that time (P9), while the
grant is still given or has not ended. One note per actor says what is unused, scope by scope, and what is left without it;
when that changes, another note takes its place.

**Why it matters.** What nobody uses is there for whoever takes the agent over, and nobody misses it when it is taken away.

**Evidence and basis.** The latest spans that gave the unused entries, as context; when each was first given and last used, in the
time of the events. An action of which nobody says what it used counts as a use of every entry. Derived from grants and tools.

**What it cannot know.** Uses that left no telemetry, and work that is done less often than once in the window.

**False positives.** Emergency access. An entry with a resource pattern counts as used when any resource it covers was.

**Next step.** Grant what is named as used instead; take the rest away, or note why it stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Evidence, Signal
from actorscope.analysis.moments import stamp


@dataclass(frozen=True)
class Config:
    """When a scope counts as unused."""

    days: int = 90
    """Days without a use, and age of the grant (1 to 365)."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per actor with unused entries; `holdings` has a row per entry, `clock` one row."""
    (clock,) = rows(frames["clock"])
    days = min(max(config.days, 1), 365)
    since = clock["now"] - timedelta(days=days)
    held = frames["holdings"].unique(["actor_id", "scope"]).sort("actor_id", "scope")
    held = held.filter((held["granted_at"] >= since) | (held["ends_at"] > clock["now"]))
    found = []
    for _, of_actor in groupby(rows(held), key=lambda row: str(row["actor_id"])):
        entries = list(of_actor)
        unused = [entry for entry in entries if entry["first_at"] <= since and entry["used_at"] < since]
        if unused:
            found.append(_signal(unused, [e["scope"] for e in entries if e not in unused], days))
    return found


def _last_use(entry: dict[str, Any]) -> str:
    return stamp(entry["used_at"]) if entry["used_at"].year > 1970 else "never"


def _signal(unused: list[dict[str, Any]], others: list[str], days: int) -> Signal:
    last, n = max(unused, key=lambda entry: (entry["granted_at"], entry["scope"])), len(unused)
    name = last["actor_name"] or last["actor_id"]
    return Signal(
        rule="P9",
        severity="info",
        confidence=0.8,
        title=f"{name} has not used {n} of {n + len(others)} granted scopes for {days} days",
        subject_id=last["actor_id"],
        subject_name=last["actor_name"] or "",
        scope=("unused", *(entry["scope"] for entry in unused)),
        trace_id=last["trace_id"],
        span_id=last["span_id"],
        at=last["granted_at"],
        evidence=tuple(
            Evidence(
                entry["trace_id"], entry["span_id"], "context: latest grant",
                f"grants {entry['scope']}, held since {stamp(entry['first_at'])}, last used: {_last_use(entry)}",
            )
            for entry in unused[:EVIDENCE_LIMIT]
        ),
        baseline={
            "level": "actor", "n": n + len(others), "threshold": f"{days} days", "window": f"{days} days",
            "observed": [{"scope": e["scope"], "last_used": _last_use(e), "held_since": stamp(e["first_at"])} for e in unused],
            "expected": others,
        },
        counterfactual=f"silent if its grants had named only {', '.join(others) or 'nothing'}"
        f", or if it had used {', '.join(entry['scope'] for entry in unused[:12])} in the last {days} days",
        impact={"unused_scopes": n},
        basis="derived",
    )  # fmt: skip


DETECTOR = Detector(
    id="authority_unused_grant",
    family="authority",
    title="Unused grant",
    version=1,
    needs={
        "holdings": ("actor_id", "actor_name", "scope", "first_at", "granted_at", "ends_at", "used_at", "trace_id", "span_id"),
        "clock": ("now",),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Grant what is named as used instead; take the rest away, or note why it stays.",
    quiet_hours=float("inf"),
)
