"""Prometheus Alertmanager: alerts pushed to `/api/v2/alerts`, or the body of its own webhook (version 4) for what reads that.

To Alertmanager an alert is its labels. A finding that became graver is another alert: the one told before is ended.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from actorscope.analysis.alerts.targets.request import ENDS, Request, kind, posted
from actorscope.errors import TransientError
from actorscope.settings import AlertSettings, TargetSettings

_TIMES = 4
"""An alert lives so many repeat intervals: it outlasts a few that are lost, and ends when nothing tells of it any more."""
_LONGEST = timedelta(days=30)
_NEVER = "0001-01-01T00:00:00Z"


def push(note: dict[str, Any], target: TargetSettings, settings: AlertSettings, now: datetime) -> Request:
    """Each finding of the group as an alert; what is over has ended, the rest ends if it is not told of again."""
    lives = timedelta(seconds=_TIMES * settings.repeat_interval_seconds) or _LONGEST
    alerts = [
        {
            "labels": labels,
            "annotations": annotations,
            "startsAt": starts_at,
            "endsAt": ends_at if ends_at else _iso(now + lives),
            "generatorURL": link,
        }
        for labels, annotations, starts_at, ends_at, link in _alerts(note, now)
    ]
    return posted(_endpoint(target.address()), alerts, **_bearer(target))


def webhook(note: dict[str, Any], target: TargetSettings, settings: AlertSettings, now: datetime) -> Request:
    """What Alertmanager itself would post of the group."""
    data = note["data"]
    alerts: list[dict[str, Any]] = [
        {
            "status": "resolved" if ends_at else "firing",
            "labels": labels,
            "annotations": annotations,
            "startsAt": starts_at,
            "endsAt": ends_at or _NEVER,
            "generatorURL": link,
            "fingerprint": labels["fingerprint"],
        }
        for labels, annotations, starts_at, ends_at, link in _alerts(note, now)
    ]
    key = data["group"]["key"] if "group" in data else "test"
    body = {
        "version": "4",
        "groupKey": f'{{}}:{{actorscope_group="{key}"}}',
        "truncatedAlerts": data.get("findings_left_out", 0),
        "status": "firing" if any(alert["status"] == "firing" for alert in alerts) else "resolved",
        "receiver": target.name,
        "groupLabels": {"actorscope_group": key},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": note["source"],
        "alerts": alerts,
    }
    return posted(target.address(), body, **_bearer(target))


def _alerts(note: dict[str, Any], now: datetime) -> list[tuple[dict[str, str], dict[str, str], str, str, str]]:
    """Labels, annotations, start, end (empty while it is open) and link of each alert."""
    data = note["data"]
    if "findings" not in data:
        labels = {"alertname": "actorscope_test", "severity": "info", "fingerprint": "test"}
        ended = note["time"] if kind(note) in ENDS else ""
        return [(labels, {"summary": data["title"]}, note["time"], ended, data["permalink"])]
    found = []
    for each in data["findings"]:
        labels = {
            "alertname": each["detector"],
            "actorscope_group": data["group"]["key"],
            "family": each["family"],
            "severity": each["severity"],
            "subject": each["subject"]["name"] or each["subject"]["id"],
            "fingerprint": each["fingerprint"],
            **each["place"],
        }
        labels = {name: value for name, value in labels.items() if value}
        annotations = {"summary": each["title"], "count": str(each["count"]), "finding": each["finding_id"]}
        ended = each["updated_at"] if each["state"] == "resolved" or kind(note) in ENDS else ""
        found.append((labels, annotations, each["opened_at"], ended, each["permalink"]))
        if "was" in each:
            found.append(({**labels, "severity": each["was"]}, annotations, each["opened_at"], note["time"], each["permalink"]))
    return found


def _common(maps: list[dict[str, str]]) -> dict[str, str]:
    first, *others = maps
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in others)}


def _endpoint(url: str) -> str:
    """The address of the API, also where only that of the server is given."""
    return url if url.rstrip("/").endswith("/api/v2/alerts") else f"{url.rstrip('/')}/api/v2/alerts"


def _bearer(target: TargetSettings) -> dict[str, str]:
    key = target.key()
    if not (key.isascii() and key.isprintable()):
        # The error of the HTTP library would quote it.
        raise TransientError("the bearer token holds what no header can carry")
    return {"authorization": f"Bearer {key}"} if key else {}


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
