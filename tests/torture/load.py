"""Senders that never give up: a request is sent with the same bytes until it is acknowledged, over both doors."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter

import grpc
import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SPANS = 24
_START = 1_795_000_000_000_000_000
_HONEST = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}


def body(numbers: list[int]) -> bytes:
    """Spans with these numbers as ids, each the same in every request that holds it."""
    request = ExportTraceServiceRequest()
    holder = request.resource_spans.add()
    holder.resource.attributes.add(key="service.name").value.string_value = "torture"
    scope = holder.scope_spans.add()
    for number in numbers:
        span = scope.spans.add(name=f"step {number % 7}", trace_id=(number // 8 + 1).to_bytes(16, "big"))
        span.span_id = number.to_bytes(8, "big")
        span.start_time_unix_nano = _START + number * 1000
        span.end_time_unix_nano = span.start_time_unix_nano + 500
        span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
        span.attributes.add(key="payload").value.string_value = "x" * (number % 400)
    return bytes(request.SerializeToString())


class Senders:
    """Threads that send until `stop`; `where` may change when the program comes back elsewhere."""

    def __init__(self, count: int, seed: int) -> None:
        self.where: dict[str, str] = {}
        self.acknowledged: set[int] = set()
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        self._next, self._lock, self._stop = 1, threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n, random.Random(seed * 1000 + n))) for n in range(count)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Every request under way is acknowledged first."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _numbers(self, rng: random.Random) -> list[int]:
        """New spans, and now and then some that went out before, as a second collector would send them."""
        with self._lock:
            numbers = list(range(self._next, self._next + SPANS))
            self._next += SPANS
        if rng.random() < 0.2:
            numbers += rng.sample(range(1, numbers[0] + 1), min(5, numbers[0]))
        return numbers

    def _run(self, index: int, rng: random.Random) -> None:
        while not self._stop.is_set():
            numbers = self._numbers(rng)
            data = body(numbers)
            began = time.monotonic()
            while not self._send(index, data):
                time.sleep(0.05 + rng.random() * 0.2)
            with self._lock:
                self.acknowledged.update(numbers)
                self.slowest = max(self.slowest, time.monotonic() - began)
            time.sleep(rng.random() * 0.02)

    def _send(self, index: int, data: bytes) -> bool:
        where = self.where
        try:
            answer = self._by_http(where["http"], data) if index % 2 else self._by_grpc(where["grpc"], data)
        except (httpx.TransportError, KeyError):
            answer = "connection"
        with self._lock:
            self.answers[answer] += 1
        return answer == "OK"

    def _by_http(self, url: str, data: bytes) -> str:
        headers = {"content-type": "application/x-protobuf"}
        status = httpx.post(f"{url}/v1/traces", content=data, headers=headers, timeout=20).status_code
        assert status in (200, 503), f"a sender was told {status} in the middle of an outage"
        return "OK" if status == 200 else str(status)

    def _by_grpc(self, target: str, data: bytes) -> str:
        with grpc.insecure_channel(target, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
            try:
                channel.unary_unary(_EXPORT)(data, timeout=20)
                return "OK"
            except grpc.RpcError as error:
                assert error.code() in _HONEST, f"a sender was told {error.code()} in the middle of an outage: {error.details()}"
                return str(error.code().name)
