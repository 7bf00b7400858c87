"""Slack incoming webhooks: Block Kit, with everything that comes from spans as plain text, never as mrkdwn.

A webhook cannot change what it posted: each notification is a message of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from actorscope.analysis.alerts.targets.request import Request, facts, kind, lines, posted, severity, word
from actorscope.settings import AlertSettings, TargetSettings

_SIGNS = {"critical": "🟥", "high": "🟧", "medium": "🟨", "low": "🟦", "info": "⬜"}
_HEADER, _FIELD, _TEXT = 150, 2000, 3000


def message(note: dict[str, Any], target: TargetSettings, settings: AlertSettings, now: datetime) -> Request:
    """A header, the facts, the other findings and a button."""
    data = note["data"]
    sign = "✅" if kind(note) in ("resolved", "no_data", "over") else _SIGNS[severity(note)]
    head = f"{sign} {word(note)}: {data['title']}"
    blocks: list[dict[str, Any]] = [{"type": "header", "text": _plain(head, _HEADER)}]
    fields = [_plain(f"{name}: {value}", _FIELD) for name, value in facts(note)]
    blocks += [{"type": "section", "fields": fields[:10]}] if fields else []
    more = "\n".join(lines(note))
    blocks += [{"type": "section", "text": _plain(more, _TEXT)}] if more else []
    if data["permalink"].startswith(("https://", "http://")):
        open_ = {"type": "button", "text": _plain("Open in Actorscope", 75), "url": data["permalink"]}
        blocks.append({"type": "actions", "elements": [open_]})
    # `text` is what notifications and screen readers show; without mrkdwn its letters mean nothing.
    body = {"text": escape(head), "mrkdwn": False, "unfurl_links": False, "unfurl_media": False, "blocks": blocks}
    return posted(target.address(), body)


def escape(text: str) -> str:
    """The three characters by which Slack knows mentions, channels and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str, limit: int) -> dict[str, Any]:
    # Cut before escaping, so that no entity is cut; what escaping adds must fit as well.
    cut = text[:limit]
    while len(escape(cut)) > limit:
        cut = cut[:-1]
    return {"type": "plain_text", "text": escape(cut), "emoji": False}
