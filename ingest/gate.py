"""Who may send, how much, and under which label: asked before a request is looked at.

A token is compared with every known one in
constant time: how long it takes tells nothing about how close a guess was.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actorscope.errors import ThrottledError, TooLargeError, UnauthenticatedError
from actorscope.settings import SenderSettings
from actorscope.tokens import digest, new_token

_MIB = 2**20
_BURST_SECONDS = 2.0
"""A sender that was quiet may send so much of its rate at once."""


@dataclass(frozen=True)
class Label:
    """What is kept with all that a sender sends: its tenant, and the service of telemetry that states none."""

    tenant: str = ""
    service: str = ""


class _Bucket:
    """A rate with a burst: `take` says how long to wait, 0 when there is room."""

    def __init__(self, rate: float, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._left, self._at = rate * _BURST_SECONDS, clock()
        self._lock = threading.Lock()

    def take(self, amount: float) -> float:
        if not self._rate:
            return 0.0
        with self._lock:
            now = self._clock()
            most = self._rate * _BURST_SECONDS
            self._left = min(most, self._left + max(0.0, now - self._at) * self._rate)
            self._at = now
            # One request larger than the burst passes when the bucket is full, and is paid back by waiting.
            if self._left >= min(amount, most):
                self._left -= amount
                return 0.0
            return (min(amount, most) - self._left) / self._rate


class Sender:
    """One that was let in."""

    def __init__(self, settings: SenderSettings | None, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = settings.name if settings else ""
        self.label = Label(settings.tenant, settings.service) if settings else Label()
        self._most = int(settings.max_request_mib * _MIB) if settings else 0
        self._requests = _Bucket(settings.max_requests_per_second if settings else 0, clock)
        self._bytes = _Bucket(settings.max_mib_per_second * _MIB if settings else 0, clock)

    def spend(self, size: int) -> None:
        """Account for a decompressed request of `size` bytes. Raises TooLargeError for one that this sender may never
        send, and ThrottledError for one that must wait.
        """
        if self._most and size > self._most:
            raise TooLargeError(f"request of {size} bytes is over the limit of {self._most} bytes for {self.name}")
        wait = self._requests.take(1) or self._bytes.take(size)
        if wait:
            raise ThrottledError(f"{self.name} is over its rate, send again in {wait:.1f} s", max(wait, 0.1))


class Gate:
    """Knows the senders of the settings; without any, everybody is let in unlabelled."""

    def __init__(self, senders: Sequence[SenderSettings] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._known = [(bytes.fromhex(s.token_sha256), Sender(s, clock)) for s in senders]
        self._anyone = Sender(None, clock)

    @property
    def is_open(self) -> bool:
        """True when no token is asked for."""
        return not self._known

    def invite(self, name: str) -> str:
        """A token for one more sender while this process runs; empty when none is needed."""
        if self.is_open:
            return ""
        token = new_token()
        guest = SenderSettings(name=name, token_sha256=digest(token).hex())  # type: ignore[call-arg]
        self._known.append((digest(token), Sender(guest)))
        return token

    def identify(self, authorization: str | None) -> Sender:
        """The sender behind an `Authorization` header or metadata entry. Raises UnauthenticatedError."""
        if not self._known:
            return self._anyone
        scheme, _, token = (authorization or "").partition(" ")
        shown = digest(token.strip()) if scheme.lower() == "bearer" else bytes(32)
        found = None
        for known, sender in self._known:
            if hmac.compare_digest(known, shown):
                found = sender
        if found is None:
            what = "is not known here" if authorization else "is missing"
            raise UnauthenticatedError(f"the bearer token {what}; send `Authorization: Bearer <token>`")
        return found
