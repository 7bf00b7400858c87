"""Spans are told of before they end, and telling never holds up or breaks the program."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import baggage
from opentelemetry.context import attach, detach
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import SpanKind
from tests.semconv.emit.conftest import Told, python, until

from actorscope import semconv
from actorscope.semconv.emit.processor import ActorscopeSpanProcessor

START, BEAT = "actorscope.span.start", "actorscope.span.heartbeat"
AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}


def test_a_span_is_announced_while_it_is_open(told: Told) -> None:
    told.process()
    with (
        told.tracer.start_as_current_span("root"),
        told.tracer.start_as_current_span("invoke_agent a", kind=SpanKind.CLIENT, attributes=AGENT) as span,
    ):
        until(lambda: told.events(START), "the start is told")
        (record,), parent = told.records(START), told.spans("root")
        assert parent == [], "nothing has ended yet"
        span.set_attribute("later", 1)
    (ended,) = told.spans("invoke_agent a")
    assert ended.parent
    assert dict(record.attributes) == {
        **AGENT,
        "actorscope.span.name": "invoke_agent a",
        "actorscope.span.kind": "client",
        "actorscope.span.parent.id": f"{ended.parent.span_id:016x}",
    }
    assert (record.trace_id, record.span_id) == (ended.context.trace_id, ended.context.span_id)
    assert record.timestamp == ended.start_time and record.trace_flags.sampled


@pytest.mark.parametrize(
    ("attributes", "told_of"),
    [
        (AGENT, True),
        ({"mcp.method.name": "tools/call"}, True),
        ({"actorscope.task.kind": "x"}, True),
        ({"http.route": "/"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("all_spans", [False, True])
def test_spans_of_agents_are_announced_or_all(
    told: Told, attributes: dict[str, str], told_of: bool, all_spans: bool
) -> None:
    processor = told.process(all_spans=all_spans)
    with semconv.execution("run_1"), told.tracer.start_as_current_span("s", attributes=attributes):
        pass
    processor.force_flush()
    assert len(told.events(START)) == (1 if told_of or all_spans else 0)
    assert told.span("s")["actorscope.execution.id"] == "run_1"


def test_baggage_is_copied_and_never_overwrites(told: Told) -> None:
    processor = told.process()
    context = baggage.set_baggage("tenant", "acme")
    for key, value in {"execution.id": "run_1", "delegation.depth": "2", "delegation.chain": "u,a,b"}.items():
        context = baggage.set_baggage(f"actorscope.{key}", value, context)
    token = attach(context)
    told.tracer.start_span("invoke_agent a", attributes={**AGENT, "actorscope.execution.id": "own"}).end()
    detach(token)
    expected = {
        **AGENT,
        "actorscope.execution.id": "own",
        "actorscope.delegation.depth": 2,
        "actorscope.delegation.chain": ("u", "a", "b"),
    }
    assert told.span("invoke_agent a") == expected
    processor.force_flush()
    assert expected.items() <= told.event(START).items()


def test_the_parent_context_that_is_given_counts(told: Told) -> None:
    told.process()
    context = baggage.set_baggage("actorscope.execution.id", "given")
    with semconv.execution("current"):
        told.tracer.start_span("s", context=context).end()
    assert told.span("s") == {"actorscope.execution.id": "given"}


def test_open_spans_beat_until_they_end(told: Told) -> None:
    processor = told.process(heartbeat_seconds=0.05)
    with told.tracer.start_as_current_span("invoke_agent a", attributes=AGENT) as span:
        until(lambda: len(told.events(BEAT)) >= 3, "three beats")
        beats = told.records(BEAT)
    elapsed = [record.attributes["actorscope.span.elapsed"] for record in beats]
    assert elapsed == sorted(elapsed) and elapsed[0] > 0 and elapsed[2] - elapsed[1] >= 0.04
    assert {record.attributes["actorscope.span.name"] for record in beats} == {"invoke_agent a"}
    assert {record.span_id for record in beats} == {span.get_span_context().span_id}
    assert processor._open == {}, "what has ended is not tracked, even while somebody holds it"
    told.tracer.start_span("invoke_agent b", attributes=AGENT)
    until(lambda: len(told.events(START)) == 2, "the next span is told")
    after = told.records(BEAT)
    assert all(record.span_id == beats[0].span_id for record in after), "a span that was lost does not beat"


def test_no_interval_no_beats_and_one_thread(told: Told) -> None:
    before, others = threading.active_count(), set(threading.enumerate())
    processor = told.process(heartbeat_seconds=None)
    assert threading.active_count() == before, "no span, no thread"
    spans = [told.tracer.start_span("invoke_agent a", attributes=AGENT) for _ in range(50)]
    until(lambda: len(told.events(START)) == 50, "all are told")
    assert threading.active_count() == before + 1
    ours = [t for t in threading.enumerate() if t not in others]
    assert [(t.name, t.daemon) for t in ours] == [("actorscope-events", True)]
    processor.shutdown()
    assert threading.active_count() == before and told.events(BEAT) == []
    told.tracer.start_span("invoke_agent a", attributes=AGENT)
    processor.shutdown()
    assert threading.active_count() == before and len(told.events(START)) == len(spans)


def test_what_is_tracked_is_bounded_and_lost_spans_make_room(told: Told, caplog: Any) -> None:
    processor = told.process(max_open_spans=3, heartbeat_seconds=None)
    kept = [told.tracer.start_span(f"invoke_agent {n}", attributes=AGENT) for n in range(5)]
    assert processor.dropped == 2 and len(processor._open) == 3
    del kept
    gc.collect()
    processor.force_flush()
    another = told.tracer.start_span("invoke_agent new", attributes=AGENT)
    processor.shutdown()
    assert len(told.events(START)) == 4 and len(processor._open) == 1 and another.is_recording()
    assert "2 spans were not announced" in caplog.text


def test_spans_that_are_not_exported_are_not_announced(telling: Callable[..., Told]) -> None:
    class RecordOnly(Sampler):
        def should_sample(self, *given: Any, **_: Any) -> SamplingResult:
            return SamplingResult(Decision.RECORD_ONLY, given[4])

        def get_description(self) -> str:
            return "record only"

    for sampler in (ALWAYS_OFF, RecordOnly()):
        told = telling(sampler)
        processor = told.process()
        with semconv.execution("run_1"), told.tracer.start_as_current_span("invoke_agent a", attributes=AGENT):
            pass
        processor.force_flush()
        assert told.events() == [] and processor._open == {}


def test_an_exporter_that_crashes_or_hangs_does_not_reach_the_program(told: Told, caplog: Any) -> None:
    hang, entered = threading.Event(), threading.Event()

    class Broken(LogRecordExporter):
        def export(self, batch: Any) -> Any:
            entered.set()
            hang.wait(20)
            raise OSError("the network is gone")

        def shutdown(self) -> None: ...

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

    class Raising(LogRecordProcessor):
        def on_emit(self, log_record: Any) -> None:
            raise OSError("a processor that raises")

        def shutdown(self) -> None: ...

        def force_flush(self, timeout_millis: int = 0) -> bool:
            return True

    for part in (Raising(), SimpleLogRecordProcessor(Broken())):
        provider = LoggerProvider()
        provider.add_log_record_processor(part)
        processor = told.process(logger_provider=provider, heartbeat_seconds=0.01, max_open_spans=20)
        for _ in range(30):
            with told.tracer.start_as_current_span("invoke_agent a", attributes=AGENT):
                pass
        if isinstance(part, Raising):
            processor.force_flush()
    assert entered.wait(10) and len(told.spans()) == 60, "the exporter hangs and the spans have ended"
    assert len(processor._queue) <= 20 and processor.dropped >= 5
    hang.set()
    processor.shutdown()
    assert "a processor that raises" in caplog.text


def test_spans_of_another_make_are_no_reason_to_raise(caplog: Any) -> None:
    processor = ActorscopeSpanProcessor()
    processor.on_start(object())
    processor.on_end(object())
    assert "telemetry failed" in caplog.text


def test_many_threads_and_batches_lose_nothing(told: Told) -> None:
    processor = told.process(heartbeat_seconds=0.01)

    def work() -> None:
        for _ in range(50):
            with semconv.agent("a"), semconv.act("t"):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    processor.shutdown()
    started = [record.span_id for record in told.records(START)]
    assert sorted(started) == sorted(span.context.span_id for span in told.spans()) and len(started) == 400
    assert processor._open == {} and not processor._queue


def test_a_forked_child_starts_anew() -> None:
    done = python("""
