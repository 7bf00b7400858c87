"""The faults, each as a function of one round, and the count at the end."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bridge import Bridge
from tests.e2e.harness import Program
from tests.torture.load import Senders

from actorscope.ingest.spool import scan


@dataclass
class Field:
    """What a round may break."""

    program: Program
    senders: Senders
    rng: random.Random
    store: Bridge | None = None
    mount: Path | None = None
    notes: dict[str, int] = field(default_factory=dict)

    def restart(self) -> None:
        self.program.start()
        self.senders.where = self.program.where

    def note(self, what: str) -> None:
        self.notes[what] = self.notes.get(what, 0) + 1

    @property
    def spool(self) -> Path:
        return next((self.program.data / "spool").iterdir())


def kill(f: Field) -> None:
    """At any moment."""
    time.sleep(f.rng.uniform(0.1, 1.5))
    f.program.kill()
    f.restart()


def kill_while_storing(f: Field) -> None:
    """Just after a segment was closed: its insert, or that of a materialised view, is under way."""
    before = {path.name for path in f.spool.glob("*.wal")}
    end = time.monotonic() + 3
    while {path.name for path in f.spool.glob("*.wal")} <= before and time.monotonic() < end:
        time.sleep(0.002)
    time.sleep(f.rng.uniform(0.0, 0.12))
    f.program.kill()
    f.restart()


def terminate(f: Field) -> None:
    """A polite stop under load."""
    time.sleep(f.rng.uniform(0.1, 0.8))
    assert f.program.stop() == 0, "a polite stop must end well"
    f.restart()


def torn_tail(f: Field) -> None:
    """A kill, and half a record or zeros at the end of the newest segment."""
    time.sleep(f.rng.uniform(0.1, 0.8))
    f.program.kill()
    newest = max(f.spool.glob("*.wal"))
    with newest.open("ab") as file:
        file.write(f.rng.choice([f.rng.randbytes(20), bytes(300), f.rng.randbytes(500)]))
    assert all(hasattr(found, "body") or hasattr(found, "is_torn") for found in scan(newest))
    f.restart()


def killed_twice(f: Field) -> None:
    """Again in the middle of the replay."""
    time.sleep(f.rng.uniform(0.2, 1.0))
    f.program.kill()
    f.program.start()
    time.sleep(f.rng.uniform(0.0, 0.3))
    f.program.kill()
    f.restart()


def disk_full(f: Field) -> None:
    """No byte left for the log and the store, for a while."""
    filler = f.program.data / "filler"
    with suppress(OSError), filler.open("wb") as file:
        while file.write(bytes(2**20)):
            pass
    time.sleep(f.rng.uniform(0.5, 1.5))
    filler.unlink(missing_ok=True)


def read_only(f: Field) -> None:
    """The disk refuses every write, for a while."""
    assert f.mount is not None
    with suppress(subprocess.CalledProcessError):  # busy files may forbid it
        subprocess.run(["mount", "-o", "remount,ro", str(f.mount)], check=True, capture_output=True)
        f.note("remounted read-only")
    time.sleep(f.rng.uniform(0.3, 1.0))
    subprocess.run(["mount", "-o", "remount,rw", str(f.mount)], check=True, capture_output=True)


def _fault(mode: str, **options: Any) -> Callable[[Field], None]:
    def broken(f: Field) -> None:
        assert f.store is not None
        f.store.fault(mode, **options)
        time.sleep(f.rng.uniform(0.4, 1.5))
        f.store.fault("none")

    broken.__name__ = f"store_{mode}"
    return broken


def store_down(f: Field) -> None:
    """The server is killed and comes back."""
    assert f.store is not None
    f.store.kill()
    time.sleep(f.rng.uniform(0.2, 1.0))
    f.store.restart()


def killed_with_a_slow_store(f: Field) -> None:
    """The insert is executed, its answer never heard."""
    assert f.store is not None
    f.store.fault("slow", count=-1, seconds=2, match="INSERT INTO span_rows")
    time.sleep(f.rng.uniform(0.5, 1.2))
    f.program.kill()
    f.store.fault("none")
    f.restart()


ON_DISK: tuple[Callable[[Field], None], ...] = (kill, kill_while_storing, kill_while_storing, terminate, torn_tail, killed_twice)
ON_MOUNT: tuple[Callable[[Field], None], ...] = (disk_full, read_only)
ON_SERVER: tuple[Callable[[Field], None], ...] = (
    kill, terminate, store_down, killed_with_a_slow_store,
    _fault("refuse", count=-1), _fault("error_500", count=-1), _fault("error_memory", count=3),
    _fault("cut_after_execute", count=2, match="INSERT INTO"), _fault("slow", count=2, seconds=1.0),
    _fault("cut_before_execute", count=2), _fault("half_answer", count=2, match="INSERT INTO"), _fault("hang", count=2, seconds=2.0),
)  # fmt: skip


def can_mount() -> bool:
    """Whether a small disk of our own can be made."""
    return os.geteuid() == 0 and Path("/bin/mount").exists()
