"""What both doors do with a request once its body is plain protobuf: keep it, and say so in OTLP's words."""

from __future__ import annotations

import logging
import time
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from actorscope.errors import ActorscopeError
from actorscope.ingest.decode import UndecodableError
from actorscope.ingest.gate import Sender
from actorscope.ingest.intake import Intake
from actorscope.ingest.otlp.status import Refusal, refusal_of

log = logging.getLogger(__name__)
SIGNALS = ("traces", "logs", "metrics")
_LONGEST = 2000
"""Longest message in an answer, so that no answer comes near the 4 MiB that senders accept."""
_NO_METRICS = (
    "Actorscope keeps traces and logs only: set OTEL_METRICS_EXPORTER=none, or send metrics elsewhere; do not send again"
)


def keep(intake: Intake, sender: Sender, protocol: str, signal: str, body: bytes) -> Any:
    """The OTLP response to a request; `partial_success` is unset when all of it was kept as it came.

    Metrics are not kept: the sender is told so, and that nothing is gained by trying again. Raises what Intake.receive and
    Sender.spend raise.
    """
    began, telemetry = time.monotonic(), intake.telemetry
    telemetry.add("actorscope.ingest.received", len(body), protocol=protocol)
    sender.spend(len(body))
    answer = _keep(intake, sender, signal, body)
    outcome = "partial" if answer.HasField("partial_success") else "accepted"
    telemetry.add("actorscope.ingest.requests", 1, protocol=protocol, signal=signal, outcome=outcome)
    telemetry.observe("actorscope.ingest.ack.duration", time.monotonic() - began, protocol=protocol)
    return answer


def refuse(intake: Intake, protocol: str, signal: str, error: Exception) -> Refusal:
    """What to say to the sender of a request that `error` kept out; counted, and logged when it is a fault of ours."""
    if not isinstance(error, ActorscopeError | UndecodableError):
        log.error("unexpected error in OTLP/%s %s", protocol, signal, exc_info=error)
    refusal = refusal_of(error)
    intake.refused(refusal.reason)
    intake.telemetry.add("actorscope.ingest.requests", 1, protocol=protocol, signal=signal, outcome="refused")
    return refusal


def _keep(intake: Intake, sender: Sender, signal: str, body: bytes) -> Any:
    if signal == "metrics":
        answer = ExportMetricsServiceResponse()
        if points := intake.decline_metrics(body):
            answer.partial_success.rejected_data_points = points
            answer.partial_success.error_message = _NO_METRICS
        return answer
    receipt = intake.receive(signal, body, sender.label)
    response = ExportTraceServiceResponse() if signal == "traces" else ExportLogsServiceResponse()
    if receipt.rejected or receipt.message:
        partial = response.partial_success
        setattr(partial, "rejected_spans" if signal == "traces" else "rejected_log_records", receipt.rejected)
        partial.error_message = receipt.message[:_LONGEST]
    return response
