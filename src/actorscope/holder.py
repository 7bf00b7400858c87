"""Who holds a data folder: a lock while a process runs, and where that process listens."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

from actorscope.errors import DefinitionError, Problem


class Holder:
    """The exclusive right to a data folder, from construction to `release`. Raises DefinitionError when it is taken."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._file = data / "server.json"
        self._fd = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            other = running(data) or {}
            raise DefinitionError(
                [
                    Problem(
                        f"data folder {data}",
                        f"is held by process {other.get('pid', '?')}",
                        "stop it, or choose another --data",
                    )
                ]
            ) from error

    def announce(self, where: dict[str, Any]) -> None:
        """Say where the process listens."""
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps({"pid": os.getpid(), **where}))
        temporary.replace(self._file)

    def release(self) -> None:
        self._file.unlink(missing_ok=True)
        os.close(self._fd)


def running(data: Path) -> dict[str, Any] | None:
    """Where the process that holds `data` listens; None when nobody holds it."""
    try:
        fd = os.open(data / "lock", os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except OSError:
        pass
    finally:
        os.close(fd)
    try:
        found: dict[str, Any] = json.loads((data / "server.json").read_text())
        return found
    except (OSError, ValueError):
        return {}
