"""Sends one notification once, over the guarded way of its kind. Nothing else in the analysis opens connections."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import cache

import httpx

from actorscope.analysis.alerts import apprising, event, guard
from actorscope.analysis.alerts.outbox import Attempt
from actorscope.analysis.alerts.targets import Request, request
from actorscope.errors import PermanentError, TransientError
from actorscope.settings import AlertSettings, TargetSettings

# httpx logs whole URLs at INFO, and the path of a webhook may be its secret.
logging.getLogger("httpx").setLevel(logging.WARNING)
_READ_LIMIT = 64 * 1024
_ERROR_LIMIT = 200
_TAKE_BACK = ("pagerduty", "alertmanager", "alertmanager_webhook")
"""Kinds with a state of their own: a test must not leave anything open there."""


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


async def send(
    target: TargetSettings, body: str, settings: AlertSettings, now: datetime, resolve: guard.Resolve = guard.resolve
) -> Attempt:
    """Make the request and post it once; whatever goes wrong is told in the attempt, without secrets and without the path."""
    started = time.monotonic()
    status, retry_after, error, is_refused = 0, "", "", False
    try:
        async with asyncio.timeout(target.timeout_seconds):
            if target.kind == "apprise":
                status = await apprising.send(target, body, settings, resolve)
            else:
                made = request(target, body, settings, now)
                way = await asyncio.to_thread(guard.check, made.url, resolve)
                async with _client() as client, _post(client, way, made) as response:
                    status, retry_after = response.status_code, response.headers.get("retry-after", "")
                    await _drain(response)
    except TimeoutError:
        error = f"no answer within {target.timeout_seconds:g} s"
    except PermanentError as reason:
        error, is_refused = str(reason), True
    except (TransientError, ValueError) as reason:
        error = str(reason)
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as reason:
        error = f"{type(reason).__name__}: {reason}"
    if status:
        # The status is the answer; what happened while its body was read does not change it.
        error = "" if 200 <= status < 300 else f"answered {status}" + (", not followed" if status < 400 else "")
    latency_ms = int((time.monotonic() - started) * 1000)
    return Attempt(now, status, latency_ms, error[:_ERROR_LIMIT], retry_after, is_refused)


def send_test(
    target: TargetSettings, settings: AlertSettings, public_url: str, resolve: guard.Resolve = guard.resolve
) -> Attempt:
    """Send one test notification now, past the outbox, and return what came of it; where it would stay open, end it too."""

    async def work() -> Attempt:
        now = datetime.now(UTC)
        attempt = await send(target, event.trial(now, public_url)[1], settings, now, resolve)
        if target.kind in _TAKE_BACK and 200 <= attempt.status < 300:
            now = datetime.now(UTC)
            attempt = await send(target, event.trial(now, public_url, is_over=True)[1], settings, now, resolve)
        return attempt

    return asyncio.run(work())


def _client() -> httpx.AsyncClient:
    # No proxy from the environment: it would connect where the guard did not look. The deadline is around the whole.
    return httpx.AsyncClient(verify=_tls(), trust_env=False, follow_redirects=False, timeout=None)


def _post(
    client: httpx.AsyncClient, way: guard.Target, made: Request
) -> AbstractAsyncContextManager[httpx.Response]:
    return client.stream(
        "POST",
        way.url,
        content=made.body,
        headers={"host": way.host_header, "user-agent": "actorscope", "accept-encoding": "identity", **made.headers},
        extensions={"sni_hostname": way.server_name} if way.server_name else {},
    )


async def _drain(response: httpx.Response) -> None:
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size >= _READ_LIMIT:
            return
