"""The real program under load."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import grpc
from tests.bench.workload import SPANS_PER_REQUEST
from tests.e2e.harness import Program
from tests.e2e.story import double_refund, provider

_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_TICK = os.sysconf("SC_CLK_TCK")


class Load:
    """Sends prepared requests as fast as `senders` threads can; what is refused for the moment is sent again."""

    def __init__(self, endpoint: str, senders: int) -> None:
        self._channel = grpc.insecure_channel(endpoint)
        self._call = self._channel.unary_unary(_EXPORT)
        self._senders = senders
        self.latencies: list[float] = []

    def send(self, bodies: list[bytes]) -> float:
        """Seconds until the last acknowledgement."""
        grpc.channel_ready_future(self._channel).result(10)
        began = time.monotonic()
        with ThreadPoolExecutor(self._senders) as pool:
            list(pool.map(self._one, bodies))
        return time.monotonic() - began

    def _one(self, body: bytes) -> None:
        while True:
            began = time.monotonic()
            try:
                self._call(body, timeout=60)
                self.latencies.append(time.monotonic() - began)
                return
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                time.sleep(0.2)


@dataclass
class Measured:
    """What a run of the program under load showed."""

    acked_per_second: float
    visible_per_second: float
    ack_median_ms: float
    ack_p99_ms: float
    cpu_per_100k: float
    disk_per_100k: float
    peak_rss_mib: float
    analysed_after: float
    lag_idle: float
    lag_busy: float


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _peak_rss_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _wait(condition: object, timeout: float = 600) -> None:
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


def end_to_end(folder: Path, bodies: list[bytes], senders: int) -> Measured:
    """Load the program with `bodies`, wait until all is stored and analysed."""
    spans = len(bodies) * SPANS_PER_REQUEST
    with Program(folder / "data") as program:
        assert program.process
        pid = program.process.pid
        _detection_lag(program, 0)  # the first query and the first pass load code
        idle = median(_detection_lag(program, number) for number in range(1, 6))
        before, cpu = program.get("/api/health"), _cpu_of(pid)
        load = Load(program.where["grpc"], senders)
        busy: list[float] = []
        watcher = threading.Thread(
            target=lambda: busy.extend(_detection_lag(program, number) for number in range(10, 13))
        )
        began = time.monotonic()
        watcher.start()
        acked = load.send(bodies)
        _wait(lambda: program.get("/api/health")["spans_stored"] - before["spans_stored"] >= spans)
        visible = time.monotonic() - began
        _wait(lambda: program.get("/api/health")["analysed_spans"] - before["analysed_spans"] >= spans)
        analysed = time.monotonic() - began - acked
        watcher.join()
        used, peak = _cpu_of(pid) - cpu, _peak_rss_mib(pid)
        time.sleep(20)  # let merges settle
        disk = _size(program.data / "store")
    ordered = sorted(load.latencies)
    return Measured(
        acked_per_second=spans / acked,
        visible_per_second=spans / visible,
        ack_median_ms=1000 * median(ordered),
        ack_p99_ms=1000 * ordered[int(len(ordered) * 0.99)],
        cpu_per_100k=used / spans * 100_000,
        disk_per_100k=disk / spans * 100_000,
        peak_rss_mib=peak,
        analysed_after=analysed,
        lag_idle=idle,
        lag_busy=median(busy),
    )
