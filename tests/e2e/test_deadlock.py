"""Two real senders wait for each other: the program says so while it happens, also across a restart, and takes it back when it is over."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.harness import Program, until
from tests.ingest import otlp

_PROTOBUF = {"content-type": "application/x-protobuf"}


def _send(program: Program, signal: str, body: bytes) -> None:
    answer = httpx.post(f"{program.where['http']}/v1/{signal}", content=body, headers=_PROTOBUF)
    assert answer.status_code == 200


def _starts(trace: int, name: str, waits_for: str) -> bytes:
    """A run of an agent and its wait for a message of another one, both open."""
    now, place = time.time_ns(), {"trace_id": trace.to_bytes(16, "big")}
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, "actorscope.agent.instance.id": f"inst-{name}"}
    wait = {
        "actorscope.operation.name": "wait", "actorscope.wait.target.type": "message", "actorscope.wait.target.id": f"inst-{waits_for}",
        "actorscope.span.parent.id": f"{1:016x}",
    }  # fmt: skip
    records = [
        otlp.record("", attributes, time_unix_nano=now + n, event_name=event, span_id=n.to_bytes(8, "big"), **place)
        for n, attributes, event in (
            (1, run, "actorscope.span.start"), (2, wait, "actorscope.span.start"), (2, wait, "actorscope.wait.start"),
        )
    ]  # fmt: skip
    return otlp.logs(*records, service=name)


def _ends(trace: int, name: str) -> bytes:
    now = time.time_ns()
    times = {"start_time_unix_nano": now - 10**9, "end_time_unix_nano": now}
    run = otlp.span(1, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}, trace=trace, **times)
    wait = otlp.span(2, {"actorscope.operation.name": "wait"}, trace=trace, parent_span_id=(1).to_bytes(8, "big"), **times)
    return otlp.traces(run, wait, service=name)


def _deadlocks(program: Program, state: str = "open") -> list[dict[str, Any]]:
    return [f for f in program.findings(state=state, limit=100) if f["detector"] == "delegation_deadlock"]


@pytest.mark.e2e
def test_a_deadlock_is_told_while_it_lasts(tmp_path: Path) -> None:
    program = Program(tmp_path / "data")
    with program:
        began = time.monotonic()
        for trace, name, other in ((1, "buyer", "seller"), (2, "seller", "buyer")):
            _send(program, "logs", _starts(trace, name, other))
        until(lambda: [f["severity"] for f in _deadlocks(program)] == ["high"], "the deadlock is confirmed")
        assert 5 < time.monotonic() - began < 60, "not before two looks, and soon after"
        (finding,) = _deadlocks(program)
        assert finding["title"] == "Deadlock: buyer waits for seller, seller waits for buyer"
        assert {e["trace_id"] for e in finding["evidence"]} == {f"{1:032x}", f"{2:032x}"}
    with program:
        time.sleep(5)
        assert [f["id"] for f in _deadlocks(program)] == [finding["id"]], "a restart goes on with it"
        _send(program, "traces", _ends(1, "buyer"))
        until(lambda: not _deadlocks(program), "the deadlock is over")
        assert [f["id"] for f in _deadlocks(program, "resolved")] == [finding["id"]]
