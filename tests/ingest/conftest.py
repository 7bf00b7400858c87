"""A log and an intake before it, without a store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from actorscope.ingest.counters import Counters
from actorscope.ingest.intake import Intake
from actorscope.ingest.spool import Record, Spool, read
from actorscope.settings import IngestSettings


def until(is_true: Callable[[], Any], seconds: float = 20) -> None:
    """Wait until it is so; fail when it does not come to be."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.005)


@dataclass
class Desk:
    """An intake with all that it was given."""

    intake: Intake
    spool: Spool
    counters: Counters
    closed: list[Path] = field(default_factory=list)

    def kept(self) -> list[Record]:
        """What lies in the log, read back from its files in order."""
        return [record for path in sorted(self.spool.folder.glob("*.wal")) for record in read(path)]


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Makes intakes over one folder; `settings` are fields of IngestSettings. All are closed at the end."""
    opened: list[Desk] = []

    def open_one(**settings: float) -> Desk:
        spool, counters = Spool(tmp_path / "spool"), Counters()
        closed: list[Path] = []
        desk = Desk(Intake(spool, IngestSettings(**settings), counters, closed.append), spool, counters, closed)
        desk.intake.start()
        opened.append(desk)
        return desk

    yield open_one
    for desk in opened:
        desk.intake.close()
