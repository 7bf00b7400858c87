"""What must hold for any bytes: each target takes one input and fails when something is broken."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket
import tempfile
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cramjam
import pyarrow as pa
import zstandard
from google.protobuf.json_format import MessageToDict
from h2.config import H2Configuration
from h2.connection import H2Connection
from tests.fuzz.mutate import corpus

from actorscope.errors import TooLargeError
from actorscope.ingest import decode, decode_columns, decode_json, decode_python
from actorscope.ingest.counters import Counters
from actorscope.ingest.decode import UndecodableError
from actorscope.ingest.intake import Intake
from actorscope.ingest.otlp.encoding import decompress
from actorscope.ingest.otlp.grpc import GrpcDoor
from actorscope.ingest.otlp.http import http_app
from actorscope.ingest.spool import Segment, Spool, read, record_of
from actorscope.ingest.wire import OddWireError
from actorscope.settings import IngestSettings

_LIMIT = 2**20
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_IDS = ("traceId", "spanId", "parentSpanId")


@dataclass(frozen=True)
class Target:
    """Seeds, and what must hold for each changed one."""

    name: str
    seeds: Callable[[], list[bytes]]
    check: Callable[[bytes], None]
    close: Callable[[], None] = lambda: None
    """Ends what `check` started."""


def _decoder(signal: str) -> Callable[[bytes], None]:
    """All decoders say the same: what is a request, what of it can be kept, and what it holds."""

    def check(body: bytes) -> None:
        try:
            accepted, reasons, _ = decode_python.inspect(signal, body, 2**31, 2**31)
        except ValueError:
            assert _native() is None or _native().inspect(signal == "logs", body) is None, "native takes what is no request"
            return
        whole = decode_python.decode_traces([body]) if signal == "traces" else decode_python.decode_logs([body])
        assert whole.num_rows == accepted
        if signal == "traces":
            try:
                assert decode_columns.decode_traces([body]).equals(whole)
            except OddWireError:
                pass
        if _native() is not None:
            _same_as_native(signal, body, accepted, reasons, whole)

    return check


def _same_as_native(signal: str, body: bytes, accepted: int, reasons: Any, whole: pa.RecordBatch) -> None:
    found = _native().inspect(signal == "logs", body)
    if found is not None:
        assert found[:3] == (accepted, reasons["invalid_trace_id"], reasons["invalid_span_id"])
        for limits in ((found[3], found[4]), (max(found[3] - 1, 0), 2**31), (2**31, max(found[4] - 1, 0))):
            is_over = found[3] > limits[0] or found[4] > limits[1]
            # A value that another one of the same field replaces still counts natively: such a request is taken apart for
            # nothing, and never is one let through that is over.
            assert is_over or not decode_python.inspect(signal, body, *limits)[2]
    made = (_native().decode_traces if signal == "traces" else _native().decode_logs)([body])
    if made is not None:
        assert pa.RecordBatch.from_arrays(made.columns, schema=whole.schema).equals(whole)


def _native() -> Any:
    return decode.native()


def to_json(signal: str, body: bytes) -> bytes:
    """A request as OTLP/JSON."""
    return json.dumps(_otlp(MessageToDict(decode_python.parse(signal, body), use_integers_for_enums=True))).encode()


def _otlp(value: Any) -> Any:
    """Ids in hex, where protobuf's own JSON has base64."""
    from base64 import b64decode

    if isinstance(value, list):
        return [_otlp(item) for item in value]
    if isinstance(value, dict):
        return {k: b64decode(v).hex() if k in _IDS else _otlp(v) for k, v in value.items()}
    return value


def _json(body: bytes) -> None:
    """JSON becomes a request or a clear refusal; native says the same."""
    try:
        made = decode_json.to_protobuf("traces", body)
    except ValueError as error:
        assert str(error)
        made = None
    if made is not None:
        decode_python.parse("traces", made)
    if _native() is not None:
        quick = _native().json_to_protobuf("traces", body)
        if quick is not None:
            assert made is not None, "native takes what the reference refuses"
            # Written again, as not-a-number is equal to nothing and fields may stand in another order.
            assert decode_python.parse("traces", quick).SerializeToString() == made


_PACKED: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("gzip", gzip.compress), ("deflate", zlib.compress), ("zstd", zstandard.compress),
    ("x-snappy-framed", lambda body: bytes(cramjam.snappy.compress(body))),
)  # fmt: skip


def _encodings(data: bytes) -> None:
    """Whatever is packed, no more than the limit comes out and nothing but the two refusals is raised."""
    for name, _ in _PACKED:
        try:
            assert len(decompress(name, data, _LIMIT)) <= _LIMIT
        except (UndecodableError, TooLargeError):
            pass


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def _segment_bytes() -> list[bytes]:
    path = _folder() / "1.wal"
    path.unlink(missing_ok=True)
    segment = Segment(path)
    segment.append([record_of("traces", body[:300], 3, "acme", "desk") for body in corpus("traces")[:6]])
    segment.append([record_of("logs", b"", 0), record_of("traces", b"plain")])
    segment.close()
    return [path.read_bytes()]


