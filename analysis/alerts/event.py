"""The body of a notification: a CloudEvent 1.0 in structured JSON, thin enough to send to a third party."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any
from urllib.parse import quote

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

CONTENT_TYPE = JSONFormat.CONTENT_TYPE
KINDS = ("opened", "reopened", "escalated", "resolved")
# Names come from spans, that is from whoever controls an agent: a notification stays small whatever they hold.
_TEXT_LIMIT = 300
_COPIED = (
    ("detector", "family", "rule", "severity", "state", "count")
    + ("opened_at", "updated_at", "first_evidence_at", "basis", "fingerprint")
)  # fmt: skip


def notification(transition: dict[str, Any], public_url: str) -> str:
    """The JSON text told about a transition; its id is the transition's, so that receivers can drop repetitions.

    Carries ids, counts and one title. No prompt, no tool argument, no text of the evidence.
    """
    finding = transition["finding"]
    data = {
        "finding_id": finding["id"],
        **{key: finding[key] for key in _COPIED},
        "title": finding["title"][:_TEXT_LIMIT],
        "subject": {key: finding["subject"].get(key, "")[:_TEXT_LIMIT] for key in ("id", "name")},
        "cost_usd": finding["impact"].get("cost_usd"),
        "evidence": _places(finding["evidence"]),
        "permalink": f"{public_url.rstrip('/')}/?finding={quote(finding['id'], safe='')}",
    }
    return _write(transition["id"], f"finding.{transition['kind']}", finding["id"], transition["at"], data, public_url)


def trial_notification(at: datetime, public_url: str) -> tuple[str, str]:
    """Id and JSON text of a notification that says nothing but that the way is open."""
    id = f"test-{secrets.token_hex(8)}"
    data = {"title": "Test of an alert webhook", "permalink": f"{public_url.rstrip('/')}/"}
    return id, _write(id, "test", "test", at, data, public_url)


def _places(evidence: list[dict[str, str]]) -> list[dict[str, str]]:
    places = dict.fromkeys((each["trace_id"], each["span_id"]) for each in evidence)
    return [{"trace_id": trace_id, "span_id": span_id} for trace_id, span_id in places]


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
