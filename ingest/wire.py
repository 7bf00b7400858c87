"""The protobuf wire format, read for many messages at once: every step is one operation over arrays.

Positions are offsets into one buffer. Only what `inspect` accepted is read here; whatever the encoders of OTLP do not
write (groups, overlong numbers) raises OddWireError, and the reference decoder takes over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.uint64]
PADDING = 16
"""Zero bytes that a buffer must have after its end, so that reading ahead stays inside."""
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5
_KNOWN = np.array([True, True, True, False, False, True, False, False])
_INLINE = 12


class OddWireError(ValueError):
    """The bytes are in a form that is not read here."""


@dataclass(frozen=True)
class Ranges:
    """Where messages or texts lie, and the row of the message each belongs to."""

    parent: Offsets
    start: Offsets
    end: Offsets

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: Offsets | npt.NDArray[np.bool_]) -> Ranges:
        return Ranges(self.parent[rows], self.start[rows], self.end[rows])


def varints(buffer: Bytes, at: Offsets) -> tuple[Numbers, Offsets]:
    """The numbers that begin at `at` and where each ends."""
    byte = buffer[at]
    value = (byte & 0x7F).astype(np.uint64)
    size = np.ones(len(at), np.int64)
    rows, shift = np.flatnonzero(byte >= 0x80), 7
    while rows.size:
        if shift > 63:
            raise OddWireError("a number is longer than ten bytes")
        byte = buffer[at[rows] + size[rows]]
        value[rows] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
        size[rows] += 1
        rows, shift = rows[byte >= 0x80], shift + 7
    return value, at + size


@dataclass(frozen=True)
class Step:
    """One field of every message that has a further one."""

    rows: Offsets
    number: Offsets
    wire: Offsets
    value: Numbers
    start: Offsets
    end: Offsets


def steps(buffer: Bytes, start: Offsets, end: Offsets) -> Iterator[Step]:
    """The first field of every message, then the second of those that have one, and so on."""
    position = start.copy()
    rows = np.flatnonzero(position < end)
    while rows.size:
        tag, content = varints(buffer, position[rows])
        number, wire = (tag >> np.uint64(3)).astype(np.int64), (tag & np.uint64(7)).astype(np.int64)
        if not _KNOWN[wire].all():
            raise OddWireError("a field has an unknown wire type")
        value = np.zeros(len(rows), np.uint64)
        sized = np.flatnonzero((wire == VARINT) | (wire == LENGTH))
        value[sized], after = varints(buffer, content[sized])
        is_length = wire[sized] == LENGTH
        content[sized[is_length]] = after[is_length]
        following = content + np.where(wire == FIXED64, 8, np.where(wire == FIXED32, 4, 0))
        following[sized] = after + np.where(is_length, value[sized].astype(np.int64), 0)
        if (following > end[rows]).any():
            raise OddWireError("a field reaches beyond its message")
        yield Step(rows, number, wire, value, content, following)
        position[rows] = following
        rows = rows[following < end[rows]]


class Fields:
    """The wanted fields of many messages, each message a row."""

    def __init__(
        self,
        buffer: Bytes,
        messages: Ranges,
        single: Mapping[int, int] = MappingProxyType({}),
        repeated: tuple[int, ...] = (),
    ) -> None:
        """`single` fields by the wire type they must have stand at most once in a message; every appearance of the
        `repeated` ones, which are messages, is kept in order.
        """
        n = len(messages)
        self._buffer = buffer
        self.ranges = {k: Ranges(np.arange(n), np.zeros(n, np.int64), np.zeros(n, np.int64)) for k in single}
        self.numbers = {k: np.zeros(n, np.uint64) for k, wire in single.items() if wire == VARINT}
        found: dict[int, list[Ranges]] = {k: [] for k in repeated}
        for step in steps(buffer, messages.start, messages.end):
            there = set(np.flatnonzero(np.bincount(np.minimum(step.number, 64))).tolist())
            for k in there.intersection((*single, *repeated)):
                hit = np.flatnonzero(step.number == k)
                rows, start, end = step.rows[hit], step.start[hit], step.end[hit]
                if (step.wire[hit] != single.get(k, LENGTH)).any():
                    raise OddWireError(f"field {k} has another wire type")
                if k in found:
                    found[k].append(Ranges(rows, start, end))
                    continue
                if (self.ranges[k].end[rows] > 0).any():
                    raise OddWireError(f"field {k} is given twice")
                self.ranges[k].start[rows], self.ranges[k].end[rows] = start, end
                if k in self.numbers:
                    self.numbers[k][rows] = step.value[hit]
        self.lists = {k: _in_order(parts) for k, parts in found.items()}

    def fixed64(self, field: int) -> Numbers:
        """The values of a fixed 64-bit field; 0 where it is absent."""
        return self._fixed(field, 8).view("<u8")[:, 0]

    def fixed32(self, field: int) -> npt.NDArray[np.uint32]:
        """The values of a fixed 32-bit field; 0 where it is absent."""
        return self._fixed(field, 4).view("<u4")[:, 0]

    def _fixed(self, field: int, size: int) -> Bytes:
        found = self.ranges[field]
        raw = gather(self._buffer, found.start, size)
        raw[found.end - found.start != size] = 0
        return raw

    def ids(self, field: int, size: int) -> tuple[Bytes, npt.NDArray[np.bool_]]:
        """The ids of a bytes field as rows of `size` bytes, zero where they have another size, and which are valid."""
        raw = self._fixed(field, size)
        return raw, np.asarray(raw.any(axis=1))


def _in_order(parts: list[Ranges]) -> Ranges:
    if not parts:
        none = np.zeros(0, np.int64)
        return Ranges(none, none, none)
    whole = Ranges(*(np.concatenate([getattr(p, name) for p in parts]) for name in ("parent", "start", "end")))
    return whole.take(np.argsort(whole.start, kind="stable"))


def gather(buffer: Bytes, start: Offsets, size: int) -> Bytes:
    """`size` bytes from each start, as rows."""
    windows = np.ndarray(len(buffer) - size + 1, f"V{size}", buffer, strides=(1,))
    return windows[start].view(np.uint8).reshape(len(start), size)


def views(buffer: Bytes, found: Ranges, index: int = 0) -> npt.NDArray[np.int32]:
    """Texts as Arrow string views into buffer number `index`: short ones inline, long ones by offset."""
    size = (found.end - found.start).astype(np.int32)
    made = np.zeros((len(found), 4), np.int32)
    made[:, 0] = size
    inline = gather(buffer, found.start, _INLINE)
    inline[np.arange(_INLINE) >= np.where(size > _INLINE, 4, size)[:, None]] = 0
    made[:, 1:] = inline.view("<i4")
    long = size > _INLINE
    made[long, 2] = index
    made[long, 3] = found.start[long]
    return made


def texts(made: npt.NDArray[np.int32], *buffers: Bytes) -> pa.Array:
    """An Arrow string array from string views and the buffers they point into."""
    parts = [None, pa.py_buffer(np.ascontiguousarray(made)), *(pa.py_buffer(b) for b in buffers)]
    return pa.Array.from_buffers(pa.string_view(), len(made), parts).cast(pa.string())
