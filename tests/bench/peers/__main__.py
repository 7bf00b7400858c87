"""`make bench-peers`: the same payload and senders into what a user would pick instead, and into us, in one run.

Writes docs/benchmarks-peers.md. Peers install themselves under ~/.cache; one that cannot be had is said to be so.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc
import httpx
from tests.bench.load import Load, Send, by_grpc, by_http
from tests.bench.peers.backend import FORWARDERS, STORES, Backend, Running, UninstallableError
from tests.bench.program import cpu_seconds, family, load, quiet, rss_mib
from tests.bench.report import machine, table
from tests.bench.workload import SPANS_PER_REQUEST, Rounds
from tests.e2e.harness import Program

_DOCS = Path(__file__).parents[3] / "docs" / "benchmarks-peers.md"
_LONGEST = 240.0
"""Seconds that what was acknowledged may take to become visible."""
_WARM = 8
"""Requests that load code and are not counted."""


@dataclass
class Found:
    """What one backend showed; CPU seconds per 100k spans, bytes a span."""

    name: str
    spans: int
    acked: float
    visible: float
    cpu: float
    rss: float
    disk: float
    survived: str


def _door(peer: Running) -> Send:
    if peer.backend.protocol == "grpc":
        return by_grpc(f"127.0.0.1:{peer.grpc}")
    return by_http(f"http://127.0.0.1:{peer.http}{peer.backend.path}", headers=peer.backend.headers)


@contextmanager
def _running(backend: Backend, sink: int = 0) -> Iterator[Running]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        peer = Running(backend, Path(folder), sink)
        try:
            yield peer
        finally:
            peer.kill()


def _until(stored: Callable[[], int], spans: int) -> None:
    end = time.monotonic() + _LONGEST
    while stored() < spans and time.monotonic() < end:
        time.sleep(0.25)


def measure(backend: Backend, bodies: list[bytes], senders: int) -> Found:
    """Load once and wait for all to be visible; then load another one and kill it right after the last OK."""
    warm, bodies = bodies[:_WARM], bodies[_WARM:]
    spans = len(bodies) * SPANS_PER_REQUEST
    with _running(backend) as peer:
        pids, door, first = family(peer.process.pid), _door(peer), _WARM * SPANS_PER_REQUEST
        Load(door, 1).run(warm)
        _until(lambda: backend.stored(peer.data), first)
        before, began = cpu_seconds(pids), time.monotonic()
        acked = Load(door, senders).run(bodies)
        _until(lambda: backend.stored(peer.data), first + spans)
        visible, stored = time.monotonic() - began, backend.stored(peer.data) - first
        used, rss = cpu_seconds(pids) - before, rss_mib(pids)
        peer.kill()
        disk = sum(path.stat().st_size for path in peer.data.glob(f"{backend.database}*"))
    with _running(backend) as peer:
        Load(_door(peer), senders).run(bodies)
        peer.kill()
        survived = f"{backend.stored(peer.data):,} of {spans:,}"
    name = f"{backend.name} {backend.version()}"
    return Found(name, spans, spans / acked, stored / visible, used / spans * 1e5, rss, disk / max(1, first + stored), survived)


def ours(bodies: list[bytes], senders: int) -> Found:
    """The same of `actorscope up`, analysis running."""
    spans = len(bodies) * SPANS_PER_REQUEST
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder) / "a") as program:
        run = load(program, "up", "grpc", bodies, senders)
        disk = sum(path.stat().st_size for path in (program.data / "store").rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder) / "b") as program:
        Load(by_grpc(program.where["grpc"]), senders).run(bodies)
        program.kill()
        program.start()
        _until(lambda: int(program.sql("SELECT count() FROM spans")[0][0]), spans)
        kept = program.sql("SELECT uniqExact(trace_id, span_id) FROM spans")[0][0]
    survived = f"{kept:,} of {spans:,}"
    return Found("actorscope up", spans, run.acked, run.queryable, run.cpu, run.rss_mib, disk / spans, survived)


@contextmanager
def _sink() -> Iterator[int]:
    """The port of a ClickHouse that forgets."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).with_name("sink.py")), "--path", folder, "--watch-stdin"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout and process.stdin
            try:
                yield int(json.loads(process.stdout.readline())["port"])
            finally:
                process.stdin.close()


@dataclass
class Forwarded:
    """What one that writes into the sink showed."""

    name: str
    acked: float
    cpu: float
    rss: float
    sent: float
    inserts: int


def _received(sink: int) -> dict[str, int]:
    found: dict[str, int] = httpx.get(f"http://127.0.0.1:{sink}/", params={"query": "SELECT received"}, timeout=60).json()
    return found


def _forward(name: str, pid: int, door: Send, bodies: list[bytes], senders: int, sink: int) -> Forwarded:
    """Load, then wait until the sink gets no more and the process rests."""
    pids = family(pid)
    Load(door, 1).run(bodies[:_WARM])
    time.sleep(6)
    quiet(pids)
    start = _received(sink)
    bodies, before = bodies[_WARM:], cpu_seconds(pids)
    spans = len(bodies) * SPANS_PER_REQUEST
    acked, got = Load(door, senders).run(bodies), {"bytes": -1}
    while (now := _received(sink)) != got or now == start:
        got = now
        time.sleep(6)  # longer than the Collector's batch waits
    quiet(pids)
    used = cpu_seconds(pids) - before
    sent, inserts = (now["bytes"] - start["bytes"]) / spans, now["inserts"] - start["inserts"]
    return Forwarded(name, spans / acked, used / spans * 1e5, rss_mib(pids), sent, inserts)


