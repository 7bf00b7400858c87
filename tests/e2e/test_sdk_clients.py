"""The OpenTelemetry SDKs' own exporters against the real program: what they say is what is stored, and they get through."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from tests.e2e.harness import Program, until

pytestmark = pytest.mark.e2e
_JS = Path(__file__).parent / "js"
_CACHE = Path.home() / ".cache" / "actorscope-tests" / "js"
_GRPC = {"none": grpc.Compression.NoCompression, "gzip": grpc.Compression.Gzip}
_WAYS = [("grpc", "none"), ("grpc", "gzip"), ("http", "none"), ("http", "gzip"), ("http", "deflate")]
_SAID = {
    "app.text": "Grüße, 東京 🎉",
    "app.int": 2**53 - 1,
    "app.double": 0.25,
    "app.flag": True,
    "app.list": ["a", "b"],
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(tmp_path_factory.mktemp("clients") / "data") as started:
        yield started


def _spans_exporter(where: dict[str, Any], door: str, compression: str = "none", **options: Any) -> SpanExporter:
    if door == "grpc":
        return GrpcSpans(where["grpc"], insecure=True, compression=_GRPC[compression], **options)
    return HttpSpans(f"{where['http']}/v1/traces", compression=Compression(compression), **options)


def _span(name: str, service: str) -> ReadableSpan:
    span = TracerProvider(resource=Resource({"service.name": service})).get_tracer("t").start_span(name)
    span.set_attributes(_SAID)
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


def _stored(program: Program, service: str) -> list[list[Any]]:
    return program.sql(
        f"SELECT trace_id, span_id, name, attributes FROM spans WHERE service_name = '{service}' ORDER BY start_time, name"
    )


@pytest.mark.parametrize(("door", "compression"), _WAYS)
def test_python_spans_arrive_as_they_were_said(program: Program, door: str, compression: str) -> None:
    service = f"py-{door}-{compression}"
    provider = TracerProvider(resource=Resource({"service.name": service}))
    provider.add_span_processor(SimpleSpanProcessor(_spans_exporter(program.where, door, compression)))
    with provider.get_tracer("t").start_as_current_span("said", attributes=_SAID) as span:
        at = span.get_span_context()
    provider.shutdown()
    until(lambda: len(_stored(program, service)) == 1, "the span is stored")
    [[trace_id, span_id, name, attributes]] = _stored(program, service)
    assert (trace_id, span_id, name) == (f"{at.trace_id:032x}", f"{at.span_id:016x}", "said")
    _same_attributes(attributes)


@pytest.mark.parametrize(("door", "compression"), _WAYS)
def test_python_logs_are_stored(program: Program, door: str, compression: str) -> None:
    service, before = f"log-{door}-{compression}", program.get("/api/health")["logs_stored"]
    provider = LoggerProvider(resource=Resource({"service.name": service}))
    exporter = (
        GrpcLogs(program.where["grpc"], insecure=True, compression=_GRPC[compression])
        if door == "grpc"
        else HttpLogs(f"{program.where['http']}/v1/logs", compression=Compression(compression))
    )
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    said = LogRecord(
        timestamp=time.time_ns(), severity_number=SeverityNumber.WARN, severity_text="WARN", body="Grüße 🎉"
    )
    said.event_name = "app.event"
    provider.get_logger("t").emit(said)
    provider.shutdown()
    until(lambda: program.get("/api/health")["logs_stored"] == before + 1, "the record is stored")
    assert program.get("/api/health")["logs_rejected"] == 0


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_an_export_under_way_outlives_a_restart_of_the_program(tmp_path: Path, door: str) -> None:
    ports = ("--grpc-port", str(_free_port()), "--http-port", str(_free_port()))
    with Program(tmp_path / "data", *ports) as program, ThreadPoolExecutor() as pool:
        exporter = _spans_exporter(program.where, door, timeout=60)
        assert exporter.export([_span("before", "restarts")]) is SpanExportResult.SUCCESS
        program.stop()
        under_way = pool.submit(exporter.export, [_span("meanwhile", "restarts")])
        time.sleep(1)
        assert not under_way.done(), "nobody is there to answer"
        program.start()
        assert under_way.result(60) is SpanExportResult.SUCCESS
        until(lambda: len(_stored(program, "restarts")) == 2, "both are stored, once")


@pytest.mark.parametrize("door", ["grpc", "http"])
def test_who_is_told_to_wait_waits_and_loses_nothing(tmp_path: Path, door: str) -> None:
    token = "a-token-of-this-test"
    toml = (
        f"[[ingest.senders]]\nname = 'desk'\ntoken_sha256 = '{sha256(token.encode()).hexdigest()}'\n"
        "max_requests_per_second = 0.2\n"
    )
    with Program(tmp_path / "data", toml=toml) as program:
        exporter = _spans_exporter(program.where, door, headers={"authorization": f"Bearer {token}"}, timeout=60)
        answers = [exporter.export([_span(f"span {number}", "waits")]) for number in range(3)]
        assert answers == [SpanExportResult.SUCCESS] * 3
        until(lambda: len(_stored(program, "waits")) == 3, "all are stored, once")
        assert program.get("/api/health")["requests_refused"] > 0, "the sender must have been told to wait"


@pytest.fixture(scope="module")
def node() -> Path:
    """The folder where the JavaScript SDK is installed, in the versions of the lock file; kept between runs."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed: the JavaScript SDK is not tried")
    lock = (_JS / "package-lock.json").read_bytes()
    folder = _CACHE / sha256(lock).hexdigest()[:16]
    if not (folder / "installed").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(_JS / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"the JavaScript SDK could not be installed: {done.stderr[-300:]}")
        (folder / "installed").touch()
    shutil.copy(_JS / "export.js", folder)
    return folder


def _export_js(node: Path, where: dict[str, Any], kind: str, compression: str) -> tuple[list[list[str]], str]:
    url = f"http://{where['grpc']}" if kind == "grpc" else f"{where['http']}/v1/traces"
    command = ["node", "export.js", kind, url, compression]
    done = subprocess.run(command, cwd=node, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("compression", ["none", "gzip"])
@pytest.mark.parametrize("kind", ["json", "proto", "grpc"])
def test_javascript_spans_arrive_as_they_were_said(program: Program, node: Path, kind: str, compression: str) -> None:
    said, warned = _export_js(node, program.where, kind, compression)
    assert not warned
    service = f"js-{kind}-{compression}"
    until(lambda: len(_stored(program, service)) == 3, "the spans are stored")
    rows = _stored(program, service)
    assert sorted(row[:3] for row in rows) == sorted(said)
    for row in rows:
        if row[2].startswith("execute_tool"):
            _same_attributes(row[3])
    status = f"SELECT kind, status_code, status_message FROM spans WHERE service_name = '{service}' AND name = 'execute_tool pay'"
    assert program.sql(status) == [["client", "error", "declined"]]


@pytest.mark.parametrize("kind", ["json", "proto", "grpc"])
def test_the_javascript_sdk_says_what_it_is_told_of_cuts(tmp_path: Path, node: Path, kind: str) -> None:
    with Program(tmp_path / "data", toml="[ingest.limits]\nmax_attributes = 8\nmax_value_kib = 1\n") as program:
        _, warned = _export_js(node, program.where, kind, "long")
        assert "Partial Success" in warned and "cut" in warned


def _same_attributes(found: Any) -> None:
    read = json.loads(found) if isinstance(found, str) else dict(found)
    assert {key: read[key] for key in _SAID} == {
        key: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for key, value in _SAID.items()
    }


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
