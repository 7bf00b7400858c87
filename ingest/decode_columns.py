"""The decoder of the hot path: all spans of a segment at once, without a Python object per span.

Equal to `decode_python` on everything it reads (`tests/ingest/test_decode.py`, `tests/fuzz`); values that are rare in
attributes (arrays, lists, bytes) are turned into text by the same code.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from actorscope.ingest.columns import DECODED_SPANS, KINDS, STATUSES, TEXT_MAP, TIME
from actorscope.ingest.decode_python import text_of
from actorscope.ingest.wire import (
    FIXED32,
    FIXED64,
    LENGTH,
    PADDING,
    VARINT,
    Bytes,
    Fields,
    Numbers,
    OddWireError,
    Offsets,
    Ranges,
    steps,
    texts,
    views,
)

_STRING, _BOOL, _INT, _DOUBLE, _ARRAY, _KVLIST, _BYTES = range(1, 8)
_WIRE = np.array([LENGTH, LENGTH, VARINT, VARINT, FIXED64, LENGTH, LENGTH, LENGTH])
_PAIR = {1: LENGTH, 2: LENGTH}
_SPAN = {1: LENGTH, 2: LENGTH, 3: LENGTH, 4: LENGTH, 5: LENGTH, 6: VARINT, 7: FIXED64, 8: FIXED64, 10: VARINT, 12: VARINT,
         14: VARINT, 15: LENGTH, 16: FIXED32}  # fmt: skip
_LETTERS = np.frombuffer(b"nsbidaky", np.uint8)
_MAX_TIME = np.uint64(2**63 - 1)
_32_BITS = np.uint64(2**32 - 1)
_LARGEST = 2**31 - 1


class _Maps:
    """The key-value lists of many rows as columns."""

    def __init__(self, buffer: Bytes, pairs: Ranges, rows: int) -> None:
        fields = Fields(buffer, pairs, _PAIR)
        self._parent = pairs.parent
        self.offsets = _offsets(pairs.parent, rows)
        self.keys = texts(views(buffer, fields.ranges[1]), buffer)
        self.kind, self.values = _values(buffer, fields.ranges[2])
        codes = self.keys.dictionary_encode().indices.to_numpy()
        named = pairs.parent * (int(codes.max(initial=0)) + 1) + codes
        if pc.count_distinct(pa.array(named)).as_py() != len(named):
            raise OddWireError("a key is given twice")

    def array(self) -> pa.Array:
        return pa.MapArray.from_arrays(pa.array(self.offsets, pa.int32()), self.keys, self.values, TEXT_MAP)

    def types(self) -> pa.Array:
        """One letter per value, in one text per row."""
        letters, offsets = np.ascontiguousarray(_LETTERS[self.kind]), self.offsets.astype(np.int32)
        return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(letters))

    def first_text(self, key: str) -> pa.Array:
        """Per row the text of a key; empty where it is absent or no text."""
        hits = np.flatnonzero(np.asarray(pc.equal(self.keys, key)) & (self.kind == _STRING))
        rows, first = np.unique(self._parent[hits], return_index=True)
        index = np.full(len(self.offsets) - 1, -1, np.int64)
        index[rows] = hits[first]
        return self.values.take(pa.array(index, mask=index < 0)).fill_null("")


def _offsets(parent: Offsets, rows: int) -> Offsets:
    return np.concatenate([[0], np.cumsum(np.bincount(parent, minlength=rows))]).astype(np.int64)


def _values(buffer: Bytes, found: Ranges) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Which kind each AnyValue is (0 for none) and its text."""
    kind, number, start, end = (np.zeros(len(found), np.int64) for _ in range(4))
    for nth, step in enumerate(steps(buffer, found.start, found.end)):
        if nth or (step.number > _BYTES).any() or (step.wire != _WIRE[step.number]).any():
            raise OddWireError("a value is given twice, or is of a kind of tomorrow")
        kind[step.rows], number[step.rows] = step.number, step.value.view(np.int64)
        start[step.rows], end[step.rows] = step.start, np.where(step.number == _STRING, step.end, step.start)
    made = views(buffer, Ranges(found.parent, start, end))
    ints, bools, rest = (np.flatnonzero(k) for k in (kind == _INT, kind == _BOOL, (kind > _INT)))
    numbers = pa.array(number[ints]).cast(pa.string())
    answers = pa.array(["false", "true"]).take(pa.array((number[bools] != 0).astype(np.int64)))
    others = pa.array([_rare(buffer, found, int(row)) for row in rest], pa.string())
    sources = []
    for index, (rows, array) in enumerate(((ints, numbers), (bools, answers), (rest, others)), 1):
        source, ends = _raw(array)
        made[rows] = views(source, Ranges(rows, ends[:-1], ends[1:]), index)
        sources.append(source)
    return kind, texts(made, buffer, *sources)


def _rare(buffer: Bytes, found: Ranges, row: int) -> str:
    """The text of a double, an array, a list or bytes."""
    return text_of(AnyValue.FromString(buffer[found.start[row] : found.end[row]].tobytes()))


def _raw(array: pa.Array) -> tuple[Bytes, Offsets]:
    """The bytes of a string array, padded, and its offsets."""
    _, offsets, data = array.buffers()
    ends = np.frombuffer(offsets, np.int32)[: len(array) + 1].astype(np.int64) if len(array) else np.zeros(1, np.int64)
    raw = np.frombuffer(data, np.uint8)[: ends[-1]] if data is not None else np.zeros(0, np.uint8)
    return np.concatenate([raw, np.zeros(PADDING, np.uint8)]), ends


