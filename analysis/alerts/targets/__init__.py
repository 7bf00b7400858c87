"""How each kind of target wants to be told: the notification of the outbox as the request that it understands.

Requests are made at the moment of sending, so that secrets never lie in the store. Nothing here sends.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from actorscope.analysis.alerts.targets import alertmanager, generic, pagerduty, slack, teams
from actorscope.analysis.alerts.targets.request import Request
from actorscope.errors import PermanentError, TransientError
from actorscope.settings import AlertSettings, TargetSettings

__all__ = ["Request", "request"]
_Render = Callable[[dict[str, Any], TargetSettings, AlertSettings, datetime], Request]
_KINDS: dict[str, _Render] = {
    "alertmanager": alertmanager.push,
    "alertmanager_webhook": alertmanager.webhook,
    "pagerduty": pagerduty.event,
    "slack": slack.message,
    "teams": teams.message,
}


def request(target: TargetSettings, body: str, settings: AlertSettings, now: datetime) -> Request:
    """The request that tells `target` of a notification, made with its secrets as they are now.

    Raises TransientError where a secret is missing or wrong, for it can be put right.
    """
    try:
        if target.kind == "generic":
            return generic.request(body, target, now)
        if target.kind not in _KINDS:
            raise PermanentError(f"{target.kind} is not told over HTTP")
        return _KINDS[target.kind](json.loads(body), target, settings, now)
    except (OSError, UnicodeDecodeError) as error:
        raise TransientError(f"cannot read the secret file: {type(error).__name__}") from None
