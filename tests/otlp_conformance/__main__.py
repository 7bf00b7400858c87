"""`python -m tests.otlp_conformance` writes docs/otlp-conformance.md; with `--grpc` and `--http` it asks another server."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.otlp_conformance import document
from tests.otlp_conformance.inside import open_peer
from tests.otlp_conformance.peer import Peer
from tests.otlp_conformance.rows import ROWS, Result

from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate


def ask(peer: Peer) -> dict[str, Result]:
    """Run every row; each is told as it ends."""
    found = {}
    for row in ROWS:
        found[row.id] = row.run(peer)
        print(f"{row.id:4} {found[row.id].verdict:13} {row.sentence}: {found[row.id].note}", flush=True)
    return found


def main() -> None:
    """Measure our own server and write the document, or another one and print what came out."""
    parser = argparse.ArgumentParser(prog="python -m tests.otlp_conformance", description=__doc__)
    parser.add_argument("--grpc", help="host:port of OTLP/gRPC of another server")
    parser.add_argument("--http", help="host:port of OTLP/HTTP of another server")
    parser.add_argument("--limit-mib", type=int, default=64, help="its largest request (64)")
    given = parser.parse_args()
    if given.grpc and given.http:
        ask(Peer(given.grpc, given.http, given.limit_mib * 2**20))
        return
    if given.grpc or given.http:
        parser.error("give both --grpc and --http")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"chdb://{folder}/store")
        in_worker(lambda: migrate(store))
        with open_peer(store, Path(folder) / "room") as peer:
            found = ask(peer)
        in_worker(store.close)
    document.PATH.write_text(document.text(found))
    print(f"wrote {document.PATH.name}")


if __name__ == "__main__":
    main()
