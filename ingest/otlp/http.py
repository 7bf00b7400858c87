"""OTLP/HTTP: `POST /v1/traces`, `/v1/logs` and `/v1/metrics`, protobuf or JSON, plain or compressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from actorscope.errors import TooLargeError
from actorscope.ingest import decode
from actorscope.ingest.budget import Held
from actorscope.ingest.gate import Gate, Sender
from actorscope.ingest.intake import Intake
from actorscope.ingest.otlp.answers import SIGNALS, keep, refuse
from actorscope.ingest.otlp.encoding import ACCEPTED, ENCODINGS, decompress
from actorscope.ingest.otlp.status import Refusal, other_refusal

_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_PATHS = {f"/v1/{signal}": signal for signal in SIGNALS}


class _Door:
    """Answers every request to the port that is not for one of the other routes."""

    def __init__(self, intake: Intake, gate: Gate, limit: int) -> None:
        self._intake, self._gate, self._limit = intake, gate, limit

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        signal, content_type = _PATHS.get(request.scope["path"]), _content_type(request)
        if signal is None:
            return _refuse(content_type, other_refusal(404, f"nothing is at this path; OTLP is at {', '.join(_PATHS)}"))
        if request.method != "POST":
            return _refuse(content_type, other_refusal(405, "use POST"), {"Allow": "POST"})
        try:
            sender = self._gate.identify(request.headers.get("authorization"))
            if content_type not in (_PROTOBUF, _JSON):
                said = f"content type must be {_PROTOBUF} or {_JSON}"
                return self._unread(content_type, said, {"Accept": f"{_PROTOBUF}, {_JSON}"})
            encoding = request.headers.get("content-encoding", "").strip().lower()
            if encoding not in ENCODINGS:
                said = f"content encoding {encoding!r} is not read here; use one of {ACCEPTED}"
                return self._unread(content_type, said, {"Accept-Encoding": ACCEPTED})
            with self._intake.budget.hold() as held:
                body = await self._read(request, held)
                answer = await run_in_threadpool(self._keep, sender, signal, content_type, encoding, body, held)
        except ClientDisconnect:
            self._intake.refused("disconnected")
            return None
        except Exception as error:
            return self._refused(signal, content_type, error)
        return Response(_encoded(content_type, answer), media_type=content_type)

    def _unread(self, content_type: str, said: str, headers: dict[str, str]) -> Response:
        """A form that is not read here: telemetry is lost by it, so that it is counted as all refusals are."""
        refusal = other_refusal(415, said)
        self._intake.refused(refusal.reason)
        return _refuse(content_type, refusal, headers)

    async def _read(self, request: Request, held: Held) -> bytes:
        """The body as it came; never more than the limit is held."""
        told = request.headers.get("content-length", "0")
        if told.isdecimal() and int(told) > self._limit:
            raise TooLargeError(f"request of {told} bytes is over the limit of {self._limit} bytes")
        parts, size = [], 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._limit:
                raise TooLargeError(f"request is over the limit of {self._limit} bytes")
            held.grow(len(chunk))
            parts.append(chunk)
        return b"".join(parts)

    def _keep(self, sender: Sender, signal: str, content_type: str, encoding: str, body: bytes, held: Held) -> Any:
        plain = decompress(encoding, body, self._limit)
        if plain is not body:
            held.grow(len(plain))
        if content_type == _JSON and plain:
            plain = decode.from_json(signal, plain)
        return keep(self._intake, sender, "http", signal, plain)

    def _refused(self, signal: str, content_type: str, error: Exception) -> Response:
        refusal = refuse(self._intake, "http", signal, error)
        headers = {}
        if refusal.retry_after_seconds is not None:
            headers["Retry-After"] = str(max(1, round(refusal.retry_after_seconds)))
        if refusal.http_status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return _refuse(content_type, refusal, headers)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _encoded(content_type: str, message: Message) -> bytes:
    if content_type == _PROTOBUF:
        return bytes(message.SerializeToString())
    return str(MessageToJson(message, indent=None)).encode()


def _refuse(content_type: str, refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    """A refusal in the encoding of the request; as JSON where that is neither."""
    answered = _PROTOBUF if content_type == _PROTOBUF else _JSON
    return Response(_encoded(answered, refusal.status()), refusal.http_status, headers, answered)


def http_app(
    intake: Intake, max_request_mib: int, gate: Gate | None = None, origins: Sequence[str] = (), routes: Sequence[Route] = ()
) -> Starlette:
    """The ASGI application of the OTLP/HTTP door, with further `routes` before it; browsers of `origins` may send to it."""
    door = _Door(intake, gate or Gate(), max_request_mib * 2**20)
    middleware = [Middleware(GZipMiddleware, minimum_size=1000)]
    if origins:
        allowed = ["content-type", "content-encoding", "authorization", "traceparent", "tracestate"]
        middleware.insert(0, Middleware(CORSMiddleware, allow_origins=list(origins), allow_methods=["POST"], allow_headers=allowed))
    return Starlette(routes=[*routes, Mount("/", door)], middleware=middleware)
