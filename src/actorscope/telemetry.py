"""What this process measures of itself, in one registry: read by Prometheus, exported over OTLP, shown in the explorer.

Names, units and attributes are declared in `semconv/metrics.yaml`; an undeclared one is an error at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

_SUFFIX = {"s": "_seconds", "By": "_bytes"}
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
disable_created_metrics()  # type: ignore[no-untyped-call]  # a time of creation beside every series would double what is scraped
_MAKE: dict[str, Any] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


@dataclass(frozen=True)
class Declared:
    """A metric of `semconv/metrics.yaml`."""

    name: str
    instrument: str
    unit: str
    attributes: tuple[str, ...]
    brief: str
    stem: str = ""

    @property
    def prometheus(self) -> str:
        """Its name for Prometheus, without the suffix of counters; `stem` where it is not that of the dots."""
        return (self.stem or self.name.replace(".", "_")) + _SUFFIX.get(self.unit, "")

    @property
    def exposed(self) -> str:
        """Its name in what Prometheus reads."""
        return f"{self.prometheus}_total" if self.instrument == "counter" else self.prometheus


@cache
def declared() -> dict[str, Declared]:
    """All metrics by name."""
    raw = yaml.safe_load(files("actorscope.semconv").joinpath("metrics.yaml").read_text())
    return {m["name"]: Declared(**{**m, "attributes": tuple(m["attributes"])}) for m in raw["metrics"]}


Reading = tuple[str, dict[str, str], float]
"""A metric's name, its attributes and its value now."""


class Telemetry:
    """The measurements of one process. `add` and `observe` cost about a microsecond; `watch` costs nothing until somebody looks."""

    def __init__(self) -> None:
        self.began_ns = time.time_ns()
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._made: dict[str, Any] = {}
        self._bound: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._watched: list[Callable[[], Iterable[Reading]]] = []
        self._lock = threading.Lock()
        self.registry.register(self)

    def add(self, name: str, amount: float = 1, **attributes: str) -> None:
        """Count."""
        self._child(name, attributes).inc(amount)

    def observe(self, name: str, seconds: float, **attributes: str) -> None:
        """Note one duration."""
        self._child(name, attributes).observe(seconds)

    def watch(self, readings: Callable[[], Iterable[Reading]]) -> None:
        """Ask `readings` for values of counters and gauges each time that somebody looks."""
        self._watched.append(readings)

    def _child(self, name: str, attributes: dict[str, str]) -> Any:
        key = (name, tuple(attributes.values()))
        child = self._bound.get(key)
        if child is None:
            with self._lock:
                child = self._bound[key] = self._make(name, attributes)
        return child

    def _make(self, name: str, attributes: dict[str, str]) -> Any:
        what = declared()[name]
        if tuple(attributes) != what.attributes:
            raise KeyError(f"{name} has the attributes {what.attributes}, not {tuple(attributes)}")
        if name not in self._made:
            options = {"buckets": _BUCKETS} if what.instrument == "histogram" else {}
            make = _MAKE[what.instrument]
            self._made[name] = make(what.prometheus, what.brief, what.attributes, registry=self.registry, **options)
        metric = self._made[name]
        return metric.labels(*attributes.values()) if attributes else metric

    def collect(self) -> Iterator[Metric]:
        """The watched values, for the registry."""
        families: dict[str, Any] = {}
        for name, attributes, value in (r for readings in self._watched for r in readings()):
            what = declared()[name]
            family = families.get(name)
            if family is None:
                make = CounterMetricFamily if what.instrument == "counter" else GaugeMetricFamily
                family = families[name] = make(what.prometheus, what.brief, labels=what.attributes)
            family.add_metric([attributes[key] for key in what.attributes], value)
        return iter(families.values())

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Everything in Prometheus' format, or OpenMetrics where that is asked for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


def document(made: str) -> str:
    """docs/telemetry.md; `made` says how it is written."""
    lines = [
        f"| `{m.name}` | `{m.exposed}` | {m.instrument} | {m.unit} | {', '.join(f'`{a}`' for a in m.attributes)} | {m.brief} |"
        for m in declared().values()
    ]
    parts = [
        "# Telemetry of Actorscope itself",
        made,
        "`GET /metrics` answers in Prometheus' text format, or OpenMetrics where `Accept` asks for it: on the port of the explorer and "
        "on the port of OTLP/HTTP, there behind a token as soon as senders need one. Each process tells of itself only, with the usual "
        "`process_*` metrics of CPU, memory and open files.",
        "With `telemetry.otlp_endpoint` ([settings](settings.md)) the same values go out over OTLP/HTTP under the names of the first "
        "column; headers and certificates are those of `OTEL_EXPORTER_OTLP_*`. A door of the process itself is refused at the start.",
        "| metric | in Prometheus | instrument | unit | attributes | meaning |\n| --- | --- | --- | --- | --- | --- |\n"
        + "\n".join(lines),
    ]
    return "\n\n".join(parts) + "\n"
