"""What can be done to a server of our own and not to a stranger's: fill it, look into its store, stop it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actorscope.ingest.room import Ingest
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import IngestSettings, SenderSettings, Settings

if TYPE_CHECKING:
    from tests.otlp_conformance.peer import Peer

LIMIT_MIB = 8
ORIGIN = "https://app.example"
_TOKEN = "conformance-token"


@dataclass
class Inside:
    """A real ingest room before a store, and the folder it may use."""

    room: Ingest
    store: Store
    folder: Path
    is_stopped: bool = False

    def stop(self) -> None:
        """End the room as the program does; once."""
        if not self.is_stopped:
            self.is_stopped = True
            self.room.stop()

    def rows(self, trace: str, count: int, settles: float = 0.4) -> list[dict[str, Any]]:
        """All rows of a trace, doubles too, when there are `count` and no more came for a while."""
        sql = "SELECT * FROM span_rows WHERE trace_id = unhex({trace:String}) ORDER BY seq, span_id"
        end = time.monotonic() + 20
        while True:
            found = in_worker(lambda: self.store.arrow(sql, {"trace": trace})).to_pylist()
            if len(found) >= count:
                break
            assert time.monotonic() < end, f"{len(found)} of {count} spans are stored"
            time.sleep(0.05)
        time.sleep(settles)
        return list(in_worker(lambda: self.store.arrow(sql, {"trace": trace})).to_pylist())

    @contextmanager
    def full(self) -> Iterator[None]:
        """The log holds more than it may."""
        self.room.counters.add(spool_bytes=2**40)
        try:
            yield
        finally:
            self.room.counters.add(spool_bytes=-(2**40))

    @contextmanager
    def slow_sender(self) -> Iterator[Peer]:
        """A room of its own that lets one sender in, at one request in two seconds."""
        sender = SenderSettings(
            name="slow", token_sha256=hashlib.sha256(_TOKEN.encode()).hexdigest(), max_requests_per_second=0.5
        )
        with open_peer(self.store, self.folder / "slow", senders=[sender]) as peer:
            yield replace(peer, token=_TOKEN)

    @contextmanager
    def another(self) -> Iterator[Peer]:
        """A room that may be stopped."""
        with open_peer(self.store, self.folder / f"another-{time.monotonic_ns()}") as peer:
            yield peer


@contextmanager
def open_peer(store: Store, folder: Path, **settings: Any) -> Iterator[Peer]:
    """Our own server on free ports, over a store that is open."""
    from tests.otlp_conformance.peer import Peer

    given = IngestSettings(
        grpc_port=0, http_port=0, max_request_mib=LIMIT_MIB, segment_idle_seconds=0.1, segment_busy_seconds=0.1,
        cors_origins=[ORIGIN], **settings,
    )  # fmt: skip
    room = Ingest(Settings(data=folder, host="127.0.0.1", ingest=given), store)
    in_worker(room.start)
    inside = Inside(room, store, folder)
    try:
        yield Peer(f"127.0.0.1:{room.grpc_port}", f"127.0.0.1:{room.http_port}", LIMIT_MIB * 2**20, inside=inside)
    finally:
        inside.stop()
