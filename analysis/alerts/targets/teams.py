"""Microsoft Teams through a workflow ("When a Teams webhook request is received"): an Adaptive Card.

Text blocks of a card are Markdown; text runs are not. Whatever comes from spans is a text run.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actorscope.analysis.alerts.targets.request import ENDS, Request, facts, kind, lines, posted, severity, word
from actorscope.settings import AlertSettings, TargetSettings

_COLOURS = {"critical": "Attention", "high": "Attention", "medium": "Warning", "low": "Accent", "info": "Default"}


def message(note: dict[str, Any], target: TargetSettings, settings: AlertSettings, now: datetime) -> Request:
    """One card with the title, the facts, the other findings and a button."""
    data = note["data"]
    colour = "Good" if kind(note) in ENDS else _COLOURS[severity(note)]
    body = [
        _runs({"text": f"{word(note)}: ", "weight": "Bolder", "color": colour}, {"text": data["title"], "weight": "Bolder"}),
        *(_runs({"text": f"{name}: ", "isSubtle": True}, {"text": value}) for name, value in facts(note)),
        *(_runs({"text": line, "size": "Small"}) for line in lines(note)),
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if data["permalink"].startswith(("https://", "http://")):
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open in Actorscope", "url": data["permalink"]}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return posted(target.address(), {"type": "message", "attachments": [attachment]})


def _runs(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "spacing": "Small", "inlines": [{"type": "TextRun", **run} for run in runs]}
