"""The one table from what happened to what a sender is told (OTLP specification 1.11, sections on failures)."""

from __future__ import annotations

from dataclasses import dataclass

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from actorscope.errors import TransientError
from actorscope.ingest.decode import UndecodableError
from actorscope.ingest.intake import TooLargeError


@dataclass(frozen=True)
class Refusal:
    """An answer other than OK; `retry_after_seconds` is None when the sender must not try again."""

    grpc_code: grpc.StatusCode
    http_status: int
    message: str
    retry_after_seconds: float | None = None

    def status(self) -> Status:
        """The `google.rpc.Status` that both protocols carry."""
        status = Status(code=self.grpc_code.value[0], message=self.message)
        if self.retry_after_seconds is not None:
            seconds = int(self.retry_after_seconds)
            delay = Duration(seconds=seconds, nanos=int((self.retry_after_seconds - seconds) * 1e9))
            status.details.add().Pack(RetryInfo(retry_delay=delay))
        return status


def refusal_of(error: Exception) -> Refusal:
    """What to answer when `error` kept a request from being kept."""
    if isinstance(error, UndecodableError):
        return Refusal(grpc.StatusCode.INVALID_ARGUMENT, 400, str(error))
    if isinstance(error, TooLargeError):
        return Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, 413, str(error))
    if isinstance(error, TransientError):
        return Refusal(grpc.StatusCode.UNAVAILABLE, 503, str(error), error.retry_after_seconds)
    return Refusal(grpc.StatusCode.INTERNAL, 500, f"unexpected {type(error).__name__} while keeping the request")
