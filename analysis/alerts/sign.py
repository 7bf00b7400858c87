"""Who sent it: the signature of Standard Webhooks 1.0 over id, time and body."""

from __future__ import annotations

from datetime import UTC, datetime

from standardwebhooks import Webhook

from actorscope.errors import TransientError


def signed_headers(secret: str, id: str, body: str, now: datetime) -> dict[str, str]:
    """The three headers; two secrets with a space between give two signatures, for a rotation.

    Raises TransientError, for a secret can be put right; its text does not quote it.
    """
    moment = now.astimezone(UTC)
    try:
        signatures = [Webhook(each).sign(id, moment, body) for each in secret.split()]
    except Exception:
        raise TransientError("the webhook secret is not whsec_ and base64") from None
    if not signatures:
        raise TransientError("the webhook secret is empty")
    stamp = str(int(moment.timestamp()))
    return {"webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}
