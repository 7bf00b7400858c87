"""Sends what is in the outbox: signed, retried, at least once. Nothing else in the analysis opens connections."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

import httpx

from actorscope.analysis.alerts import event, guard, outbox
from actorscope.analysis.alerts.outbox import Attempt, Row
from actorscope.analysis.alerts.sign import secret_of, signed_headers
from actorscope.analysis.alerts.verdict import Verdict, decide
from actorscope.errors import DefinitionError, PermanentError, Problem, TransientError
from actorscope.ingest.store.client import Store
from actorscope.settings import WebhookSettings

log = logging.getLogger(__name__)
# httpx logs whole URLs at INFO, and the path of a webhook may be its secret.
logging.getLogger("httpx").setLevel(logging.WARNING)
_T = TypeVar("_T")
Clock = Callable[[], datetime]
BATCH = 16
POLL_SECONDS = 5.0
GRACE_SECONDS = 5.0
_READ_LIMIT = 64 * 1024
_ERROR_LIMIT = 200


def _utc_now() -> datetime:
    return datetime.now(UTC)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


async def send(
    subscriber: WebhookSettings, id: str, body: str, now: datetime, resolve: guard.Resolve = guard.resolve
) -> Attempt:
    """Sign and post once; whatever goes wrong is told in the attempt, without the secret and without the path."""
    started = time.monotonic()
    status, retry_after, error, is_refused = 0, "", "", False
    try:
        async with asyncio.timeout(subscriber.timeout_seconds):
            headers = signed_headers(secret_of(subscriber), id, body, now)
            target = await asyncio.to_thread(guard.check, subscriber.url, resolve)
            async with _client() as client, _post(client, target, headers, body) as response:
                status, retry_after = response.status_code, response.headers.get("retry-after", "")
                await _drain(response)
    except TimeoutError:
        error = f"no answer within {subscriber.timeout_seconds:g} s"
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


def send_test(subscriber: WebhookSettings, public_url: str, resolve: guard.Resolve = guard.resolve) -> Attempt:
    """Send one test notification now, past the outbox, and return what came of it."""
    now = _utc_now()
    id, body = event.trial_notification(now, public_url)
    return asyncio.run(send(subscriber, id, body, now, resolve))


def _client() -> httpx.AsyncClient:
    # No proxy from the environment: it would connect where the guard did not look. The deadline is around the whole.
    return httpx.AsyncClient(verify=_tls(), trust_env=False, follow_redirects=False, timeout=None)


def _post(
    client: httpx.AsyncClient, target: guard.Target, headers: dict[str, str], body: str
) -> AbstractAsyncContextManager[httpx.Response]:
    return client.stream(
        "POST",
        target.url,
        content=body.encode(),
        headers={
            "host": target.host_header,
            "content-type": event.CONTENT_TYPE,
            "user-agent": "actorscope",
            "accept-encoding": "identity",
            **headers,
        },
        extensions={"sni_hostname": target.server_name} if target.server_name else {},
    )


async def _drain(response: httpx.Response) -> None:
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size >= _READ_LIMIT:
            return


class Deliverer:
    """One thread that sends what is due, to every subscriber at its own pace: one that hangs delays nobody else.

    All state is in the store, so a new one continues where the last stopped. What was sent but not yet recorded
    when the process died is sent again, with the same `webhook-id`.
    """

    def __init__(
        self,
        store: Store,
        subscribers: list[WebhookSettings],
        clock: Clock = _utc_now,
        chance: Callable[[], float] = random.random,
        resolve: guard.Resolve = guard.resolve,
    ) -> None:
        names = [s.name for s in subscribers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError([Problem(f"setting alerts.webhooks.{name}", "name is used twice") for name in twice])
        self._store, self._clock, self._chance, self._resolve = store, clock, chance, resolve
        self._wakes = {s.name: asyncio.Event() for s in subscribers}
        self._subscribers = {s.name: s for s in subscribers}
        self._held_until: dict[str, datetime] = {}
        self._is_stopping = False
        self._stop_asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # The store is asked on a thread of its own: a slow answer must not run down the deadlines of open requests.
        self._store_thread = ThreadPoolExecutor(1, thread_name_prefix="alerts-store")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="alerts")

    def start(self) -> None:
        """Begin; without subscribers there is nothing to do."""
        if self._subscribers:
            self._thread.start()

    def wake(self) -> None:
        """Look for new rows now; to be called after `enqueue`, from any thread."""
        self._tell(*self._wakes.values())

    def stop(self) -> None:
        """Let open requests finish for a few seconds, then end the threads."""
        self._is_stopping = True
        self._tell(self._stop_asked, *self._wakes.values())
        if self._thread.ident is not None:
            self._thread.join()
        self._store_thread.shutdown()

    def _tell(self, *events: asyncio.Event) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                for each in events:
                    self._loop.call_soon_threadsafe(each.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(self._serve(each)) for each in self._subscribers.values()]
        if not self._is_stopping:
            await self._stop_asked.wait()
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, subscriber: WebhookSettings) -> None:
        wake = self._wakes[subscriber.name]
        while not self._is_stopping:
            wake.clear()
            pause = POLL_SECONDS
            try:
                pause = await self._send_due(subscriber)
            except TransientError as error:
                log.warning("alerts to %s wait: %s", subscriber.name, error)
            except Exception:
                log.exception("alerts to %s met a bug", subscriber.name)
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause)

    async def _send_due(self, subscriber: WebhookSettings) -> float:
        """Send what is due now, in order; returns the seconds until the next look."""
        held = self._held_until.get(subscriber.name)
        if held is not None and (wait := (held - self._clock()).total_seconds()) > 0:
            return min(wait, POLL_SECONDS)
        rows = await self._ask(lambda: outbox.waiting(self._store, subscriber.name, BATCH))
        for row in rows:
            wait = (row.next_attempt_at - self._clock()).total_seconds()
            if wait > 0:
                return min(wait, POLL_SECONDS)
            verdict = await self._try(subscriber, row)
            if verdict.is_told:
                self._held_until[subscriber.name] = verdict.next_attempt_at
            if verdict.is_told or self._is_stopping:
                return 0.0
        return 0.0 if rows else POLL_SECONDS

    async def _try(self, subscriber: WebhookSettings, row: Row) -> Verdict:
        attempt = await send(subscriber, row.id, row.body, self._clock(), self._resolve)
        now, count = self._clock(), row.attempts + 1
        if attempt.is_refused:
            verdict = Verdict("dead", now)
        else:
            age = now - row.created_at
            verdict = decide(attempt.status, attempt.retry_after, count, age, now, self._chance())
        if verdict.state == "dead":
            log.warning("gave up alert %s to %s after %d attempts: %s", row.id, row.subscriber, count, attempt.error)
        # The receiver has it: until that is written nothing else is sent to it, or it would be sent again.
        while True:
            try:
                await self._ask(lambda: outbox.record(self._store, row, attempt, verdict))
                return verdict
            except TransientError as error:
                log.warning("attempt on alert %s is not recorded yet: %s", row.id, error)
                await asyncio.sleep(1.0)

    async def _ask(self, question: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._store_thread, question)
