"""A notification as it lies in the outbox: a CloudEvent 1.0 in structured JSON, thin enough to send to a third party.

The kind `generic` gets it as it is; `targets` write it anew for everybody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from actorscope.analysis.alerts.heard import PLACE, Heard
from actorscope.analysis.alerts.plan import Step, Told
from actorscope.analysis.alerts.text import plain
from actorscope.ingest.redact import Redactor

CONTENT_TYPE = JSONFormat.CONTENT_TYPE
_TEXT_LIMIT = 300
_COPIED = (
    ("detector", "family", "rule", "severity", "state", "count")
    + ("opened_at", "updated_at", "first_evidence_at", "basis", "fingerprint")
)  # fmt: skip
_SAID = ("detector", "family", "severity", "state", "count", "opened_at", "updated_at", "fingerprint")


def notification(
    id: str,
    key: str,
    step: Step,
    lead: Heard,
    told: Told | None,
    now: datetime,
    public_url: str,
    redactor: Redactor | None = None,
    most: int = 20,
) -> str:
    """The JSON text of what is told of a group: the finding that leads it, and a line on each of the others.

    At most `most` findings are named. Carries ids, counts and titles. No prompt, no tool argument, no text of the
    evidence, unless a `redactor` is given: then also why, cleaned by it.
    """
    findings = [_line(each, told, public_url) for each in step.about]
    data = {
        "finding_id": lead.id,
        **{key: lead.body[key] for key in _COPIED},
        "title": _title(lead),
        "subject": _subject(lead),
        "labels": {name: plain(value, _TEXT_LIMIT) for name, value in lead.labels.items()},
        "cost_usd": lead.body["impact"].get("cost_usd"),
        "evidence": _places(lead.body["evidence"]),
        "permalink": _permalink(lead.id, public_url),
        "group": {
            "key": key,
            "severity": next((line["severity"] for line in findings), lead.severity),
            "open": sum(line["state"] != "resolved" for line in findings),
            "resolved": sum(line["state"] == "resolved" for line in findings),
        },
        "findings": findings[:most],
        "findings_left_out": max(0, len(findings) - most),
        **({"why": _why(lead.body, redactor)} if redactor else {}),
    }
    return _write(id, f"finding.{step.kind}", lead.id, now, data, public_url)


def trial(now: datetime, public_url: str, is_over: bool = False) -> tuple[str, str]:
    """Id and JSON text of a notification that says nothing but that the way is open; `is_over` takes it back."""
    id = f"test-{secrets.token_hex(8)}"
    data = {"title": "Test of an alert target", "permalink": f"{public_url.rstrip('/')}/", "severity": "info"}
    return id, _write(id, "test.over" if is_over else "test", "test", now, data, public_url)


def _line(finding: Heard, told: Told | None, public_url: str) -> dict[str, Any]:
    before = told.members.get(finding.id, "") if told else ""
    return {
        "finding_id": finding.id,
        **{key: finding.body[key] for key in _SAID},
        "title": _title(finding),
        "subject": _subject(finding),
        "place": {name: plain(finding.labels[name], _TEXT_LIMIT) for name in PLACE if finding.labels.get(name)},
        "permalink": _permalink(finding.id, public_url),
        **({"was": before} if before not in ("", "resolved", finding.severity) else {}),
    }


def _title(finding: Heard) -> str:
    return plain(finding.body["title"], _TEXT_LIMIT) or f"{finding.body['detector']} ({finding.severity})"


def _subject(finding: Heard) -> dict[str, str]:
    return {key: plain(finding.body["subject"].get(key, ""), _TEXT_LIMIT) for key in ("id", "name")}


def _permalink(id: str, public_url: str) -> str:
    return f"{public_url.rstrip('/')}/?finding={quote(id, safe='')}"


def _places(evidence: list[dict[str, str]]) -> list[dict[str, str]]:
    places = dict.fromkeys((each["trace_id"], each["span_id"]) for each in evidence)
    return [{"trace_id": trace_id, "span_id": span_id} for trace_id, span_id in places]


def _why(body: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    def clean(text: object) -> str:
        return plain(redactor.clean([str(text)])[0], _TEXT_LIMIT)

    return {
        "evidence": [f"{clean(e['role'])}: {clean(e['why'])}" for e in body["evidence"]],
        "baseline": {plain(key, _TEXT_LIMIT): clean(value) for key, value in body["baseline"].items()},
        "counterfactual": clean(body["counterfactual"]),
    }


def _write(id: str, kind: str, subject: str, at: datetime, data: dict[str, Any], public_url: str) -> str:
    event = CloudEvent(
        {
            "specversion": "1.0",
            "id": id,
            "source": public_url.rstrip("/") or "actorscope",
            "type": f"actorscope.{kind}",
            "subject": subject,
            "time": at,
            "datacontenttype": "application/json",
        },
        data,
    )
    return JSONFormat().write(event).decode()
