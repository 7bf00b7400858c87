"""OTLP/HTTP: `POST /v1/traces` and `/v1/logs`, protobuf with optional gzip."""

from __future__ import annotations

import logging
import zlib
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from actorscope.errors import ActorscopeError
from actorscope.ingest.decode import UndecodableError
from actorscope.ingest.intake import Intake, TooLargeError
from actorscope.ingest.otlp.grpc import response_of
from actorscope.ingest.otlp.status import refusal_of

log = logging.getLogger(__name__)
_PROTOBUF = "application/x-protobuf"


async def _read(request: Request, limit: int) -> bytes:
    """The body, decompressed; never more than `limit` bytes are held."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise _UnsupportedError(f"content-encoding {encoding!r} is not supported; use gzip or none")
    gzip = _Gzip() if encoding == "gzip" else None
    parts, size, taken = [], 0, 0
    async for chunk in request.stream():
        taken += len(chunk)
        part = chunk if gzip is None else gzip.inflate(chunk, limit - size + 1)
        size += len(part)
        if max(size, taken) > limit:
            raise TooLargeError(f"request is over the limit of {limit} bytes")
        parts.append(part)
    if gzip is not None and gzip.is_open:
        raise UndecodableError("the gzip body ends too early")
    return b"".join(parts)


class _Gzip:
    """Decompresses a body in pieces: gzip members one after the other (RFC 1952, section 2.2)."""

    def __init__(self) -> None:
        self._member: Any = None

    @property
    def is_open(self) -> bool:
        """True inside a member: more must come."""
        return self._member is not None

    def inflate(self, data: bytes, most: int) -> bytes:
        """What `data` adds, cut at `most` bytes."""
        parts = []
        while data and most > 0:
            self._member = self._member or zlib.decompressobj(wbits=31)
            try:
                parts.append(self._member.decompress(data, most))
            except zlib.error as error:
                raise UndecodableError(f"cannot decompress the body as gzip: {error}") from error
            most -= len(parts[-1])
            data = self._member.unused_data
            if self._member.eof:
                self._member = None
        return b"".join(parts)


class _UnsupportedError(ActorscopeError):
    """The request is in a form that this door does not read."""


def http_app(intake: Intake, max_request_mib: int) -> Starlette:
    """The ASGI application of the OTLP/HTTP door."""
    limit = max_request_mib * 2**20

    def endpoint(signal: str) -> Route:
        async def export(request: Request) -> Response:
            content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if content_type != _PROTOBUF:
                return Response(f"content type must be {_PROTOBUF}\n", 415, media_type="text/plain")
            try:
                body = await _read(request, limit)
                receipt = await run_in_threadpool(intake.receive, signal, body)
            except ClientDisconnect:
                return Response(status_code=400)
            except _UnsupportedError as error:
                return Response(f"{error}\n", 415, media_type="text/plain")
            except Exception as error:
                return _refuse(signal, error)
            return Response(response_of(signal, receipt).SerializeToString(), media_type=_PROTOBUF)

        return Route(f"/v1/{signal}", export, methods=["POST"])

    return Starlette(routes=[endpoint("traces"), endpoint("logs")])


def _refuse(signal: str, error: Exception) -> Response:
    if not isinstance(error, ActorscopeError | UndecodableError):
        log.error("unexpected error in OTLP/HTTP %s", signal, exc_info=error)
    refusal = refusal_of(error)
    headers = {}
    if refusal.retry_after_seconds is not None:
        headers["Retry-After"] = str(max(1, round(refusal.retry_after_seconds)))
    return Response(refusal.status().SerializeToString(), refusal.http_status, headers, _PROTOBUF)
