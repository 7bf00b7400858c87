"""One call sets up a process, beside what is there already."""

from __future__ import annotations

import os

import pytest
from tests.semconv.emit.conftest import Sink, python
from tests.semconv.emit.test_light import BLOCKED

WORK = """
with semconv.agent("a"), semconv.act("t"):
    semconv.decide("stop", "done")
"""
EXISTING = """
from opentelemetry import trace, _logs
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
spans, logs = InMemorySpanExporter(), InMemoryLogRecordExporter()
tracers = TracerProvider(resource=Resource({"service.name": "theirs"}))
tracers.add_span_processor(SimpleSpanProcessor(spans))
trace.set_tracer_provider(tracers)
"""
THEIR_LOGS = """
loggers = LoggerProvider()
loggers.add_log_record_processor(SimpleLogRecordProcessor(logs))
_logs.set_logger_provider(loggers)
"""
EVENTS = ["actorscope.decision", "actorscope.span.start", "actorscope.span.start"]


def test_nothing_there_both_providers_are_made_and_all_arrives_at_exit(sink: Sink) -> None:
    done = python(f"from actorscope import semconv\nsemconv.setup('refunds', endpoint={sink.url!r})\n{WORK}")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(sink.spans()) == ["execute_tool t", "invoke_agent a"]
    assert sorted(sink.events()) == EVENTS
    assert sink.services() == {"refunds"}


def test_the_environment_names_the_endpoint_and_the_service(sink: Sink) -> None:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "from-env"}
    done = python(f"from actorscope import semconv\nsemconv.setup()\n{WORK}", **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(sink.spans()) == 2 and len(sink.events()) == 3 and sink.services() == {"from-env"}


def test_events_arrive_within_a_second_while_the_span_is_open(sink: Sink) -> None:
    done = python(
        f"import sys, time\nfrom actorscope import semconv\nsemconv.setup('x', endpoint={sink.url!r}, heartbeat_seconds=0.2)\n"
        "with semconv.agent('a'):\n    time.sleep(2)\n    import os; os._exit(9)"
    )
    assert done.returncode == 9, done.stderr
    assert sink.spans() == [] and sink.events()[0] == "actorscope.span.start"
    assert sink.events().count("actorscope.span.heartbeat") >= 3


def test_providers_that_are_there_stay_and_get_our_processor(sink: Sink) -> None:
    done = python(
        f"{EXISTING}{THEIR_LOGS}from actorscope import semconv\nhandle = semconv.setup('mine')\n{WORK}\nhandle.flush()\n"
        "assert trace.get_tracer_provider() is tracers and _logs.get_logger_provider() is loggers\n"
        "print(sorted(s.name for s in spans.get_finished_spans()))\n"
        "print(sorted(l.log_record.event_name for l in logs.get_finished_logs()))\n"
        "handle.shutdown()\n"
        "with semconv.agent('after'): semconv.decide('stop', 'x')\n"
        "print(len(spans.get_finished_spans()), len(logs.get_finished_logs()))\n",
        **{**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url},
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["['execute_tool t', 'invoke_agent a']", str(EVENTS), "3 4"]
    assert sink.spans() == [] and sink.events() == [], "nothing is sent where nobody asked for it"


def test_an_endpoint_gets_spans_and_our_events_beside_what_is_there(sink: Sink) -> None:
    done = python(
        f"{EXISTING}{THEIR_LOGS}from actorscope import semconv\nsemconv.setup(endpoint={sink.url!r})\n{WORK}"
        "loggers.get_logger('app').emit(body='private', event_name='app.log')\n"
        "print(len(spans.get_finished_spans()), len(logs.get_finished_logs()) >= 2)"
    )
    assert (done.stdout.split(), done.stderr) == (["2", "True"], "")
    assert sorted(sink.spans()) == ["execute_tool t", "invoke_agent a"] and sorted(sink.events()) == EVENTS


def test_only_a_tracer_provider_is_there(sink: Sink) -> None:
    done = python(
        f"{EXISTING}from actorscope import semconv\nsemconv.setup()\n{WORK}",
        **{**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url},
    )
    assert done.stderr == "" and sink.spans() == []
    assert sorted(sink.events()) == EVENTS and sink.services() == {"theirs"}


def test_a_second_call_changes_nothing(sink: Sink) -> None:
    done = python(
        f"{EXISTING}{THEIR_LOGS}from actorscope import semconv\nfirst = semconv.setup()\n"
        f"assert semconv.setup('other', endpoint={sink.url!r}) is first\n"
        f"{WORK}\nfirst.flush()\nprint(len(logs.get_finished_logs()))\n"
        "with first: pass\nassert semconv.setup() is not first"
    )
    assert (done.stdout.split(), done.stderr) == (["3"], "")


def test_what_is_missing_is_said() -> None:
    done = python(
        BLOCKED
        + "from actorscope import semconv\ntry:\n    semconv.setup()\nexcept semconv.SetupError as e:\n    print(e)"
    )
    assert done.stdout == "semconv.setup() needs opentelemetry-sdk: pip install 'actorscope[emit]'\n", done.stderr
    no_exporter = BLOCKED.replace('"opentelemetry.sdk", ', "").replace(
        "top in sys.stdlib", 'top in ("packaging", "google") or top in sys.stdlib'
    )
    done = python(
        no_exporter
        + "from actorscope import semconv\ntry:\n    semconv.setup()\nexcept semconv.SetupError as e:\n    print(e)\n"
        "from opentelemetry import trace\nassert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider), 'nothing is half done'"
    )
    assert "needs opentelemetry-exporter-otlp" in done.stdout, done.stderr
    done = python(
        "from opentelemetry import trace\ntrace.set_tracer_provider(trace.NoOpTracerProvider())\n"
        "from actorscope import semconv\ntry:\n    semconv.setup()\nexcept semconv.SetupError as e:\n    print(e)"
    )
    assert "NoOpTracerProvider takes no span processors" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("endpoint", "kind"), [("http://127.0.0.1:4317", "grpc"), ("http://127.0.0.1:4318/", "http"), (None, "grpc")]
)
def test_port_4317_is_spoken_to_in_grpc(endpoint: str | None, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from actorscope.semconv.emit import setup as module

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    for exporter in module._exporters(endpoint):
        assert f".proto.{kind}." in type(exporter).__module__
        if kind == "http":
            assert vars(exporter)["_endpoint"].startswith("http://127.0.0.1:4318/v1/")
        exporter.shutdown()
