"""Lets the desk write what is due, and sends what is in the outbox: retried, at least once, every target at its own pace."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from actorscope.analysis.alerts import guard, outbox
from actorscope.analysis.alerts.desk import Desk
from actorscope.analysis.alerts.outbox import Row
from actorscope.analysis.alerts.send import send
from actorscope.analysis.alerts.verdict import Verdict, decide
from actorscope.errors import DefinitionError, Problem, TransientError
from actorscope.ingest.store.client import Store
from actorscope.settings import AlertSettings, TargetSettings

log = logging.getLogger(__name__)
_T = TypeVar("_T")
Clock = Callable[[], datetime]
BATCH = 16
POLL_SECONDS = 5.0
GRACE_SECONDS = 5.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Deliverer:
    """One thread that sends what is due, to every target at its own pace: one that hangs delays nobody else.

    All state is in the store, so a new one continues where the last stopped. What was sent but not yet recorded
    when the process died is sent again, with the same `webhook-id`.
    """

    def __init__(
        self,
        store: Store,
        settings: AlertSettings,
        desk: Desk | None = None,
        clock: Clock = _utc_now,
        chance: Callable[[], float] = random.random,
        resolve: guard.Resolve = guard.resolve,
    ) -> None:
        names = [target.name for target in settings.everybody]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DefinitionError([Problem(f"setting alerts.targets.{name}", "name is used twice") for name in twice])
        self._store, self._clock, self._chance, self._resolve = store, clock, chance, resolve
        self._settings, self._desk, self._at_desk = settings, desk, asyncio.Event()
        self._targets = {target.name: target for target in settings.everybody}
        self._wakes = {name: asyncio.Event() for name in self._targets}
        self._held_until: dict[str, datetime] = {}
        self._is_stopping = False
        self._stop_asked = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        # The store is asked on a thread of its own: a slow answer must not run down the deadlines of open requests.
        self._store_thread = ThreadPoolExecutor(1, thread_name_prefix="alerts-store")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="alerts")

    def start(self) -> None:
        """Begin; without targets there is nothing to do."""
        if self._targets:
            self._thread.start()

    def hear(self, transitions: Iterable[dict[str, Any]]) -> None:
        """Tell the desk what became of findings, and let it work at once. From any thread."""
        if self._desk:
            self._desk.hear(transitions)
            self._tell(self._at_desk)

    def wake(self) -> None:
        """Look for new rows now; from any thread."""
        self._tell(*self._wakes.values())

    def stop(self) -> None:
        """Let open requests finish for a few seconds, then end the threads."""
        self._is_stopping = True
        self._tell(self._stop_asked, self._at_desk, *self._wakes.values())
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
        tasks = [asyncio.create_task(self._serve(each)) for each in self._targets.values()]
        tasks += [asyncio.create_task(self._plan(self._desk))] if self._desk else []
        if not self._is_stopping:
            await self._stop_asked.wait()
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _plan(self, desk: Desk) -> None:
        """Keep the desk at work; what it wrote is sent at once."""
        while not self._is_stopping:
            self._at_desk.clear()
            pause = POLL_SECONDS
            try:
                pause = await self._ask(desk.work)
                for wake in self._wakes.values() if desk.wrote else ():
                    wake.set()
            except TransientError as error:
                log.warning("alerts wait: %s", error)
                pause = 1.0
            except Exception:
                log.exception("planning alerts met a bug and is repeated")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._at_desk.wait(), pause)

    async def _serve(self, target: TargetSettings) -> None:
        wake = self._wakes[target.name]
        while not self._is_stopping:
            wake.clear()
            pause = POLL_SECONDS
            try:
                pause = await self._send_due(target)
            except TransientError as error:
                log.warning("alerts to %s wait: %s", target.name, error)
            except Exception:
                log.exception("alerts to %s met a bug", target.name)
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), pause)

    async def _send_due(self, target: TargetSettings) -> float:
        """Send what is due now, in order; returns the seconds until the next look."""
        held = self._held_until.get(target.name)
        if held is not None and (wait := (held - self._clock()).total_seconds()) > 0:
            return min(wait, POLL_SECONDS)
        rows = await self._ask(lambda: outbox.waiting(self._store, target.name, BATCH))
        for row in rows:
            wait = (row.next_attempt_at - self._clock()).total_seconds()
            if wait > 0:
                return min(wait, POLL_SECONDS)
            verdict = await self._try(target, row)
            if verdict.is_told:
                self._held_until[target.name] = verdict.next_attempt_at
            if verdict.is_told or self._is_stopping:
                return 0.0
        return 0.0 if rows else POLL_SECONDS

    async def _try(self, target: TargetSettings, row: Row) -> Verdict:
        attempt = await send(target, row.body, self._settings, self._clock(), self._resolve)
        now, count = self._clock(), row.attempts + 1
        if attempt.is_refused:
            verdict = Verdict("dead", now)
        else:
            age = now - row.created_at
            verdict = decide(attempt.status, attempt.retry_after, count, age, now, self._chance(), row.last_status)
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
