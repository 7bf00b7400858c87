"""Senders of prepared requests: threads that send one after another, as an SDK does, and send again what must wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_PAUSE = 0.2
Send = Callable[[bytes], bool]
"""Sends one body; False when it must be sent again later."""


def by_grpc(endpoint: str) -> Send:
    channel = grpc.insecure_channel(endpoint)
    grpc.channel_ready_future(channel).result(30)
    call = channel.unary_unary(_EXPORT)

    def send(body: bytes) -> bool:
        try:
            call(body, timeout=120)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        return True

    return send


def by_http(url: str, content_type: str = "application/x-protobuf", headers: dict[str, str] | None = None) -> Send:
    client = httpx.Client(timeout=120, headers={"content-type": content_type, **(headers or {})})

    def send(body: bytes) -> bool:
        answer = client.post(url, content=body)
        if answer.status_code in (429, 503):
            return False
        answer.raise_for_status()
        return True

    return send


class Load:
    """One load; `acks` holds for each request when its OK came and how long that took."""

    def __init__(self, send: Send, senders: int, per_second: float = 0) -> None:
        self._send, self._senders, self._pace = send, senders, per_second
        self.acks: list[tuple[float, float]] = []
        self.refused = 0

    def run(self, bodies: Iterable[bytes]) -> float:
        """Seconds from the first request to the last OK."""
        waiting, lock = enumerate(bodies), threading.Lock()
        began = time.monotonic()

        def sender() -> None:
            while True:
                with lock:
                    number, body = next(waiting, (-1, b""))
                if number < 0:
                    return
                self._one(body, began + number / self._pace if self._pace else 0)

        with ThreadPoolExecutor(self._senders) as pool:
            for running in [pool.submit(sender) for _ in range(self._senders)]:
                running.result()
        return time.monotonic() - began

    def _one(self, body: bytes, due: float) -> None:
        """With a pace the clock runs from when the request was due, so that a slow answer also counts for those behind it."""
        time.sleep(max(0.0, due - time.monotonic()))
        began = due or time.monotonic()
        while not self._send(body):
            self.refused += 1
            time.sleep(_PAUSE)
        now = time.monotonic()
        self.acks.append((now, now - began))