def decode_traces(bodies: Sequence[bytes]) -> pa.RecordBatch:
    """See `actorscope.ingest.decode.decode_traces`. Raises OddWireError for what only the reference decoder reads."""
    sizes = np.array([len(body) for body in bodies], np.int64)
    if sizes.sum() > _LARGEST - PADDING:
        raise OddWireError("more than 2 GiB at once")
    buffer = np.frombuffer(b"".join([*bodies, bytes(PADDING)]), np.uint8)
    ends = np.cumsum(sizes)
    requests = Ranges(np.arange(len(sizes)), ends - sizes, ends)
    resources = Fields(buffer, requests, repeated=(1,)).lists[1]
    resource = Fields(buffer, resources, {1: LENGTH}, (2,))
    scopes = resource.lists[2]
    scope = Fields(buffer, scopes, {1: LENGTH}, (2,))
    spans = scope.lists[2]
    resource_pairs = Fields(buffer, resource.ranges[1], repeated=(1,)).lists[1]
    resource_maps = _Maps(buffer, resource_pairs, len(resources))
    names = Fields(buffer, scope.ranges[1], _PAIR)
    columns, kept = _span_columns(buffer, spans)
    in_scope = spans.parent[kept]
    in_resource = pa.array(scopes.parent[in_scope])
    columns |= {
        "service_name": resource_maps.first_text("service.name").take(in_resource),
        "scope_name": texts(views(buffer, names.ranges[1]), buffer).take(pa.array(in_scope)),
        "scope_version": texts(views(buffer, names.ranges[2]), buffer).take(pa.array(in_scope)),
        "resource_attributes": resource_maps.array().take(in_resource),
    }
    return pa.RecordBatch.from_arrays([columns[f.name] for f in DECODED_SPANS], schema=DECODED_SPANS)


def _span_columns(buffer: Bytes, spans: Ranges) -> tuple[dict[str, pa.Array], Offsets]:
    """The columns of the spans with valid ids, and their rows in `spans`."""
    fields = Fields(buffer, spans, _SPAN, (9, 11, 13))
    kept = np.flatnonzero(fields.ids(1, 16)[1] & fields.ids(2, 8)[1])
    if len(kept) < len(spans):
        fields = Fields(buffer, spans.take(kept), _SPAN, (9, 11, 13))
    status = Fields(buffer, fields.ranges[15], {2: LENGTH, 3: VARINT})
    maps = _Maps(buffer, fields.lists[9], len(kept))
    dropped = sum(fields.numbers[k] & _32_BITS for k in (10, 12, 14))
    columns = {
        "trace_id": _ids(fields.ids(1, 16)[0]),
        "span_id": _ids(fields.ids(2, 8)[0]),
        "parent_span_id": _ids(fields.ids(4, 8)[0]),
        "trace_state": texts(views(buffer, fields.ranges[3]), buffer),
        "flags": pa.array(fields.fixed32(16)),
        "name": texts(views(buffer, fields.ranges[5]), buffer),
        "kind": _named(KINDS, fields.numbers[6]),
        "start_time": _times(fields.fixed64(7)),
        "end_time": _times(fields.fixed64(8)),
        "status_code": _named(STATUSES, status.numbers[3]),
        "status_message": texts(views(buffer, status.ranges[2]), buffer),
        "attributes": maps.array(),
        "attribute_types": maps.types(),
        "dropped_count": pa.array(np.minimum(dropped, 2**32 - 1).astype(np.uint32)),
    }
    return columns | _events(buffer, fields.lists[11], len(kept)) | _links(buffer, fields.lists[13], len(kept)), kept


def _events(buffer: Bytes, events: Ranges, rows: int) -> dict[str, pa.Array]:
    fields = Fields(buffer, events, {1: FIXED64, 2: LENGTH}, (3,))
    offsets = _offsets(events.parent, rows)
    return {
        "event_times": _lists(offsets, _times(fields.fixed64(1))),
        "event_names": _lists(offsets, texts(views(buffer, fields.ranges[2]), buffer)),
        "event_attributes": _lists(offsets, _Maps(buffer, fields.lists[3], len(events)).array()),
    }


def _links(buffer: Bytes, links: Ranges, rows: int) -> dict[str, pa.Array]:
    sizes = Fields(buffer, links, _PAIR).ranges
    links = links.take((sizes[1].end - sizes[1].start == 16) & (sizes[2].end - sizes[2].start == 8))
    fields = Fields(buffer, links, _PAIR, (4,))
    offsets = _offsets(links.parent, rows)
    return {
        "link_trace_ids": _lists(offsets, _ids(fields.ids(1, 16)[0])),
        "link_span_ids": _lists(offsets, _ids(fields.ids(2, 8)[0])),
        "link_attributes": _lists(offsets, _Maps(buffer, fields.lists[4], len(links)).array()),
    }


def _lists(offsets: Offsets, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _ids(raw: Bytes) -> pa.Array:
    return pa.Array.from_buffers(pa.binary(raw.shape[1]), len(raw), [None, pa.py_buffer(np.ascontiguousarray(raw))])


def _times(nanoseconds: Numbers) -> pa.Array:
    return pa.array(np.minimum(nanoseconds, _MAX_TIME).astype(np.int64)).cast(TIME)


def _named(names: tuple[str, ...], numbers: Numbers) -> pa.Array:
    """The names of an enumeration; numbers beyond it are the first."""
    index = numbers & _32_BITS
    index = np.where(index < len(names), index, 0).astype(np.int64)
    return pa.array(names, pa.string()).take(pa.array(index))
