"""What the ready pipeline acknowledged arrives, once, whoever is restarted."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.collector.collector import Collector, free_port
from tests.collector.test_pipeline import story
from tests.e2e.harness import Program, until

pytestmark = pytest.mark.e2e
_SPANS = 4
_RUNS = 150


def _counts(program: Program, service: str) -> tuple[int, int]:
    [[rows, different]] = program.sql(f"SELECT count(), uniqExact(trace_id, span_id) FROM spans WHERE service_name = '{service}'")
    return int(rows), int(different)


def test_actorscope_is_restarted_while_the_collector_queues(tmp_path: Path) -> None:
    doors = ("--grpc-port", str(free_port()), "--http-port", str(free_port()))
    with Program(tmp_path / "data", *doors) as program, Collector(tmp_path, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        story(collector.where, "restarted", _RUNS)
        program.kill()
        story(collector.where, "restarted", _RUNS)
        program.start()
        until(lambda: _counts(program, "restarted")[1] >= 2 * _RUNS * _SPANS, "everything is stored")
        assert _counts(program, "restarted") == (2 * _RUNS * _SPANS, 2 * _RUNS * _SPANS)


def test_the_collector_is_killed_with_a_full_queue(tmp_path: Path) -> None:
    doors = ("--grpc-port", str(free_port()), "--http-port", str(free_port()))
    with Program(tmp_path / "data", *doors) as program, Collector(tmp_path, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        program.stop()
        story(collector.where, "queued", _RUNS)
        collector.kill()
        collector.start()
        program.start()
        until(lambda: _counts(program, "queued")[1] >= _RUNS * _SPANS, "everything is stored")
        assert _counts(program, "queued") == (_RUNS * _SPANS, _RUNS * _SPANS)


def test_the_collector_is_killed_while_it_sends(tmp_path: Path) -> None:
    """What is in flight is sent again after the restart, cut into other batches, and still stored once."""
    with Program(tmp_path / "data") as program, Collector(tmp_path, ACTORSCOPE_ENDPOINT=program.where["grpc"]) as collector:
        sender = threading.Thread(target=story, args=(collector.where, "in flight", 10 * _RUNS))
        sender.start()
        for count in (200, 1000):
            until(lambda count=count: _counts(program, "in flight")[1] >= count, "some are stored")  # type: ignore[misc]
            collector.kill()
            collector.start()
        sender.join()
        until(lambda: _counts(program, "in flight")[1] >= 10 * _RUNS * _SPANS, "everything is stored", longest=120)
        assert _counts(program, "in flight") == (10 * _RUNS * _SPANS, 10 * _RUNS * _SPANS)
