"""OTLP request bodies to Arrow record batches, behind one signature that any decoder can take."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from actorscope.errors import DefinitionError, Problem, Reject
from actorscope.ingest import decode_columns, decode_json, decode_python
from actorscope.ingest.columns import DECODED_LOGS, DECODED_SPANS
from actorscope.ingest.wire import OddWireError

try:
    import actorscope_native as _built
except ImportError:
    _built = None

log = logging.getLogger(__name__)
NATIVE_VERSION = "0.1.2"
"""The version of the native decoder that fits; another one is not used."""
_GROUP_BYTES = 6 * 2**20
_native: Any = _built if _built is not None and _built.version() == NATIVE_VERSION else None


def choose(decoder: str) -> None:
    """Use the `native` decoder, the one in `python`, or whichever is there (`auto`).

    Raises DefinitionError when the native one is asked for and not built.
    """
    global _native
    fits = _built is not None and _built.version() == NATIVE_VERSION
    if decoder == "native" and not fits:
        found = f"version {_built.version()} is built, {NATIVE_VERSION} is needed" if _built else "it is not built"
        raise DefinitionError([Problem("setting ingest.decoder", f"no native decoder: {found}", "make native")])
    _native = _built if fits and decoder != "python" else None


def native() -> Any:
    """The native module in use; None when Python decodes."""
    return _native


def name() -> str:
    """Which decoder is used, for the start-up line."""
    return f"native {NATIVE_VERSION}" if _native else "python"


@dataclass(frozen=True)
class Limits:
    """How much of one record is kept."""

    attributes: int = 2**31
    """Attributes of one span, event, link, log record, scope or resource."""
    value_bytes: int = 2**31
    """Bytes of one text or byte value, also inside lists, and of a log body."""


_NO_LIMITS = Limits()


@dataclass(frozen=True)
class Inspection:
    """What a body holds: how many records can be kept and why others cannot."""

    accepted: int
    rejects: tuple[Reject, ...]
    is_over: bool = False
    """Something in it is over the limits."""

    @property
    def rejected(self) -> int:
        return sum(reject.count for reject in self.rejects)


class UndecodableError(ValueError):
    """The body is not an OTLP request; nothing of it can be used."""


def inspect(signal: str, body: bytes, limits: Limits = _NO_LIMITS) -> Inspection:
    """Decide before anything is written what of a body can be kept; `signal` is `traces` or `logs`.

    Raises UndecodableError when the body is not an OTLP request of that signal.
    """
    found = _native.inspect(signal == "logs", body) if _native else None
    if found is not None:
        accepted, traces, spans, most, longest = found
        rejects = [Reject("invalid_trace_id", traces), Reject("invalid_span_id", spans)]
        is_over = most > limits.attributes or longest > limits.value_bytes
        return Inspection(accepted, tuple(reject for reject in rejects if reject.count), is_over)
    try:
        accepted, reasons, is_over = decode_python.inspect(signal, body, limits.attributes, limits.value_bytes)
    except ValueError as error:
        raise UndecodableError(f"cannot parse {len(body)} bytes as an OTLP {signal} request: {error}") from error
    return Inspection(accepted, tuple(Reject(reason, n) for reason, n in reasons.items()), is_over)


def from_json(signal: str, body: bytes) -> bytes:
    """An OTLP/JSON body as protobuf. Raises UndecodableError that names the place of what is wrong."""
    if _native and (made := _native.json_to_protobuf(signal, body)) is not None:
        return bytes(made)
    try:
        return decode_json.to_protobuf(signal, body)
    except ValueError as error:
        raise UndecodableError(f"cannot parse {len(body)} bytes as OTLP/JSON {signal}: {error}") from error


def count_points(body: bytes) -> int:
    """How many data points a metrics request holds. Raises UndecodableError."""
    try:
        return decode_python.count_points(body)
    except ValueError as error:
        raise UndecodableError(f"cannot parse {len(body)} bytes as an OTLP metrics request: {error}") from error


def decode_traces(bodies: Sequence[bytes]) -> pa.RecordBatch:
    """Spans of `bodies` in order as columns DECODED_SPANS; spans without valid ids are left out.

    Bodies must have passed `inspect`.
    """
    parts = [_decode(group) for group in _groups(bodies)]
    return parts[0] if len(parts) == 1 else pa.concat_batches(parts)


def _groups(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Neighbours of _GROUP_BYTES together: the arrays of a step then stay in memory that is already at hand."""
    first, size = 0, 0
    for index, body in enumerate(bodies):
        if size and size + len(body) > _GROUP_BYTES:
            yield bodies[first:index]
            first, size = index, 0
        size += len(body)
    yield bodies[first:]


def _decode(bodies: Sequence[bytes]) -> pa.RecordBatch:
    if _native and (made := _native.decode_traces(list(bodies))) is not None:
        return pa.RecordBatch.from_arrays(made.columns, schema=DECODED_SPANS)
    try:
        return decode_columns.decode_traces(bodies)
    except OddWireError as odd:
        log.debug("%d bodies go to the reference decoder: %s", len(bodies), odd)
        return decode_python.decode_traces(bodies)


def decode_logs(bodies: Sequence[bytes]) -> pa.RecordBatch:
    """Log records of `bodies` in order, with the columns DECODED_LOGS."""
    if _native and (made := _native.decode_logs(list(bodies))) is not None:
        return pa.RecordBatch.from_arrays(made.columns, schema=DECODED_LOGS)
    return decode_python.decode_logs(bodies)
