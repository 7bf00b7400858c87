"""Own measurements sent out over OTLP/HTTP: the registry that `/metrics` shows, in OpenTelemetry's terms."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

from actorscope import __version__
from actorscope.errors import DefinitionError, Problem
from actorscope.settings import TelemetrySettings
from actorscope.telemetry import Declared, Telemetry, declared

log = logging.getLogger(__name__)
_CUMULATIVE = AggregationTemporality.CUMULATIVE
_LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::"}
_PROCESS = [
    Declared("process.cpu.time", "counter", "s", (), "CPU time of the process.", "process_cpu"),
    Declared("process.memory.usage", "sum", "By", (), "Resident memory of the process.", "process_resident_memory"),
    Declared("process.unix.file_descriptor.count", "sum", "{file_descriptor}", (), "Open files.", "process_open_fds"),
]
"""What prometheus_client measures of the process, under the names of OpenTelemetry's conventions."""


def otlp(telemetry: Telemetry, now_ns: int) -> Iterator[Metric]:
    """All measurements as OTLP metrics, cumulative since the process started; min and max of histograms are not known."""
    known = {what.prometheus: what for what in (*declared().values(), *_PROCESS)}
    for family in telemetry.registry.collect():
        what = known.get(family.name)
        if what is not None and family.samples:
            yield Metric(what.name, what.brief, what.unit, _data(what, family, telemetry.began_ns, now_ns))


def _data(what: Declared, family: Family, began_ns: int, now_ns: int) -> Any:
    if what.instrument == "histogram":
        return Histogram(list(_histograms(family, began_ns, now_ns)), _CUMULATIVE)
    points = [NumberDataPoint(s.labels, began_ns, now_ns, s.value) for s in family.samples]
    return Gauge(points) if what.instrument == "gauge" else Sum(points, _CUMULATIVE, what.instrument == "counter")


def _histograms(family: Family, began_ns: int, now_ns: int) -> Iterator[HistogramDataPoint]:
    series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
    for sample in family.samples:
        labels = tuple((key, value) for key, value in sample.labels.items() if key != "le")
        series.setdefault(labels, []).append(sample)
    for labels, samples in series.items():
        buckets = [(float(s.labels["le"]), int(s.value)) for s in samples if s.name.endswith("_bucket")]
        total = next(s.value for s in samples if s.name.endswith("_sum"))
        reached = [0, *(count for _, count in buckets)]
        counts = [after - before for before, after in zip(reached, reached[1:], strict=False)]
        bounds, unknown = [bound for bound, _ in buckets[:-1]], {"min": None, "max": None}
        yield HistogramDataPoint(
            dict(labels), began_ns, now_ns, buckets[-1][1], total, counts, bounds, **unknown  # type: ignore[arg-type]
        )  # fmt: skip


class Export:
    """Sends at an interval and once more when it stops. Headers and certificates come from `OTEL_EXPORTER_OTLP_*`."""

    def __init__(self, telemetry: Telemetry, settings: TelemetrySettings, roles: tuple[str, ...]) -> None:
        self._telemetry, self._interval = telemetry, settings.interval_seconds
        url = settings.otlp_endpoint.rstrip("/")
        url = url if url.endswith("/v1/metrics") else f"{url}/v1/metrics"
        # A receiver that is down must not hold up the end of the process for long.
        self._exporter = OTLPMetricExporter(url, timeout=min(5.0, self._interval))
        self._resource = Resource.create(
            {"service.name": "actorscope", "service.version": __version__, "actorscope.roles": list(roles)}
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry-export", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send what was measured last."""
        self._stop.set()
        self._thread.join()
        self._exporter.shutdown()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            self._send()
        self._send()

    def _send(self) -> None:
        try:
            metrics = list(otlp(self._telemetry, time.time_ns()))
            scope = ScopeMetrics(InstrumentationScope("actorscope", __version__), metrics, "")
            result = self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))
        except Exception as error:  # whatever it is, measuring must not end and must not harm what is measured
            log.warning("cannot export telemetry: %s", error)
            return
        if result is not MetricExportResult.SUCCESS:
            log.warning("telemetry was not taken; the next export in %g s holds it too", self._interval)


def refuse_own_doors(endpoint: str, host: str, ports: tuple[int, ...]) -> None:
    """Raises DefinitionError when the endpoint is a port of this process: measuring would make what it measures."""
    parts = urlsplit(endpoint)
    if parts.port in ports and parts.hostname in _LOOPBACK | {host}:
        raise DefinitionError(
            [Problem("setting telemetry.otlp_endpoint", "is a port of this very process", "name another receiver")]
        )
