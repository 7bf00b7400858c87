"""`replay`: recorded OTLP through the front door."""

from __future__ import annotations

import gzip
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import grpc
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from actorscope.errors import DefinitionError, Problem
from actorscope.ingest import decode

_METHOD = "/opentelemetry.proto.collector.{0}.v1.{1}Service/Export"
_REQUESTS: dict[str, Any] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest}
_RESPONSES: dict[str, Any] = {"traces": ExportTraceServiceResponse, "logs": ExportLogsServiceResponse}
_TRIES = 20


@dataclass(frozen=True)
class Recorded:
    """One recorded request, and the earliest time in it, by which several files are put in order."""

    signal: str
    body: bytes
    at: int


def read(path: Path) -> Iterator[Recorded]:
    """The requests of a recording in its order. Raises DefinitionError when the file is none."""
    plain = path.name.removesuffix(".gz")
    try:
        data = (gzip.open(path) if path.suffix == ".gz" else path.open("rb")).read()
    except (OSError, EOFError, zlib.error) as error:
        raise DefinitionError([Problem(str(path), f"cannot be read: {error}")]) from error
    if plain.endswith(".binpb"):
        yield from (
            _recorded("logs" if plain.endswith(".logs.binpb") else "traces", body) for body in _delimited(path, data)
        )
    elif plain.endswith((".json", ".jsonl", ".ndjson")):
        yield from (_from_json(path, number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip())
    else:
        raise DefinitionError(
            [Problem(str(path), "is no recording", "*.binpb, *.logs.binpb or OTLP JSON lines, or *.gz of these")]
        )


def _delimited(path: Path, data: bytes) -> Iterator[bytes]:
    position = 0
    while position < len(data):
        length = shift = 0
        start = position
        while True:
            if position >= len(data) or shift > 63:
                raise DefinitionError([Problem(str(path), f"is cut or no delimited protobuf at byte {start}")])
            byte = data[position]
            position += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if position + length > len(data):
            raise DefinitionError([Problem(str(path), f"ends inside a request of {length} bytes at byte {start}")])
        yield data[position : position + length]
        position += length


def _from_json(path: Path, number: int, line: bytes) -> Recorded:
    signal = "logs" if b'"resourceLogs"' in line else "traces"
    try:
        return _recorded(signal, decode.from_json(signal, line))
    except decode.UndecodableError as error:
        raise DefinitionError([Problem(f"{path}:{number}", f"is no OTLP JSON: {error}")]) from error


def _recorded(signal: str, body: bytes) -> Recorded:
    try:
        request = _REQUESTS[signal].FromString(body)
    except DecodeError:
        return Recorded(signal, body, 0)  # the front door says what is wrong with it
    return Recorded(signal, body, min(_times(signal, request), default=0))


def _times(signal: str, request: Any) -> Iterator[int]:
    if signal == "traces":
        return (s.end_time_unix_nano for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans)
    return (
        r.time_unix_nano or r.observed_time_unix_nano
        for rl in request.resource_logs
        for sl in rl.scope_logs
        for r in sl.log_records
    )


def shift(recorded: Recorded, by: int) -> Recorded:
    """The same request `by` nanoseconds later."""
    request = _REQUESTS[recorded.signal].FromString(recorded.body)
    if recorded.signal == "logs":
        for record in (r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records):
            record.time_unix_nano += by if record.time_unix_nano else 0
            record.observed_time_unix_nano += by if record.observed_time_unix_nano else 0
    else:
        for span in (s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans):
            span.start_time_unix_nano += by
            span.end_time_unix_nano += by
            for event in span.events:
                event.time_unix_nano += by
    return Recorded(recorded.signal, request.SerializeToString(), recorded.at + by)


class _Sender:
    """Sends requests over gRPC; what the server asks to be sent again is sent again."""

    def __init__(self, endpoint: str, token: str = "", ca: Path | None = None) -> None:
        options = [("grpc.max_send_message_length", -1)]
        where = endpoint.partition("://")[2] or endpoint
        if endpoint.startswith("https://"):
            trusted = grpc.ssl_channel_credentials(ca.read_bytes() if ca else None)
            self._channel = grpc.secure_channel(where, trusted, options=options)
        else:
            self._channel = grpc.insecure_channel(where, options=options)
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        names = {"traces": ("trace", "Trace"), "logs": ("logs", "Logs")}
        self._calls = {signal: self._channel.unary_unary(_METHOD.format(*name)) for signal, name in names.items()}

    def wait_ready(self, endpoint: str) -> None:
        try:
            grpc.channel_ready_future(self._channel).result(timeout=10)
        except grpc.FutureTimeoutError as error:
            raise DefinitionError(
                [Problem("endpoint", f"nothing answers OTLP/gRPC at {endpoint}", "actorscope up")]
            ) from error

    def send(self, recorded: Recorded) -> str:
        """Empty when all was accepted, else what was refused and why."""
        for attempt in range(_TRIES):
            try:
                call = self._calls[recorded.signal]
                answer = _RESPONSES[recorded.signal].FromString(call(recorded.body, timeout=60, metadata=self._metadata))
                return str(answer.partial_success.error_message)
            except grpc.RpcError as error:
                if not _may_pass(error) or attempt == _TRIES - 1:
                    return f"{error.code().name}: {error.details()}"
                time.sleep(min(0.2 * 2**attempt, 5.0))
        return ""

    def close(self) -> None:
        self._channel.close()


def _may_pass(error: Any) -> bool:
    """Whether to send again: unavailable, or over a rate for a while (RESOURCE_EXHAUSTED with details for the retry)."""
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return any(key == "grpc-status-details-bin" and b"RetryInfo" in value for key, value in error.trailing_metadata() or ())
    return error.code() is grpc.StatusCode.UNAVAILABLE


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--endpoint", default="127.0.0.1:4317", show_default=True, metavar="HOST:PORT", help="OTLP/gRPC address.")
@click.option("--token", default="", help="Bearer token, where senders must have one.")
@click.option("--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="CA in PEM for an https:// endpoint.")
@click.option("--shift-to-now", is_flag=True, help="Move all times so that the latest lies now.")
@click.option("--senders", default=4, show_default=True, help="Requests in flight; 1 keeps the order strictly.")
def replay(files: tuple[Path, ...], endpoint: str, token: str, ca: Path | None, shift_to_now: bool, senders: int) -> None:
    """Send recorded OTLP through the front door, several files together in order of time.

    \b
    Files: *.binpb (length-delimited trace requests), *.logs.binpb (log requests), OTLP JSON lines, and *.gz of these.
    actorscope replay recording.traces.binpb.gz recording.logs.binpb.gz
    """
    recorded = [request for file in files for request in read(file)]
    if len(files) > 1:
        recorded.sort(key=lambda r: r.at)
    if shift_to_now and recorded:
        by = time.time_ns() - max(r.at for r in recorded)
        recorded = [shift(r, by) for r in recorded]
    sender = _Sender(endpoint, token, ca)
    sender.wait_ready(endpoint)
    refused = _send_all(sender, recorded, senders)
    sender.close()
    for line in refused[:10]:
        click.echo(f"refused: {line}", err=True)
    click.echo(f"sent {len(recorded) - len(refused)} of {len(recorded)} requests from {len(files)} files", err=True)
    sys.exit(1 if refused else 0)


def _send_all(sender: _Sender, recorded: list[Recorded], senders: int) -> list[str]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    refused = []
    with Progress(*columns, transient=True) as progress, ThreadPoolExecutor(senders) as pool:
        task = progress.add_task("sending requests", total=len(recorded))
        waiting: list[Future[str]] = [pool.submit(sender.send, r) for r in recorded]
        for future in waiting:
            if message := future.result():
                refused.append(message)
            progress.advance(task)
    return refused
