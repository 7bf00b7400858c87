"""Any receiver of its own: the CloudEvent as it is, signed after Standard Webhooks."""

from __future__ import annotations

import json
from datetime import datetime

from actorscope.analysis.alerts.event import CONTENT_TYPE
from actorscope.analysis.alerts.sign import signed_headers
from actorscope.analysis.alerts.targets.request import Request
from actorscope.settings import TargetSettings


def request(body: str, target: TargetSettings, now: datetime) -> Request:
    """The body is sent byte by byte as it lies in the outbox; only the signature is of the moment."""
    headers = signed_headers(target.key(), json.loads(body)["id"], body, now)
    return Request(target.address(), body.encode(), {"content-type": CONTENT_TYPE, **headers})
