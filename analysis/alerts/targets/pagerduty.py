"""PagerDuty Events API v2: one incident per group of findings, triggered, acknowledged and resolved by its key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actorscope.analysis.alerts.targets.request import ENDS, Request, facts, kind, lines, posted, severity, word
from actorscope.settings import AlertSettings, TargetSettings

URL = "https://events.pagerduty.com/v2/enqueue"
_SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info", "info": "info"}
_SUMMARY = 1024


def event(note: dict[str, Any], target: TargetSettings, settings: AlertSettings, now: datetime) -> Request:
    """The event of a notification; `dedup_key` is the fingerprint of the finding that leads the group."""
    data, what = note["data"], kind(note)
    action = "resolve" if what in ENDS else "acknowledge" if what == "acknowledged" else "trigger"
    told = dict(facts(note))
    subject = told.get("Subject") or "actorscope"
    payload = {
        "summary": f"{word(note)}: {data['title']}"[:_SUMMARY],
        "source": subject,
        "severity": _SEVERITIES[severity(note)],
        "timestamp": note["time"],
        "component": data.get("labels", {}).get("service") or subject,
        "group": data.get("family", "actorscope"),
        "class": data.get("detector", "test"),
        "custom_details": {**told, "finding_id": data.get("finding_id", ""), "findings": lines(note), "notification": note["id"]},
    }
    body: dict[str, Any] = {
        "routing_key": target.key(),
        "event_action": action,
        "dedup_key": data["group"]["key"] if "group" in data else "actorscope-test",
        "client": "Actorscope",
        "payload": payload,
    }
    if data["permalink"].startswith(("https://", "http://")):
        body |= {"client_url": data["permalink"], "links": [{"href": data["permalink"], "text": "Open in Actorscope"}]}
    return posted(target.address() or URL, body)
