"""Memory that requests may hold while they are read and answered: above it, senders are told to come again."""

from __future__ import annotations

import threading
from types import TracebackType

from actorscope.errors import TransientError


class Budget:
    """Counts bytes in flight over all doors of a process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._used = 0
        self._lock = threading.Lock()

    def hold(self) -> Held:
        """What one request holds; to be used as a context manager."""
        return Held(self)

    @property
    def used(self) -> int:
        """Bytes in flight now."""
        return self._used

    def take(self, size: int, held: int) -> None:
        """Raises TransientError when there is no room. A request alone always fits, whatever its size."""
        with self._lock:
            if self._used > held and self._used + size > self._most:
                raise TransientError(f"requests of {self._used >> 20} MiB are being answered, send again", 1.0)
            self._used += size

    def give(self, size: int) -> None:
        with self._lock:
            self._used -= size


class Held:
    """Bytes of one request, given back at the end."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.size = 0

    def grow(self, size: int) -> None:
        """Take `size` more bytes. Raises TransientError when there is no room."""
        self._budget.take(size, self.size)
        self.size += size

    def count(self, size: int) -> None:
        """Take `size` more bytes that are here already, whether there is room or not."""
        self._budget.give(-size)
        self.size += size

    def release(self) -> None:
        """Give all back; more may be taken afterwards."""
        if self.size:
            self._budget.give(self.size)
            self.size = 0

    def __enter__(self) -> Held:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
