"""`python -m tests.torture --rounds 200 --seed 1 --senders 8`: half of the rounds on the embedded store, half over HTTP."""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bridge import bridge
from tests.e2e.harness import Program, until
from tests.processes import rss_mib
from tests.torture.load import Senders
from tests.torture.rounds import ON_DISK, ON_MOUNT, ON_SERVER, Field, can_mount

from actorscope.ingest.store.client import Store, in_worker

_COUNTS = {
    "rows": "SELECT uniqExact(trace_id, span_id) FROM span_rows",
    "seen twice in the view": "SELECT count() - uniqExact(trace_id, span_id) FROM spans",
    "rows of span_rows by segments": "SELECT sum(spans) FROM segments FINAL",
    "rows of the view arrivals": "SELECT uniqExact(ingester, seq) FROM arrivals",
}


@contextmanager
def _disk(folder: Path) -> Iterator[tuple[Path, Path | None]]:
    """A folder on a small disk of its own where that can be made."""
    if not can_mount():
        yield folder / "data", None
        return
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=900m", "tmpfs", str(disk)], check=True)
    try:
        yield disk / "data", disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=False)


def embedded(rounds: int, seed: int, senders: int, folder: Path) -> dict[str, Any]:
    """Rounds against the embedded store."""
    with _disk(folder) as (data, mount):
        program = Program(data, role="ingest", log=folder / "log.txt")
        faults = ON_DISK + (ON_MOUNT if mount else ())
        report = _rounds(rounds, seed, senders, faults, Field(program, Senders(senders, seed), random.Random(seed), mount=mount))
        return report | _judge(report["acknowledged"], f"chdb://{data / 'store'}")


def server(rounds: int, seed: int, senders: int, folder: Path) -> dict[str, Any]:
    """Rounds against a store behind HTTP."""
    with bridge(folder / "clickhouse") as store:
        url = f"{store.url.rsplit('/', 1)[0]}/actorscope"
        program = Program(folder / "data", "--store", url, role="ingest")
        report = _rounds(rounds, seed, senders, ON_SERVER, Field(program, Senders(senders, seed), random.Random(seed), store))
        return report | _judge(report["acknowledged"], url)


def _rounds(rounds: int, seed: int, senders: int, faults: tuple[Callable[[Field], None], ...], f: Field) -> dict[str, Any]:
    done: Counter[str] = Counter()
    largest = 0.0
    with f.program:
        f.senders.where = f.program.where
        f.senders.start()
        try:
            for number in range(rounds):
                fault = f.rng.choice(faults)
                fault(f)
                done[fault.__name__] += 1
                time.sleep(f.rng.uniform(0.1, 0.6))
                assert f.program.process is not None
                largest = max(largest, rss_mib([f.program.process.pid], "VmRSS"))
                print(f"round {number + 1}: {fault.__name__}, {len(f.senders.acknowledged):,} spans acknowledged", flush=True)
        finally:
            f.senders.stop()
        until(lambda: not any(path.stat().st_size for path in f.spool.glob("*.wal")), "all is stored")
        assert f.program.stop() == 0
    answers = dict(f.senders.answers)
    return {"acknowledged": f.senders.acknowledged, "faults": dict(done), "answers": answers, "largest MiB": round(largest), **f.notes}


def _judge(acknowledged: set[int], url: str) -> dict[str, Any]:
    """What is in the store against what was acknowledged, by id."""

    def look() -> dict[str, Any]:
        store = Store(url)
        try:
            ids = {int(x, 16) for x in store.frame("SELECT DISTINCT span_id FROM spans")["span_id"]}
            counts = {name: int(store.frame(sql).item()) for name, sql in _COUNTS.items()}
            return {"lost": len(acknowledged - ids), "stored": len(ids), **counts}
        finally:
            store.close()

    return in_worker(look)


def is_fine(report: dict[str, Any]) -> bool:
    """Nothing lost, nothing twice, and the materialised view holds exactly the rows that were inserted."""
    exact = report["rows of span_rows by segments"] == report["rows of the view arrivals"]
    return bool(not report["lost"] and not report["seen twice in the view"] and exact)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make torture", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--senders", type=int, default=8)
    options = parser.parse_args()
    fine = True
    for play in (embedded, server):
        with tempfile.TemporaryDirectory() as folder:
            report = play(options.rounds // 2, options.seed, options.senders, Path(folder))
        shown = {key: len(value) if isinstance(value, set) else value for key, value in report.items()}
        print(play.__name__, shown, "fine" if is_fine(report) else "BROKEN", flush=True)
        fine = fine and is_fine(report)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
