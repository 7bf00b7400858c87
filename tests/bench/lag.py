"""How long a fault stays unseen while 20,000 spans a second come in: planted in the load, awaited in the API."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.bench.load import Load, by_grpc
from tests.bench.program import Watcher
from tests.bench.workload import SPANS_PER_REQUEST, Rounds, Value, attributes
from tests.e2e.harness import Program
from tests.processes import busy_seconds, cpu_seconds, rss_mib

RATE, SECONDS, FAULTS = 20_000, 96.0, 72
_WARM_SECONDS, _PATIENCE = 8.0, 120.0
_PREFIX = "lag-"
Step = tuple[int, str, dict[str, Value]]
"""The number of the step above (-1 for none), the name of the agent or tool, and what it states."""


def _agent(name: str, request: str, **more: Value) -> dict[str, Value]:
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": request}]}])
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, "gen_ai.input.messages": asked, **more}


def _tool(name: str, arguments: dict[str, object], **more: Value) -> dict[str, Value]:
    said = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.call.arguments": json.dumps(arguments)}
    return {**said, **more}


def _duplicate_write(number: int) -> list[Step]:
    refund = _tool("issue_refund", {"order": f"L-{number}", "amount": 12.5})
    return [(-1, "refunds", _agent("refunds", f"Please refund order L-{number}")), (0, "issue_refund", refund), (0, "issue_refund", refund)]


def _cycle(number: int) -> list[Step]:
    request = f"Give customer {number} a quote"
    return [(n - 1, name, _agent(name, request)) for n, name in enumerate(["sales", "support", "sales", "support", "sales"])]


def _outside_grant(number: int) -> list[Step]:
    scope = {"actorscope.delegation.scope.granted": ["tool:search"]}
    run = _agent("keeper", f"What do we know of customer {number}?", **scope)  # type: ignore[arg-type]
    return [(-1, "keeper", run), (0, "delete_file", _tool("delete_file", {"path": f"/customers/{number}"}))]


_KINDS = {"reexecution_duplicate_write": _duplicate_write, "delegation_cycle": _cycle, "authority_outside_grant": _outside_grant}


def fault(number: int) -> tuple[str, str, bytes]:
    """The detector that must speak of it, its service, and the request; each has a service, so that each opens a finding."""
    rng, now = random.Random(number), time.time_ns()
    detector = list(_KINDS)[number % len(_KINDS)]
    trace, steps = rng.randbytes(16), _KINDS[detector](number)
    request, ids = ExportTraceServiceRequest(), [rng.randbytes(8) for _ in steps]
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes({"service.name": f"{_PREFIX}{number}"}))
    spans = resource.scope_spans.add().spans
    for place, (above, name, said) in enumerate(steps):
        span = Span(trace_id=trace, span_id=ids[place], parent_span_id=ids[above] if above >= 0 else b"", name=name, kind=1)
        span.start_time_unix_nano = now + place * 1_000_000
        span.end_time_unix_nano = now + 1_000_000 * (len(steps) + len(steps) - place)
        span.attributes.extend(attributes(said))
        spans.append(span)
    return detector, f"{_PREFIX}{number}", request.SerializeToString()


@dataclass
class Lag:
    """Seconds per planted fault, and what the program used meanwhile."""

    from_ok: np.ndarray
    from_queryable: np.ndarray
    missed: int
    spans: int
    rate: float
    cpu: float
    others: float
    rss_mib: float
    behind: float
    """Seconds from the last OK until all was judged."""


class _Looks(threading.Thread):
    """Asks the API, some times a second, which faults have their finding."""

    def __init__(self, program: Program) -> None:
        super().__init__(name="looks", daemon=True)
        self._url = program.where["ui"] + "/api/sql"
        self.found: dict[tuple[str, str], float] = {}
        self.over = threading.Event()

    def run(self) -> None:
        told = f"SELECT detector, splitByChar('/', subject_id)[1] FROM findings WHERE subject_id LIKE '{_PREFIX}%'"
        with httpx.Client(timeout=60) as client:
            while not self.over.wait(0.1):
                for detector, service in client.post(self._url, json={"sql": told, "max_rows": 10_000}).json()["rows"]:
                    self.found.setdefault((detector, service), time.monotonic())


def _plant(program: Program, numbers: range, every: float) -> dict[str, tuple[str, float]]:
    """By service the detector and when its OK came."""
    send, acked = by_grpc(program.where["grpc"]), {}
    began = time.monotonic()
    for place, number in enumerate(numbers):
        time.sleep(max(0.0, began + place * every - time.monotonic()))
        detector, service, body = fault(number)
        while not send(body):
            time.sleep(0.05)
        acked[service] = detector, time.monotonic()
    return acked


def measure(folder: Path, rounds: Rounds, rate: int = RATE, seconds: float = SECONDS, faults: int = FAULTS) -> Lag:
    """`actorscope up` under so many spans a second for so long; the first seconds, which load code, have no faults."""
    with Program(folder) as program:
        assert program.process
        pids, looks = [program.process.pid], _Looks(program)
        send = by_grpc(program.where["grpc"])
        for body in rounds.take(8 * SPANS_PER_REQUEST):
            send(body)
        _plant(program, range(10**6, 10**6 + 3), 0.1)
        watcher = Watcher(program)
        load, acked = Load(send, 4, rate / SPANS_PER_REQUEST), {}
        planter = threading.Timer(_WARM_SECONDS, lambda: acked.update(_plant(program, range(faults), seconds / faults)))
        looks.start()
        watcher.start()
        planter.start()
        before, busy, own, began = cpu_seconds(pids), busy_seconds(), time.process_time(), time.monotonic()
        took = load.run(_until(rounds, began + _WARM_SECONDS + seconds))
        used, own = cpu_seconds(pids) - before, time.process_time() - own
        others = (busy_seconds() - busy - used - own) / took
        ended = time.monotonic()
        planter.join()
        while len(_faults_seen(acked, looks)) < len(acked) and time.monotonic() - ended < _PATIENCE:
            time.sleep(0.1)
        behind = time.monotonic() - ended
        looks.over.set()
        looks.join()
        spans = len(load.acks) * SPANS_PER_REQUEST
        watcher.finish(spans)
        seen = _faults_seen(acked, looks)
        queryable = _queryable([acked[s][1] for s in seen], load, watcher)
        return Lag(
            from_ok=np.array([looks.found[acked[s][0], s] - acked[s][1] for s in seen]),
            from_queryable=np.array([max(0.0, looks.found[acked[s][0], s] - at) for s, at in zip(seen, queryable, strict=True)]),
            missed=len(acked) - len(seen), spans=spans, rate=spans / took, cpu=used / spans * 100_000,
            others=max(0.0, others), rss_mib=rss_mib(pids), behind=behind,
        )  # fmt: skip


def _faults_seen(acked: dict[str, tuple[str, float]], looks: _Looks) -> list[str]:
    return [service for service, (detector, _) in acked.items() if (detector, service) in looks.found]


def _queryable(oks: list[float], load: Load, watcher: Watcher) -> list[float]:
    """When each fault could be queried: as many spans were stored as had been acknowledged by its OK; the log keeps the order."""
    acks, (looks, counts) = np.array(sorted(at for at, _ in load.acks)), np.array(watcher.stored).T
    needed = np.searchsorted(acks, oks) * SPANS_PER_REQUEST
    return [float(at) for at in np.maximum(looks[np.minimum(np.searchsorted(counts, needed), len(looks) - 1)], oks)]


def _until(rounds: Rounds, end: float) -> Iterator[bytes]:
    while time.monotonic() < end:
        yield from rounds.take(SPANS_PER_REQUEST)
