"""What both doors do with a request once its body is plain protobuf: keep it, and say so in OTLP's words."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from actorscope.ingest.gate import Sender
from actorscope.ingest.intake import Intake

SIGNALS = ("traces", "logs", "metrics")
_LONGEST = 2000
"""Longest message in an answer, so that no answer comes near the 4 MiB that senders accept."""
_NO_METRICS = (
    "Actorscope keeps traces and logs only: set OTEL_METRICS_EXPORTER=none, or send metrics elsewhere; do not send again"
)


def keep(intake: Intake, sender: Sender, signal: str, body: bytes) -> Any:
    """The OTLP response to a request; `partial_success` is unset when all of it was kept as it came.

    Metrics are not kept: the sender is told so, and that nothing is gained by trying again. Raises what Intake.receive and
    Sender.spend raise.
    """
    sender.spend(len(body))
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
