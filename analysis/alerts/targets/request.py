"""One HTTP request to a target, and what the kinds have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ENDS = ("resolved", "no_data", "over")
_SAID = {
    "opened": "New",
    "reopened": "Back",
    "escalated": "Graver",
    "grown": "More of it",
    "still_open": "Still open",
    "acknowledged": "Acknowledged",
    "resolved": "Resolved",
    "no_data": "Over: no more data",
    "test": "Test",
    "over": "Test is over",
}


@dataclass(frozen=True)
class Request:
    """A POST of `body` to `url`."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def posted(url: str, body: Any, **headers: str) -> Request:
    """A request with a JSON body."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return Request(url, content, {"content-type": "application/json", **headers})


def kind(note: Mapping[str, Any]) -> str:
    """What is told: `opened`, `resolved`, ..., or `test` and `over`."""
    return str(note["type"]).rpartition(".")[2]


def word(note: Mapping[str, Any]) -> str:
    """The same for people."""
    return _SAID[kind(note)]


def severity(note: Mapping[str, Any]) -> str:
    """That of the gravest finding."""
    data = note["data"]
    return str(data.get("group", data)["severity"])


def facts(note: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What people want to know at a glance: names and values, the values as they came from spans."""
    data = note["data"]
    if "group" not in data:
        return []
    group, labels, cost = data["group"], data["labels"], data["cost_usd"]
    rows = [
        ("Severity", severity(note)),
        ("Detector", f"{data['detector']} ({data['family']})"),
        ("Subject", data["subject"]["name"] or data["subject"]["id"]),
        ("Seen", f"{data['count']} times since {data['first_evidence_at'][:16].replace('T', ' ')} UTC"),
        ("Findings", f"{group['open']} open, {group['resolved']} resolved" if group["open"] + group["resolved"] > 1 else ""),
        ("Cost", f"{cost:.2f} USD" if cost is not None else ""),
        *((name.capitalize(), labels.get(name, "")) for name in ("tenant", "service", "environment")),
    ]
    return [(name, value) for name, value in rows if value]


def lines(note: Mapping[str, Any], most: int = 5) -> list[str]:
    """A line on each of the other findings, and one on why where the target is told why."""
    data = note["data"]
    others = [line for line in data.get("findings", ()) if line["finding_id"] != data["finding_id"]]
    told = [f"{line['severity']}, {line['state']}: {line['title']}" for line in others[:most]]
    left = len(others) - len(told) + data.get("findings_left_out", 0)
    told += [f"and {left} more"] if left else []
    why = data.get("why", {})
    return told + [*why.get("evidence", ())[:most], *([why["counterfactual"]] if why else [])]
