"""After OK nothing is lost and nothing is doubled, whatever happens to the process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.e2e.harness import Program

pytestmark = pytest.mark.e2e
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def _body(number: int, spans: int = 20) -> bytes:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for index in range(spans):
        span = scope.spans.add(name=f"step {index}")
        span.trace_id = (number + 1).to_bytes(16, "big")
        span.span_id = (number * spans + index + 1).to_bytes(8, "big")
        span.start_time_unix_nano = 1_790_000_000_000_000_000 + number * 10**9 + index
        span.end_time_unix_nano = span.start_time_unix_nano + 1000
    return bytes(request.SerializeToString())


def _send(program: Program, bodies: list[bytes]) -> int:
    """How many were answered OK; the connection may break under us."""
    acknowledged = 0
    with grpc.insecure_channel(program.where["grpc"]) as channel, ThreadPoolExecutor(8) as pool:
        call = channel.unary_unary(_EXPORT)
        for future in [pool.submit(call, body, timeout=20) for body in bodies]:
            try:
                future.result()
                acknowledged += 1
            except grpc.RpcError:
                pass
    return acknowledged


def test_acknowledged_spans_survive_a_kill_right_after_ok_and_are_stored_once(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    bodies = [_body(number) for number in range(60)]
    with program:
        assert _send(program, bodies) == len(bodies)
        program.kill()
        program.start()
        program.settle(60 * 20)
        assert program.sql("SELECT count(), uniqExact(trace_id, span_id) FROM spans") == [[1200, 1200]]
        assert _send(program, bodies) == len(bodies), "the exporter's retry of the same bytes is acknowledged"
        health = program.get("/api/health")
        assert health["spans_duplicate"] == 1200 and health["spans_accepted"] == 0
        program.settle(1200)
        assert program.sql("SELECT count() FROM spans") == [[1200]]
        assert program.stop() == 0


def test_ten_kills_under_load_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    sent, acknowledged = 0, set[int]()
    with program:
        for _ in range(10):
            numbers = list(range(sent, sent + 40))
            sent += len(numbers)
            with grpc.insecure_channel(program.where["grpc"]) as channel, ThreadPoolExecutor(8) as pool:
                call = channel.unary_unary(_EXPORT)
                futures = {number: pool.submit(call, _body(number, 5), timeout=10) for number in numbers}
                futures[numbers[25]].exception()
                program.kill()
                acknowledged |= {n for n, f in futures.items() if f.exception() is None}
            program.start()
        program.settle(len(acknowledged) * 5)
        rows = program.sql("SELECT trace_id, count(), uniqExact(span_id) FROM spans GROUP BY trace_id")
        assert all(count == distinct == 5 for _, count, distinct in rows)
        stored = {int(trace_id, 16) - 1 for trace_id, _, _ in rows}
        assert len(acknowledged) >= 200, "the test must have acknowledged enough to mean something"
        assert acknowledged <= stored
