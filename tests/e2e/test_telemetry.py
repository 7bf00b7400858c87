"""What a process says of itself: all that is declared and nothing else, to Prometheus and over OTLP; never to itself."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.conftest import ROOT
from tests.e2e.harness import Program, until
from tests.ingest import otlp

from actorscope.telemetry import Declared, declared
from actorscope.tokens import digest, new_token

pytestmark = pytest.mark.e2e
_OPENMETRICS = "application/openmetrics-text; version=1.0.0"
_CHANCE = {"actorscope.ingest.store.errors"}
"""Seen only when the store fails; tests/ingest/test_writer.py makes it."""


@contextmanager
def _receiver() -> Iterator[tuple[str, list[ExportMetricsServiceRequest]]]:
    """An OTLP/HTTP receiver of metrics on loopback."""
    got: list[ExportMetricsServiceRequest] = []

    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            if self.path == "/v1/metrics":
                got.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200 if self.path == "/v1/metrics" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing: pytest's output is for failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(program: Program) -> None:
    """Good, half-good, unreadable and unwanted requests."""
    doors, headers = program.where["http"], {"Content-Type": "application/x-protobuf"}
    good, bad = otlp.traces(otlp.span(1)), otlp.traces(otlp.span(2), otlp.span(3, trace_id=b""))
    statuses = [
        httpx.post(doors + "/v1/traces", content=body, headers=headers).status_code
        for body in (good, bad, b"\xff\xff garbage")
    ]
    assert statuses == [200, 200, 400]
    program.settle(2)


def _metrics(request: ExportMetricsServiceRequest) -> dict[str, Any]:
    return {m.name: m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics}


def test_prometheus_reads_what_is_declared_and_nothing_else(tmp_path: Path) -> None:
    with Program(tmp_path / "data") as program:
        _send(program)
        for where in ("ui", "http"):
            answer = httpx.get(program.where[where] + "/metrics", headers={"Accept": _OPENMETRICS})
            assert answer.headers["content-type"].startswith("application/openmetrics-text")
            read = {f.name: f for f in text_string_to_metric_families(answer.text)}
            ours = {name for name in read if not name.startswith("process_")}
            assert ours == {m.prometheus for m in declared().values() if m.name not in _CHANCE}
            for metric in (m for m in declared().values() if m.prometheus in ours):
                _is_as_declared(metric, read[metric.prometheus])
        plain = httpx.get(program.where["ui"] + "/metrics")
        assert plain.headers["content-type"].startswith("text/plain") and "_created" not in plain.text
        assert 'actorscope_ingest_records_total{outcome="stored",signal="traces"} 2.0' in _sorted_labels(plain.text)


def _is_as_declared(metric: Declared, family: Any) -> None:
    assert (family.type, family.documentation) == (metric.instrument, metric.brief), metric.name
    for sample in family.samples:
        assert set(sample.labels) - {"le"} == set(metric.attributes), metric.name


def _sorted_labels(text: str) -> str:
    return text.replace('{signal="traces",outcome="stored"}', '{outcome="stored",signal="traces"}')


def test_the_same_goes_out_over_otlp_and_once_more_at_the_end(tmp_path: Path) -> None:
    with _receiver() as (url, got):
        toml = f'[telemetry]\notlp_endpoint = "{url}"\ninterval_seconds = 1\n'
        with Program(tmp_path / "data", toml=toml) as program:
            until(lambda: bool(got), "the first export")
            _send(program)
            before = len(got)
            assert program.stop() == 0
        assert len(got) > before
    found = _metrics(got[-1])
    assert set(found) >= {m.name for m in declared().values() if m.name not in _CHANCE} | {"process.cpu.time"}
    stored = {
        (p.attributes[0].value.string_value, p.attributes[1].value.string_value): getattr(p, str(p.WhichOneof("value")))
        for p in found["actorscope.ingest.records"].sum.data_points
    }
    assert stored[("traces", "stored")] == 2 and stored[("traces", "rejected")] == 1
    assert found["actorscope.ingest.records"].sum.is_monotonic
    (acks,) = found["actorscope.ingest.ack.duration"].histogram.data_points
    assert acks.count == sum(acks.bucket_counts) == 2 and len(acks.bucket_counts) == len(acks.explicit_bounds) + 1
    assert acks.time_unix_nano > acks.start_time_unix_nano > 0 and not acks.HasField("min")
    resource = {a.key: a.value for a in got[-1].resource_metrics[0].resource.attributes}
    assert resource["service.name"].string_value == "actorscope"


def test_a_receiver_that_is_down_stops_nothing(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        toml = f'[telemetry]\notlp_endpoint = "http://127.0.0.1:{held.getsockname()[1]}"\ninterval_seconds = 1\n'
        with Program(tmp_path / "data", toml=toml) as program:
            _send(program)
            until(lambda: "telemetry" in program.log(), "the log says so")
            assert program.stop() == 0


def test_nobody_measures_into_the_own_doors(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ports = ["--grpc-port", "0", "--http-port", str(port), "--ui-port", "0"]
    env = {**os.environ, "ACTORSCOPE_TELEMETRY__OTLP_ENDPOINT": f"http://localhost:{port}"}
    command = [sys.executable, "-m", "actorscope", "up", "--data", str(tmp_path), *ports]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode not in (0, -9) and "port of this very process" in run.stderr + run.stdout, run.stderr


def test_the_demo_is_let_in_where_senders_need_a_token(tmp_path: Path) -> None:
    toml = f'[[ingest.senders]]\nname = "shop"\ntoken_sha256 = "{digest(new_token()).hex()}"\n'
    with Program(tmp_path / "data", "--demo", toml=toml) as program:
        until(lambda: program.get("/api/health")["spans_stored"] > 500, "spans of the demo are stored")
        assert program.get("/api/health")["requests_refused"] == 0
        services = {row[0] for row in program.sql("SELECT DISTINCT service_name FROM spans")}
        assert len(services) > 1  # over gRPC and over HTTP
        assert httpx.post(program.where["http"] + "/v1/traces", content=b"").status_code == 401
        assert program.stop() == 0


def test_every_metric_is_in_the_document() -> None:
    text = (ROOT / "docs/telemetry.md").read_text()
    assert all(f"`{m.name}`" in text and f"`{m.exposed}`" in text for m in declared().values())
