"""`make bench-peers`: the same payload and senders into what a user would pick instead, and into us, in one run.

Writes docs/benchmarks-peers.md. Peers install themselves under ~/.cache; one that cannot be had is said to be so.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
from tests.bench.peers.backend import BACKENDS, Backend, Running, UninstallableError
from tests.bench.program import Load
from tests.bench.workload import SPANS_PER_REQUEST, requests
from tests.e2e.harness import Program

_DOCS = Path(__file__).parents[3] / "docs" / "benchmarks-peers.md"
_TICK = os.sysconf("SC_CLK_TCK")
_LONGEST = 240.0
"""Seconds that what was acknowledged may take to become visible."""


@dataclass
class Found:
    """What one backend showed; None where it keeps nothing that can be counted."""

    spans: int
    acked: float
    visible: float | None
    cpu: float
    rss: float
    disk: float | None
    survived: str


def _family(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _cpu(pids: list[int]) -> float:
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(field[11]) + int(field[12]) for field in fields) / _TICK


def _rss(pids: list[int]) -> float:
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _send(peer: Running, bodies: list[bytes], senders: int) -> float:
    """Seconds until the last OK."""
    if peer.backend.protocol == "grpc":
        return Load(f"127.0.0.1:{peer.grpc}", senders).send(bodies)
    headers = {"content-type": "application/x-protobuf", **peer.backend.headers}
    began = time.monotonic()
    with httpx.Client(timeout=120) as client, ThreadPoolExecutor(senders) as pool:
        url = f"http://127.0.0.1:{peer.http}{peer.backend.path}"
        for answer in pool.map(lambda body: client.post(url, content=body, headers=headers), bodies):
            answer.raise_for_status()
    return time.monotonic() - began


def _visible(stored: object, spans: int) -> None:
    end = time.monotonic() + _LONGEST
    while stored() < spans and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.25)


def measure(backend: Backend, bodies: list[bytes], senders: int) -> Found:
    """Load once and wait for all to be visible; then load another one and kill it right after the last OK."""
    bodies = bodies[: backend.spans // SPANS_PER_REQUEST]
    spans = len(bodies) * SPANS_PER_REQUEST
    with tempfile.TemporaryDirectory() as folder:
        peer = Running(backend, Path(folder))
        try:
            pids = _family(peer.process.pid)
            before, began = _cpu(pids), time.monotonic()
            acked = _send(peer, bodies, senders)
            if backend.table:
                _visible(lambda: backend.stored(peer.data), spans)
            visible, stored = time.monotonic() - began, backend.stored(peer.data)
            used, rss = _cpu(pids) - before, _rss(pids)
        finally:
            peer.kill()
        disk = sum(path.stat().st_size for path in peer.data.glob(f"{backend.database}*")) if backend.table else 0
    return Found(
        spans,
        spans / acked,
        stored / visible if backend.table else None,
        used / spans * 100_000,
        rss,
        disk / stored if stored else None,
        _survivors(backend, bodies, senders) if backend.table else "keeps nothing",
    )


def _survivors(backend: Backend, bodies: list[bytes], senders: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        peer = Running(backend, Path(folder))
        try:
            _send(peer, bodies, senders)
        finally:
            peer.kill()
        spans = len(bodies) * SPANS_PER_REQUEST
        return f"{backend.stored(peer.data):,} of {spans:,}"


def ours(bodies: list[bytes], senders: int) -> Found:
    """The same of `actorscope up`, analysis running."""
    spans = len(bodies) * SPANS_PER_REQUEST
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder) / "a") as program:
        assert program.process
        pid = program.process.pid
        before, began = _cpu([pid]), time.monotonic()
        acked = Load(program.where["grpc"], senders).send(bodies)
        _visible(lambda: program.sql("SELECT count() FROM spans")[0][0], spans)
        visible, used, rss = time.monotonic() - began, _cpu([pid]) - before, _rss([pid])
        time.sleep(10)  # merges
        disk = sum(path.stat().st_size for path in (program.data / "store").rglob("*") if path.is_file())
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder) / "b") as program:
        Load(program.where["grpc"], senders).send(bodies)
        program.kill()
        program.start()
        _visible(lambda: program.sql("SELECT count() FROM spans")[0][0], spans)
        kept = program.sql("SELECT uniqExact(trace_id, span_id) FROM spans")[0][0]
    survived = f"{kept:,} of {spans:,}"
    return Found(spans, spans / acked, spans / visible, used / spans * 100_000, rss, disk / spans, survived)


def _row(name: str, found: Found, us: Found) -> str:
    visible = f"{found.visible:,.0f}" if found.visible is not None else "-"
    ratio = f"{us.visible / found.visible:,.1f}" if found.visible and us.visible else "-"
    disk = f"{found.disk:,.0f}" if found.disk is not None else "-"
    return (
        f"| {name} | {found.spans:,} | {found.acked:,.0f} | {visible} | {ratio} | {found.cpu:,.2f} | "
        f"{found.cpu / us.cpu:,.2f} | {found.rss:,.0f} | {disk} | {found.survived} |"
    )


_HEADS = (
    *("backend", "spans sent", "acked/s", "visible/s", "ours is faster by", "CPU s per 100k", "CPU, ours is 1"),
    *("peak RSS MiB", "B a span", "survived kill -9"),
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--spans", type=int, default=307_200, help="most spans that one backend is sent")
    parser.add_argument("--only", action="append", help="name of a peer; may be given again")
    parser.add_argument("--print", action="store_true", help="do not write docs/benchmarks-peers.md")
    options = parser.parse_args()
    bodies = list(requests(options.spans))
    us = ours(bodies, options.senders)
    rows, missing = [_row("actorscope up", us, us)], []
    for backend in BACKENDS:
        if options.only and backend.name not in options.only:
            continue
        try:
            version = backend.name + " " + backend.version()
            rows.append(_row(version, measure(backend, bodies, options.senders), us))
        except (UninstallableError, httpx.HTTPError, grpc.RpcError) as error:
            missing.append(f"- {backend.name} was not measured: {error}")
    text = "\n".join(
        [
            "# Peers",
            "",
            "Written by `make bench-peers`; every number comes from that run, on loopback, client and server on the same",
            f"{os.cpu_count()} cores: requests of {SPANS_PER_REQUEST} spans, {options.senders} senders.",
            "Visible: counted in the backend's own store.",
            "Killed right after the last OK, then counted (ours after its start, which replays its log).",
            "",
            f"| {' | '.join(_HEADS)} |",
            f"|{' --- |' * len(_HEADS)}",
            *rows,
            "",
            *missing,
        ]
    )
    print(text)
    if not options.print:
        _DOCS.write_text(text.rstrip() + "\n")


if __name__ == "__main__":
    main()
