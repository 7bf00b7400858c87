"""The one table from what happened to what a sender is told (OTLP specification 1.11, sections on failures)."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from actorscope.errors import ForbiddenError, ThrottledError, TooLargeError, TransientError, UnauthenticatedError
from actorscope.ingest.decode import UndecodableError

_LONGEST = 2000


@dataclass(frozen=True)
class Refusal:
    """An answer other than OK; `retry_after_seconds` is None when the sender must not try again."""

    grpc_code: grpc.StatusCode
    http_status: int
    message: str
    retry_after_seconds: float | None = None
    reason: str = "unexpected"
    """A short stable code, under which refusals are counted."""

    def status(self) -> Status:
        """The `google.rpc.Status` that both protocols carry."""
        status = Status(code=self.grpc_code.value[0], message=self.message)
        if (retry := self.retry_info()) is not None:
            status.details.add().Pack(retry)
        if self.grpc_code is grpc.StatusCode.INVALID_ARGUMENT:
            violation = BadRequest.FieldViolation(field="body", description=self.message)
            status.details.add().Pack(BadRequest(field_violations=[violation]))
        return status

    def retry_info(self) -> RetryInfo | None:
        """When to send again; None for never."""
        if self.retry_after_seconds is None:
            return None
        seconds = int(self.retry_after_seconds)
        return RetryInfo(retry_delay=Duration(seconds=seconds, nanos=int((self.retry_after_seconds - seconds) * 1e9)))


def refusal_of(error: Exception) -> Refusal:
    """What to answer when `error` kept a request from being kept.

    Only TransientError, ThrottledError among them, is retryable by its code, and always says when.
    """
    text = str(error)[:_LONGEST]
    if isinstance(error, UndecodableError):
        return Refusal(grpc.StatusCode.INVALID_ARGUMENT, 400, text, reason="undecodable")
    if isinstance(error, TooLargeError):
        return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, 413, text, reason="too_large")
    if isinstance(error, UnauthenticatedError):
        return Refusal(grpc.StatusCode.UNAUTHENTICATED, 401, text, reason="unauthenticated")
    if isinstance(error, ForbiddenError):
        return Refusal(grpc.StatusCode.PERMISSION_DENIED, 403, text, reason="forbidden")
    if isinstance(error, ThrottledError):
        return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, 429, text, error.retry_after_seconds, "throttled")
    if isinstance(error, TransientError):
        return Refusal(grpc.StatusCode.UNAVAILABLE, 503, text, error.retry_after_seconds, "no_room")
    return Refusal(grpc.StatusCode.INTERNAL, 500, f"unexpected {type(error).__name__} while keeping the request")


def other_refusal(http_status: int, message: str) -> Refusal:
    """What HTTP alone refuses: paths, methods and forms that gRPC has no place for."""
    code = grpc.StatusCode.UNIMPLEMENTED if http_status in (404, 405) else grpc.StatusCode.INVALID_ARGUMENT
    return Refusal(code, http_status, message, reason="not_otlp")
