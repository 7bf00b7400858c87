"""The write-ahead log: what a sender was told is safe lies here until it lies in the store.

A segment file is a sequence of records `length u32, crc32 u32, signal u8, received_at u64, digest 16 bytes, content`,
little endian; one that is cut or damaged is not read. The highest bit of `signal` says that the content
begins with `rows u32, tenant length u16, service length u16, tenant, service`; the request body is the rest.
One closed segment becomes one insert with one deduplication token, so that a repeated recovery changes nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_HEADER = struct.Struct("<IIBQ16s")
_LABELLED = 0x80
_LABEL = struct.Struct("<IHH")
SIGNALS = ("traces", "logs")
_SUFFIX = ".wal"


@dataclass(frozen=True)
class Record:
    """One accepted request."""

    signal: str
    body: bytes
    received_at: int
    digest: bytes
    rows: int = -1
    """Usable records in the body; -1 where nobody counted."""
    tenant: str = ""
    service: str = ""

    @property
    def size(self) -> int:
        """Bytes it takes in a segment file."""
        return _HEADER.size + len(self._prefix()) + len(self.body)

    def _prefix(self) -> bytes:
        if self.rows < 0:
            return b""
        tenant, service = self.tenant.encode(), self.service.encode()
        return _LABEL.pack(self.rows, len(tenant), len(service)) + tenant + service

    def parts(self) -> list[bytes]:
        """What stands in the file."""
        prefix = self._prefix()
        signal = SIGNALS.index(self.signal) | (_LABELLED if prefix else 0)
        head = _HEADER.pack(len(prefix) + len(self.body), 0, signal, self.received_at, self.digest)
        crc = zlib.crc32(self.body, zlib.crc32(prefix, zlib.crc32(head)))
        return [head[:4], struct.pack("<I", crc), head[8:], prefix, self.body]


def digest_of(signal: str, body: bytes, tenant: str = "") -> bytes:
    """16 bytes that recognise a request sent again; what another tenant sends is another request."""
    key = hashlib.sha256(tenant.encode()).digest() if tenant else b""
    return hashlib.blake2b(body, digest_size=16, key=key, person=signal.encode()).digest()


def record_of(signal: str, body: bytes, rows: int = -1, tenant: str = "", service: str = "") -> Record:
    """A request as a record, received now."""
    return Record(signal, body, time.time_ns(), digest_of(signal, body, tenant), rows, tenant, service)


class Segment:
    """One log file, open for appending. Not thread-safe: one thread writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = int(path.stem)
        self.first_at = 0.0
        self.count = 0
        self.size = 0
        self.is_damaged = False
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            _sync_folder(path.parent)
        except OSError:
            os.close(self._fd)
            raise

    def append(self, records: list[Record]) -> None:
        """Write `records` and force them to disk. On an OSError none of them may be acknowledged;
        the file is cut back to where it was, so that none of them is replayed either. When even that fails, or
        when it was the sync that failed, the segment is damaged and takes no more."""
        if self.is_damaged:
            raise OSError(errno.EIO, "the segment takes no more after an earlier error", str(self.path))
        data = b"".join(part for record in records for part in record.parts())
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._fd, view) :]
            self._sync()
        except OSError:
            self._cut_back()
            raise
        self.first_at = self.first_at or time.monotonic()
        self.count += len(records)
        self.size += len(data)

    def _sync(self) -> None:
        """After a failed sync the kernel may call pages clean that never reached the disk, and a later sync would say
        nothing of them: the file is trusted no further than it was."""
        try:
            os.fdatasync(self._fd)
        except OSError:
            self.is_damaged = True
            raise

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self.size)
        except OSError:
            size = os.fstat(self._fd).st_size
            self.is_damaged, self.size = self.is_damaged or size != self.size, size

    def close(self) -> None:
        os.close(self._fd)


@dataclass(frozen=True)
class Unreadable:
    """Bytes of a segment file that are no record; `is_torn` where a write was cut, of which nobody was told OK."""

    data: bytes
    is_torn: bool


def scan(path: Path) -> Iterator[Record | Unreadable]:
    """Everything in a segment file, in order. Behind a damaged record reading goes on where its length says; no other place
    is tried, since what lies inside a body was written by strangers.
    """
    with path.open("rb") as file:
        while head := file.read(_HEADER.size):
            if len(head) < _HEADER.size:
                yield Unreadable(head, is_torn=True)
                return
            length, crc, signal, received_at, digest = _HEADER.unpack(head)
            content = file.read(length)
            if len(content) < length:
                yield Unreadable(head + content, is_torn=True)
                return
            blank = _HEADER.pack(length, 0, signal, received_at, digest)
            record = None
            if zlib.crc32(content, zlib.crc32(blank)) == crc:
                record = _record(signal, content, received_at, digest)
            yield record or Unreadable(head + content, is_torn=False)


def read(path: Path) -> Iterator[Record]:
    """The records of a segment file that are whole."""
    return (found for found in scan(path) if isinstance(found, Record))


def _record(signal: int, content: bytes, received_at: int, digest: bytes) -> Record | None:
    """The record with this content; None for one of a kind that is not known here."""
    name = dict(enumerate(SIGNALS)).get(signal & ~_LABELLED)
    if name is None or (signal & _LABELLED and len(content) < _LABEL.size):
        return None
    if not signal & _LABELLED:
        return Record(name, content, received_at, digest)
    rows, tenant, service = _LABEL.unpack_from(content)
    middle, end = _LABEL.size + tenant, _LABEL.size + tenant + service
    label = content[_LABEL.size : middle].decode(errors="replace"), content[middle:end].decode(errors="replace")
    return Record(name, content[end:], received_at, digest, rows, *label)


class Spool:
    """The folder of segments of one ingester.

    The folder carries the ingester's random name, and the newest segment is never removed: segment numbers, and with
    them deduplication tokens, are never used twice. A folder whose segments were deleted by hand is not used again,
    since nothing is left that tells which numbers are taken.
    """

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        found = sorted(p for p in root.iterdir() if any(p.glob(f"*{_SUFFIX}")))
        self.folder = found[0] if found else root / uuid.uuid4().hex[:12]
        self.folder.mkdir(exist_ok=True)
        _sync_folder(root)
        self.ingester = self.folder.name
        self.left_over = [path for path in self._files() if path.stat().st_size]
        numbers = [int(path.stem) for path in self._files()]
        self._next = max(numbers, default=0) + 1

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def open_segment(self) -> Segment:
        """A new, empty segment; empty ones before it are removed."""
        number, self._next = self._next, self._next + 1  # a number that failed is not tried again
        segment = Segment(self.folder / f"{number:012d}{_SUFFIX}")
        with suppress(OSError):
            for path in self._files():
                if path != segment.path and not path.stat().st_size:
                    path.unlink()
        return segment

    def remove(self, path: Path) -> None:
        """Forget a segment that the store holds."""
        path.unlink(missing_ok=True)

    def bytes_on_disk(self) -> int:
        """Bytes not yet in the store."""
        return sum(path.stat().st_size for path in self._files() if path.exists())


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