import os, sys, time
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from actorscope.semconv import ActorscopeSpanProcessor
logs, out = LoggerProvider(), InMemoryLogRecordExporter()
logs.add_log_record_processor(SimpleLogRecordProcessor(out))
spans = TracerProvider()
spans.add_span_processor(ActorscopeSpanProcessor(logger_provider=logs, heartbeat_seconds=0.05))
tracer, marks = spans.get_tracer("t"), {"gen_ai.operation.name": "invoke_agent"}
parent = tracer.start_span("parent", attributes=marks)
time.sleep(0.3)
pid = os.fork()
if pid == 0:
    out.clear()
    child = tracer.start_span("child", attributes=marks)
    end = time.monotonic() + 10
    while len(out.get_finished_logs()) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    told = {log.log_record.attributes["actorscope.span.name"] for log in out.get_finished_logs()}
    print("child", sorted(told), flush=True)
    os._exit(0)
os.waitpid(pid, 0)
print("parent", {log.log_record.attributes["actorscope.span.name"] for log in out.get_finished_logs()})
""")
    assert done.stdout.splitlines() == ["child ['child']", "parent {'parent'}"], done.stderr


def test_batches_of_the_sdk_are_used_as_they_are(told: Told) -> None:
    provider, logs = LoggerProvider(), told._logs
    provider.add_log_record_processor(BatchLogRecordProcessor(logs, schedule_delay_millis=10))
    processor = told.process(logger_provider=provider)
    with told.tracer.start_as_current_span("invoke_agent a", attributes=AGENT):
        until(lambda: told.events(START), "the batch is sent")
    processor.shutdown()
    provider.shutdown()
