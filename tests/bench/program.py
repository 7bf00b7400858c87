"""The real program under load: what a sender waits for, what it costs, what lies on disk after."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import numpy as np
from tests.bench.load import Load, Send, by_grpc, by_http
from tests.bench.workload import SPANS_PER_REQUEST
from tests.bridge import bridge
from tests.e2e.harness import Program
from tests.e2e.story import double_refund, provider
from tests.processes import busy_seconds, cpu_seconds, rss_mib

_LONGEST = 600.0
_WARM = 8
_STORED = re.compile(r'^actorscope_ingest_records_total\{outcome="stored",signal="traces"\} (\S+)', re.MULTILINE)


def quiet(pids: list[int], longest: float = 30.0) -> None:
    """Wait until the processes do next to nothing for two seconds."""
    end, before = time.monotonic() + longest, cpu_seconds(pids)
    while time.monotonic() < end:
        time.sleep(2)
        now = cpu_seconds(pids)
        if now - before < 0.2:
            return
        before = now


class Watcher(threading.Thread):
    """Looks ten times a second how many spans are stored, and once a second at the memory."""

    def __init__(self, program: Program) -> None:
        super().__init__(name="watcher", daemon=True)
        assert program.process
        self._metrics, self._pid = program.where["http"] + "/metrics", program.process.pid
        self._before = self._count(httpx)
        self.stored: list[tuple[float, float]] = []
        self.memory: list[tuple[float, float]] = []
        self._spans, self._stop_at = float("inf"), float("inf")

    def run(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self.stored or (self.stored[-1][1] < self._spans and time.monotonic() < self._stop_at):
                count, now = self._count(client), time.monotonic()
                self.stored.append((now, count - self._before))
                if not self.memory or now - self.memory[-1][0] >= 1:
                    self.memory.append((now, rss_mib([self._pid], "VmRSS")))
                time.sleep(0.1)

    def _count(self, client: Any) -> float:
        found = _STORED.search(client.get(self._metrics).text)
        return float(found[1]) if found else 0.0

    def finish(self, spans: int) -> None:
        """Until so many are stored. Raises TimeoutError."""
        self._spans, self._stop_at = spans, time.monotonic() + _LONGEST
        self.join()
        if not self.stored or self.stored[-1][1] < spans:
            raise TimeoutError(f"{self.stored[-1][1]:,.0f} of {spans:,} spans were stored")


@dataclass
class Run:
    """What one load showed. Times in milliseconds, median and 99th percentile; CPU of the server alone, per 100k spans."""

    name: str
    spans: int
    acked: float
    queryable: float
    ok_ms: tuple[float, float]
    queryable_ms: tuple[float, float]
    cpu: float
    cpu_merged: float
    rss_mib: float
    refused: int
    others: float
    """Cores that others kept busy meanwhile: how noisy the line is."""
    memory: list[tuple[float, float]] = field(default_factory=list)


def _percentiles(seconds: np.ndarray) -> tuple[float, float]:
    return float(np.percentile(seconds, 50) * 1000), float(np.percentile(seconds, 99) * 1000)


def _until_queryable(acks: list[tuple[float, float]], stored: list[tuple[float, float]]) -> np.ndarray:
    """Seconds from each request's start to the first look that found as many spans stored as were acknowledged by then:
    the log keeps the order, so that this request is among them."""
    times, latencies = np.array(sorted(acks)).T
    looks, counts = np.array(stored).T
    needed = (np.arange(len(times)) + 1) * SPANS_PER_REQUEST
    seen = looks[np.minimum(np.searchsorted(counts, needed), len(looks) - 1)]
    return np.asarray(np.maximum(seen - times, 0) + latencies)


def doors(program: Program) -> dict[str, Send]:
    """The ways in."""
    traces = program.where["http"] + "/v1/traces"
    return {"grpc": by_grpc(program.where["grpc"]), "http": by_http(traces), "json": by_http(traces, "application/json")}


def load(
    program: Program, name: str, door: str, bodies: Iterable[bytes], senders: int, per_second: float = 0, rest: bool = True
) -> Run:
    """Send `bodies` to a program, wait until all can be queried. The first requests, which load code, are not counted.
    With `rest` also until merges are done."""
    assert program.process
    pids, waiting, send = [program.process.pid], iter(bodies), doors(program)[door]
    _warm(program, send, list(islice(waiting, _WARM)))
    sending, watcher = Load(send, senders, per_second), Watcher(program)
    before, busy, own, began = cpu_seconds(pids), busy_seconds(), time.process_time(), time.monotonic()
    watcher.start()
    acked = sending.run(waiting)
    spans = len(sending.acks) * SPANS_PER_REQUEST
    watcher.finish(spans)
    queryable, used = time.monotonic() - began, cpu_seconds(pids) - before
    others = (busy_seconds() - busy - used - (time.process_time() - own)) / queryable
    if rest:
        quiet(pids)
    merged = cpu_seconds(pids) - before
    return Run(
        name=name,
        spans=spans,
        acked=spans / acked,
        queryable=spans / queryable,
        ok_ms=_percentiles(np.array([latency for _, latency in sending.acks])),
        queryable_ms=_percentiles(_until_queryable(sending.acks, watcher.stored)),
        cpu=used / spans * 100_000,
        cpu_merged=merged / spans * 100_000,
        rss_mib=rss_mib(pids),
        refused=sending.refused,
        others=max(0.0, others),
        memory=[(at - began, mib) for at, mib in watcher.memory],
    )


def _warm(program: Program, send: Send, bodies: list[bytes]) -> None:
    watcher = Watcher(program)
    watcher.start()
    Load(send, 1).run(bodies)
    watcher.finish(len(bodies) * SPANS_PER_REQUEST)


def sizes(data: Path) -> list[tuple[str, int, int, int]]:
    """Tables of a stopped program with their rows, bytes as they lie and bytes after OPTIMIZE FINAL, largest first."""
    parts = (
        "SELECT table, sum(rows), sum(bytes_on_disk) AS bytes FROM system.parts "
        "WHERE active AND database = currentDatabase() GROUP BY table ORDER BY bytes DESC"
    )
    with bridge(data / "store") as server:
        client = server.client(database="default", send_receive_timeout=300)
        before = client.query(parts).result_rows
        for table, *_ in before:
            client.command(f"OPTIMIZE TABLE {table} FINAL")
        after = {table: (rows, size) for table, rows, size in client.query(parts).result_rows}
        client.close()
    return [(table, rows, size, after.get(table, (0, 0))[1]) for table, rows, size in before]


@dataclass
class Whole:
    """Intake, analysis and explorer in one process."""

    run: Run
    analysed_after: float
    lag_idle: float
    lag_busy: float


def whole(folder: Path, bodies: list[bytes], senders: int) -> Whole:
    """Load `up`, with findings waited for before and while it is loaded."""
    spans = len(bodies) * SPANS_PER_REQUEST
    with Program(folder) as program:
        _detection_lag(program, 0)  # the first query and the first pass load code
        idle = median(_detection_lag(program, number) for number in range(1, 4))
        before = program.get("/api/health")
        busy: list[float] = []
        watcher = threading.Thread(target=lambda: busy.extend(_detection_lag(program, n) for n in (10, 11)))
        watcher.start()
        assert program.process
        used = cpu_seconds([program.process.pid])
        run = load(program, f"`up`, {senders} senders", "grpc", bodies, senders, rest=False)
        stored = time.monotonic()
        _wait(lambda: program.get("/api/health")["analysed_spans"] - before["analysed_spans"] >= spans)
        analysed = time.monotonic() - stored
        watcher.join()
        quiet([program.process.pid])
        used = cpu_seconds([program.process.pid]) - used
        return Whole(replace(run, cpu_merged=used / spans * 100_000), analysed, idle, median(busy))


def _wait(condition: object, timeout: float = _LONGEST) -> None:
    end = time.monotonic() + timeout
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            raise TimeoutError("the program did not catch up")
        time.sleep(0.1)


def _detection_lag(program: Program, number: int) -> float:
    """Seconds from the end of the export of a double refund to its finding in the API."""
    tracers = provider(program.where, service=f"lag-{number}")
    began = time.monotonic()
    trace_id = double_refund(tracers, order=f"L-{number}", conversation=f"lag-{number}")
    statement = f"SELECT count() FROM findings WHERE position(evidence, '{trace_id}') > 0"
    _wait(lambda: program.sql(statement)[0][0] > 0, 120)
    return time.monotonic() - began
