"""What this machine allows at most: a gRPC door that does nothing, and inserts of rows that are already built.

Each runs in a process of its own, as the program does.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from tests.bench.load import Load, by_grpc
from tests.bench.program import cpu_seconds
from tests.bench.workload import SPANS_PER_REQUEST, Rounds

from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate
from actorscope.ingest.writer import _told, span_rows

_REQUESTS_PER_INSERT = 80
_BARE = (
    "CREATE TABLE bare AS span_rows ENGINE = MergeTree PARTITION BY toDate(start_time) "
    "ORDER BY (service_name, toStartOfMinute(start_time), trace_id, span_id)"
)
"""The same columns and indexes without views, fsync and deduplication."""


def empty_door(bodies: list[bytes], senders: int) -> tuple[float, float]:
    """Spans per second into a gRPC handler that answers and forgets, and its CPU seconds per 100k spans."""
    spans = len(bodies) * SPANS_PER_REQUEST
    with subprocess.Popen([sys.executable, "-m", __name__, "door"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as door:
        assert door.stdout and door.stdin
        load = Load(by_grpc(f"127.0.0.1:{int(door.stdout.readline())}"), senders)
        before = cpu_seconds([door.pid])
        seconds = load.run(bodies)
        used = cpu_seconds([door.pid]) - before
        door.stdin.close()
    return spans / seconds, used / spans * 100_000


def inserts() -> dict[str, tuple[float, float]]:
    """Rows per second and CPU seconds per 100k rows: into our tables with views and fsync, and into the bare table."""
    ran = subprocess.run([sys.executable, "-m", __name__, "insert"], check=True, capture_output=True, text=True)
    return {name: tuple(found) for name, found in json.loads(ran.stdout).items()}


def _door() -> None:
    """Until standard input ends."""
    handler = grpc.method_handlers_generic_handler(
        "opentelemetry.proto.collector.trace.v1.TraceService",
        {"Export": grpc.unary_unary_rpc_method_handler(lambda body, context: b"")},
    )
    server = grpc.server(ThreadPoolExecutor(64), handlers=[handler])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0)


def _insert() -> dict[str, tuple[float, float]]:
    bodies = Rounds(51_200).take(6 * _REQUESTS_PER_INSERT * SPANS_PER_REQUEST)
    batches, first = [], 0
    for part in _parts(list(bodies)):
        rows = _told(span_rows("bench", first, [record_of("traces", body, SPANS_PER_REQUEST) for body in part]))
        first += rows.num_rows
        batches.append(rows)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"chdb://{Path(folder) / 'store'}")
        migrate(store)
        store.command(_BARE)
        found = {}
        for table in ("bare", "span_rows"):
            store.insert(table, batches[0], f"{table}-warm")
            began, wall = time.process_time(), time.monotonic()
            for number, rows in enumerate(batches[1:]):
                store.insert(table, rows, f"{table}-{number}")
            count = sum(rows.num_rows for rows in batches[1:])
            found[table] = count / (time.monotonic() - wall), (time.process_time() - began) / count * 100_000
        store.close()
    return found


def _parts(bodies: list[bytes]) -> list[list[bytes]]:
    return [bodies[at : at + _REQUESTS_PER_INSERT] for at in range(0, len(bodies), _REQUESTS_PER_INSERT)]


if __name__ == "__main__":
    if sys.argv[1] == "door":
        _door()
    else:
        print(json.dumps(in_worker(_insert)))