def forward(backend: Backend, bodies: list[bytes], senders: int) -> Forwarded:
    with _sink() as sink, _running(backend, sink) as peer:
        name = f"{backend.name} {backend.version()}"
        return _forward(name, peer.process.pid, _door(peer), bodies, senders, sink)


def our_forward(bodies: list[bytes], senders: int) -> Forwarded:
    """`actorscope ingest` before the same sink: its log, fsync before OK, normalising and all."""
    with _sink() as sink, tempfile.TemporaryDirectory() as folder:
        url = f"http://default:@127.0.0.1:{sink}/default?compress=false"
        with Program(Path(folder) / "data", "--store", url, role="ingest") as program:
            assert program.process
            return _forward("actorscope ingest", program.process.pid, by_grpc(program.where["grpc"]), bodies, senders, sink)


_STORE_HEADS = (
    *("backend", "spans sent", "acked/s", "visible/s", "ours is faster by", "CPU s per 100k", "CPU, ours is 1"),
    *("peak RSS MiB", "B a span", "survived kill -9"),
)
_SINK_HEADS = ("forwarder", "acked/s", "CPU s per 100k", "CPU, ours is 1", "peak RSS MiB", "B a span sent on", "inserts")


def _stores(found: list[Found]) -> list[str]:
    us, rows = found[0], []
    for one in found:
        speed = [f"{one.acked:,.0f}", f"{one.visible:,.0f}", f"{us.visible / max(one.visible, 1e-9):,.1f}"]
        rest = [f"{one.cpu:,.2f}", f"{one.cpu / us.cpu:,.2f}", f"{one.rss:,.0f}", f"{one.disk:,.0f}", one.survived]
        rows.append([one.name, f"{one.spans:,}", *speed, *rest])
    return table(_STORE_HEADS, rows)


def _forwarders(found: list[Forwarded]) -> list[str]:
    us = found[0]
    return table(
        _SINK_HEADS,
        [
            [
                *(one.name, f"{one.acked:,.0f}", f"{one.cpu:.2f}", f"{one.cpu / us.cpu:.2f}"),
                *(f"{one.rss:,.0f}", f"{one.sent:,.0f}", f"{one.inserts:,}"),
            ]
            for one in found
        ],
    )


def text(stores: list[Found], forwarders: list[Forwarded], missing: list[str], senders: int) -> str:
    """The document."""
    return "\n".join(
        [
            "# Peers",
            "",
            f"Written by `make bench-peers` on {datetime.now(UTC):%Y-%m-%d}; every number comes from that run, on loopback, client",
            f"and server on the same cores: requests of {SPANS_PER_REQUEST} agent spans of 15 attributes, {senders} senders.",
            f"The first {_WARM} requests load code and are not counted. CPU and memory are those of the backend alone, from /proc, up to",
            "when all is visible.",
            "",
            f"- machine: {machine()}; load average {os.getloadavg()[2]:.0f} over the last 15 minutes: above 2, others worked here too",
            "",
            "## With their stores",
            "",
            "Visible: counted in the backend's own store. Killed right after the last OK, then counted (ours after its start,",
            "which replays its log). Peers with their default store, SQLite.",
            "",
            *_stores(stores),
            "",
            "## Into a store that forgets",
            "",
            "The same HTTP server takes the inserts of all and throws them away; nobody compresses. What differs: ours makes each",
            "request durable before OK and normalises every span; the others acknowledge what lies in memory.",
            "",
            *_forwarders(forwarders),
            "",
            *[f"- not measured: {why}" for why in missing],
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--spans", type=int, default=409_600, help="most spans that one backend is sent")
    parser.add_argument("--only", action="append", help="name of a peer; may be given again")
    parser.add_argument("--print", action="store_true", help="do not write docs/benchmarks-peers.md")
    options = parser.parse_args()
    bodies = list(Rounds(51_200).take(options.spans))
    stores, forwarders, missing = [ours(bodies, options.senders)], [our_forward(bodies, options.senders)], []
    for backend in (*STORES, *FORWARDERS):
        if options.only and backend.name not in options.only:
            continue
        some = bodies[: backend.spans // SPANS_PER_REQUEST]
        print(f"[{time.strftime('%H:%M:%S')}] {backend.name}", flush=True)
        try:
            if backend in STORES:
                stores.append(measure(backend, some, options.senders))
            else:
                forwarders.append(forward(backend, some, options.senders))
        except (UninstallableError, httpx.HTTPError, grpc.RpcError) as error:
            missing.append(f"{backend.name}: {error}")
    found = text(stores, forwarders, missing, options.senders)
    print(found)
    if not options.print:
        _DOCS.write_text(found.rstrip() + "\n")


if __name__ == "__main__":
    main()
