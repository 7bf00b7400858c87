"""A port for HTTP/2: one loop in a thread of its own reads all connections, a pool of threads does the work."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from actorscope.ingest.budget import Budget
from actorscope.ingest.otlp.asgi import bind
from actorscope.ingest.otlp.http2 import Answer, Call, Connection

log = logging.getLogger(__name__)
_THREADS = 64
"""Calls run at once: most of them wait for the same write to the log."""
_CONNECTIONS = 1024
_LOOK_SECONDS = 5.0
_HANDSHAKE_SECONDS = 15.0


class Listener:
    """Binds at once (OSError when the port is taken), takes calls from `start` to `stop`.

    `open` makes a call of the headers of a request; `late` is what calls are told that a stop has no time for.
    """

    def __init__(
        self, host: str, port: int, name: str, open: Callable[[dict[bytes, bytes]], Call], late: Answer,
        budget: Budget, tls: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self._socket = bind(host, port, name)
        self._socket.listen(_CONNECTIONS)
        self.port = int(self._socket.getsockname()[1])
        self.open, self.budget = open, budget
        self._late, self._tls = late, tls
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="otlp-grpc")
        self._done: deque[tuple[Connection, int, Answer]] = deque()
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._server: asyncio.Server | None = None
        self._turned_away = 0

    def start(self) -> None:
        """Returns when calls are taken."""
        self._thread.start()
        self._wait_for(self._serve())

    async def _serve(self) -> None:
        encrypted: dict[str, Any] = {"ssl": self._tls, "ssl_handshake_timeout": _HANDSHAKE_SECONDS} if self._tls else {}
        self._server = await self._loop.create_server(lambda: Connection(self), sock=self._socket, **encrypted)
        self._loop.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        now = time.monotonic()
        for connection in [*self._connections]:
            try:
                connection.look(now)
            except Exception:  # one odd connection must not end the looking after all others
                log.exception("unexpected error in an HTTP/2 connection")
        if self._turned_away:
            log.warning("%d connections over the %d that there may be were turned away", self._turned_away, _CONNECTIONS)
            self._turned_away = 0
        self._loop.call_later(_LOOK_SECONDS, self._look)

    def joined(self, connection: Connection) -> bool:
        """False when there are too many already."""
        if len(self._connections) >= _CONNECTIONS:
            self._turned_away += 1
            return False
        self._connections.add(connection)
        return True

    def parted(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def run(self, connection: Connection, number: int, call: Call) -> Future[None]:
        """Run a call that is here whole; its answer comes back on the loop."""
        return self._pool.submit(self._run, connection, number, call)

    def _run(self, connection: Connection, number: int, call: Call) -> None:
        self._done.append((connection, number, call.run()))
        self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        told = set()
        while self._done:
            connection, number, answer = self._done.popleft()
            connection.answer(number, answer)
            told.add(connection)
        for connection in told:
            connection.flush()

    def stop(self, grace_seconds: float = 5.0) -> None:
        """Take no new call, let calls in flight finish, tell the rest to come again."""
        if self._thread.is_alive():
            self._wait_for(self._close(grace_seconds))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._socket.close()
        if not self._loop.is_running():
            self._loop.close()

    async def _close(self, grace_seconds: float) -> None:
        assert self._server is not None
        self._server.close()
        end = time.monotonic() + grace_seconds
        for connection in [*self._connections]:
            connection.drain()
        while self._connections and time.monotonic() < end:
            await asyncio.sleep(0.01)
        for connection in [*self._connections]:
            connection.finish(self._late)
        end = time.monotonic() + 1.0
        while self._connections and time.monotonic() < end:  # what was said is written
            await asyncio.sleep(0.005)
        for connection in [*self._connections]:
            connection.abort()
        await asyncio.sleep(0)

    def _wait_for(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
