"""The scenario library: the detector in a story's name finds its fault, and nobody minds its twin; alone, and in the fleet."""

from __future__ import annotations

import threading

import pytest
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from actorscope.analysis import ledger
from actorscope.analysis.detectors import DETECTORS
from actorscope.analysis.finding import ALERTS
from actorscope.analysis.runner import Runner
from actorscope.demo.doors import VERSIONS, Counted, Door, SeededIds
from actorscope.demo.fleet import Fleet
from actorscope.demo.play import Player
from actorscope.demo.scenarios import SCENARIOS
from actorscope.demo.stories import SHOPS, SIDES, stories
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.settings import AnalysisSettings

NOW = 1_790_000_000 * 10**9
Told = set[tuple[str, str, str]]
"""Service, detector and subject of what is told as medium or graver; the service is that of the trace."""


def _told(store: Store) -> Told:
    """What a full pass over the store tells."""
    Runner(store, AnalysisSettings()).run_to_end()
    rows = store.frame("SELECT lower(hex(trace_id)) AS trace, any(service_name) AS service FROM span_rows GROUP BY trace_id")
    services = dict(rows.select("trace", "service").iter_rows())
    opened = {f.id: f for f in ledger.open_findings(store).values() if f.severity in ALERTS}
    seen = ledger.places(store, sorted(services))
    return {
        (services[trace], f.detector, f.subject["name"])
        for f in opened.values()
        for (trace, _), severity in seen.get(f.id, {}).items()
        if severity in ALERTS
    }


def _expected() -> Told:
    return {(SHOPS["fault"], story.detector, story.agent) for story in stories()}


def _of_the_library(store: Store, seed: int, side: str) -> Told:
    seq = 1
    for made in (story.made(side, seed) for story in stories()):
        store.insert("span_rows", made.table(first_seq=seq))
        seq += len(made.rows)
    return _told(store)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("side", SIDES)
def test_each_fault_is_found_by_its_detector_and_no_twin_by_any(store: Store, side: str, seed: int) -> None:
    told = in_worker(lambda: _of_the_library(store, seed, side))
    assert told == (_expected() if side == "fault" else set())


def _doors(seed: int) -> tuple[dict[str, Door], dict[str, tuple[InMemorySpanExporter, InMemoryLogRecordExporter]]]:
    """The services of the fleet with exporters that keep what they are given."""
    doors, kept = {}, {}
    for service, version in VERSIONS.items():
        resource = Resource.create({"service.name": service, "service.version": version, "service.namespace": "acme"})
        kept[service] = spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
        tracers = TracerProvider(resource=resource, shutdown_on_exit=False, id_generator=SeededIds(f"{seed}:{service}"))
        tracers.add_span_processor(SimpleSpanProcessor(spans))
        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
        doors[service] = Door(service, tracers, loggers, Counted(spans))
    return doors, kept


def _play(store: Store, seed: int) -> Told:
    """An hour of the whole fleet, as its exporters would send it."""
    doors, kept = _doors(seed)
    Player(doors).history(Fleet(seed, NOW).history(1), 0, threading.Event())
    bodies = [encode_spans(spans.get_finished_spans()).SerializeToString() for spans, _ in kept.values()]
    told = [encode_logs(logs.get_finished_logs()).SerializeToString() for _, logs in kept.values() if logs.get_finished_logs()]
    spans = span_rows("test", 1, [record_of("traces", body) for body in bodies])
    store.insert("span_rows", spans)
    store.insert("log_rows", log_rows("test", 1 + spans.num_rows, [record_of("logs", body) for body in told]))
    return _told(store)


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_fleet_shows_what_misbehaves_and_nothing_else(store: Store, seed: int) -> None:
    told = in_worker(lambda: _play(store, seed))
    expected = _expected() | {(s.service, s.detector, s.agent) for s in SCENARIOS}
    assert expected <= told
    # What a fault does besides may be told by other detectors too, of the same agent.
    guilty = {(service, agent) for service, _, agent in expected}
    assert {(service, agent) for service, _, agent in told} <= guilty, "somebody who did nothing is accused"


WITHOUT = {
    "authority_first_write", "authority_scope_creep", "reexecution_fruitless_code", "cost_burn", "cost_outlier", "cost_phase",
    "cost_unpriced",
}  # fmt: skip
"""Detectors of which the demo shows nothing yet; this list only gets shorter."""


def test_detectors_have_something_to_show() -> None:
    shown = {s.detector for s in SCENARIOS} | {s.detector for s in stories()}
    assert shown <= {d.id for d in DETECTORS}
    assert {d.id for d in DETECTORS} - shown == WITHOUT