def _spool(data: bytes) -> None:
    """Any file is read as far as it is whole."""
    path = _folder() / "2.wal"
    path.write_bytes(data)
    assert sum(record.size for record in read(path)) <= len(data)


@cache
def _intake() -> Intake:
    spool = Spool(_folder() / "spool")
    intake = Intake(spool, IngestSettings(max_request_mib=1, segment_mib=1), Counters(), Path.unlink)  # type: ignore[call-arg]
    intake.start()
    return intake


@cache
def _app() -> Any:
    return http_app(_intake(), 1)


def _close() -> None:
    if _intake.cache_info().currsize:
        _intake().close()
        _intake.cache_clear()
        _app.cache_clear()


def _door(data: bytes) -> None:
    """The first bytes choose path and headers, the rest is the body: never an error of ours."""
    path = ("/v1/traces", "/v1/logs", "/v1/metrics", "/v1/x")[data[0] % 4 if data else 0]
    kind = (b"application/x-protobuf", b"application/json", b"text/plain", data[:8])[data[1] % 4 if len(data) > 1 else 0]
    encoding = (b"", b"gzip", b"zstd", b"deflate", b"br", b"x-snappy-framed")[data[2] % 6 if len(data) > 2 else 0]
    status = asyncio.run(_post(path, kind, encoding, data[3:]))
    assert status in (200, 400, 404, 413, 415), status


async def _post(path: str, kind: bytes, encoding: bytes, body: bytes) -> int:
    headers = [(b"content-type", kind), (b"content-encoding", encoding)]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b"", "http_version": "1.1"}
    messages = [{"type": "http.request", "body": body, "more_body": False}]
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    await _app()({**scope, "root_path": "", "scheme": "http", "server": ("127.0.0.1", 1), "client": None}, receive, send)
    return int(answers[0]["status"])


class _Heard(logging.Handler):
    """What the door logs: an error of ours, always."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record))


@cache
def _grpc_door() -> tuple[GrpcDoor, _Heard]:
    door, heard = GrpcDoor(_intake(), "127.0.0.1", 0, 1), _Heard()
    logging.getLogger().addHandler(heard)
    door.start()
    return door, heard


def _http2(data: bytes) -> None:
    """Whatever comes after the greeting of HTTP/2: the connection ends without an error of ours, and nothing is held."""
    door, heard = _grpc_door()
    with socket.create_connection(("127.0.0.1", door.port), timeout=5) as wire, suppress(ConnectionError):
        wire.sendall(_GREETING + data)
        wire.shutdown(socket.SHUT_WR)
        while wire.recv(2**16):
            pass
    end = time.monotonic() + 5
    while _intake().budget.used and time.monotonic() < end:
        time.sleep(0.001)
    assert not _intake().budget.used, "memory is held for a connection that is gone"
    assert not heard.said, heard.said.pop()


def _http2_seeds() -> list[bytes]:
    """Connections of two calls each."""
    made = []
    for body in corpus("traces")[:8]:
        for name, pack in (("identity", bytes), *_PACKED[:3], ("snappy", _PACKED[3][1])):
            client = H2Connection(H2Configuration(client_side=True))
            client.initiate_connection()
            for number, half in ((1, 10), (3, 2000)):
                headers = {":method": "POST", ":scheme": "http", ":authority": "x", ":path": _EXPORT, "content-type": "application/grpc"}
                client.send_headers(number, [*headers.items(), ("grpc-encoding", name), ("grpc-timeout", "5S")])
                packed = pack(body[:4000])
                data = bytes([name != "identity"]) + len(packed).to_bytes(4, "big") + packed
                client.send_data(number, data[:half])
                client.send_data(number, data[half:], end_stream=True)
            client.ping(b"are you?")
            made.append(client.data_to_send().removeprefix(_GREETING))
    return made


def _close_grpc() -> None:
    if _grpc_door.cache_info().currsize:
        door, heard = _grpc_door()
        door.stop(0)
        logging.getLogger().removeHandler(heard)
        _grpc_door.cache_clear()
    _close()


def _door_seeds() -> list[bytes]:
    bodies = corpus("traces")[:20]
    plain = [bytes([0, 0, 0]) + body for body in bodies] + [bytes([1, 0, 0]) + body for body in corpus("logs")]
    packed = [bytes([0, 0, n]) + pack(body) for body in bodies for n, (_, pack) in zip((1, 3, 2, 5), _PACKED, strict=True)]
    return plain + packed + [bytes([0, 1, 0]) + to_json("traces", body) for body in bodies]


TARGETS = {
    target.name: target
    for target in (
        Target("traces", lambda: corpus("traces"), _decoder("traces")),
        Target("logs", lambda: corpus("logs"), _decoder("logs")),
        Target("json", lambda: [to_json("traces", body) for body in corpus("traces")], _json),
        Target("encodings", lambda: [pack(body) for body in corpus("traces")[:20] for _, pack in _PACKED], _encodings),
        Target("spool", _segment_bytes, _spool),
        Target("door", _door_seeds, _door, _close),
        Target("http2", _http2_seeds, _http2, _close_grpc),
    )
}
