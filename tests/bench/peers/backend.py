"""The backends that are compared: how each is installed, started, sent to and asked what it has stored."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

CACHE = Path.home() / ".cache" / "actorscope-bench"
_REQUIREMENTS = Path(__file__).parent / "requirements"
_UV = Path(sys.executable).parent / "uv"
_BUILDER = "go.opentelemetry.io/collector/cmd/builder@v0.165.0"
_QUIET = {"DO_NOT_TRACK": "true", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"}
"""No usage reports; a proxy where nobody listens keeps a peer from the internet."""


class UninstallableError(Exception):
    """The peer cannot be had on this machine."""


@dataclass(frozen=True)
class At:
    """Where a peer is at work: its installation, its data and the ports that it may take."""

    home: Path
    data: Path
    http: int
    grpc: int
    sink: int


@dataclass
class Backend:
    """One peer: its command, and the SQLite file that tells what is stored or, where it only writes into the sink, none."""

    name: str
    spans: int
    """How many it is sent: few to the slow ones, so that the run ends."""
    command: Callable[[At], list[str]]
    protocol: str = "grpc"
    path: str = "/v1/traces"
    database: str = ""
    table: str = ""
    environment: Callable[[At], dict[str, str]] = lambda at: {}
    headers: dict[str, str] = field(default_factory=dict)

    def install(self) -> Path:
        """Its own folder under the cache, made once for these versions; raises UninstallableError."""
        folder, given = CACHE / self.name, self._given()
        done = folder / "installed.txt"
        if not done.exists() or done.read_text() != given.read_text():
            (_build if given.suffix == ".yaml" else _fill)(folder, given)
            done.write_text(given.read_text())
        return folder

    def _given(self) -> Path:
        return next(_REQUIREMENTS.glob(f"{self.name}.*"))

    def version(self) -> str:
        """The version that is asked for."""
        text = self._given().read_text()
        return text.strip().partition("==")[2] or text.partition("clickhouseexporter ")[2].split()[0]

    def stored(self, data: Path) -> int:
        """Spans in its own store, read beside it."""
        file = data / self.database
        if not file.is_file():
            return 0
        reader = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
        try:
            return int(reader.execute(f"SELECT count(*) FROM {self.table}").fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # the table is not made yet
        finally:
            reader.close()


def _run(step: list[str | Path], folder: Path | None = None) -> None:
    ran = subprocess.run(step, capture_output=True, text=True, timeout=1800, check=False, cwd=folder)
    if ran.returncode:
        raise UninstallableError(ran.stderr.strip()[-200:])


def _fill(folder: Path, given: Path) -> None:
    """A Python environment with one package."""
    _run([_UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder])
    _run([_UV, "pip", "install", "--quiet", "--python", folder / "bin/python", "--requirement", given])


def _build(folder: Path, given: Path) -> None:
    """A Collector, compiled through the Go module proxy, which takes minutes."""
    if not shutil.which("go"):
        raise UninstallableError("Go is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    _run(["go", "run", _BUILDER, "--config", given], folder)


class Running:
    """A peer at work on loopback, in a process group of its own."""

    def __init__(self, backend: Backend, data: Path, sink: int = 0) -> None:
        self.backend, self.data = backend, data
        at = At(backend.install(), data, _free_port(), _free_port(), sink)
        self.http, self.grpc = at.http, at.grpc
        environment = {**os.environ, **_QUIET, **backend.environment(at)}
        with (data / "peer.log").open("ab") as log:
            self.process = subprocess.Popen(
                backend.command(at), env=environment, cwd=data, stdout=log, stderr=log, start_new_session=True
            )
        self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + 180
        port = self.grpc if self.backend.protocol == "grpc" else self.http
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0 and (self.backend.protocol == "grpc" or self._answers()):
                    return
            time.sleep(0.5)
        self.kill()
        raise UninstallableError(f"it did not start: {self.log()[-300:]}")

    def log(self) -> str:
        return (self.data / "peer.log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.http}/health", timeout=5).status_code < 500
        except httpx.HTTPError:
            return False

    def kill(self) -> None:
        """The whole group at once, as a power cut takes it."""
        try:
            os.killpg(self.process.pid, 9)
        except ProcessLookupError:
            pass
        self.process.wait(30)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


PHOENIX = Backend(
    "phoenix",
    10_240,
    lambda at: [str(at.home / "bin/phoenix"), "serve"],
    database="phoenix.db",
    table="spans",
    environment=lambda at: {
        "PHOENIX_WORKING_DIR": str(at.data),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(at.http),
        "PHOENIX_GRPC_PORT": str(at.grpc),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    },
)
MLFLOW = Backend(
    "mlflow",
    25_600,
    lambda at: [
        *(str(at.home / "bin/mlflow"), "server", "--host", "127.0.0.1", "--port", str(at.http)),
        *("--backend-store-uri", f"sqlite:///{at.data}/mlflow.db", "--artifacts-destination", str(at.data / "artifacts")),
    ],
    "http",
    database="mlflow.db",
    table="spans",
    environment=lambda at: {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{at.home / 'bin'}:{os.environ['PATH']}",
    },
    headers={"x-mlflow-experiment-id": "0"},
)


def _rotel(at: At) -> list[str]:
    agent = next(at.home.glob("lib/python*/site-packages/rotel/rotel-agent"))
    doors = ["--otlp-grpc-endpoint", f"127.0.0.1:{at.grpc}", "--otlp-http-endpoint", f"127.0.0.1:{at.http}"]
    sink = ["--clickhouse-exporter-endpoint", f"http://127.0.0.1:{at.sink}", "--clickhouse-exporter-database", "default"]
    plain = ["--clickhouse-exporter-compression", "none", "--clickhouse-exporter-async-insert", "false"]
    return [str(agent), "start", "--exporter", "clickhouse", *doors, *sink, *plain]


def _collector(at: At) -> list[str]:
    """The batch is that of the exporter's own README; a full queue makes senders wait, so that nothing is dropped."""
    exporter = {
        **{"endpoint": f"http://127.0.0.1:{at.sink}", "username": "default", "database": "default", "compress": "none"},
        **{"create_schema": False, "async_insert": False, "timeout": "60s"},
        "sending_queue": {"block_on_overflow": True},
    }
    pipeline = {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["clickhouse"]}
    protocols = {"grpc": {"endpoint": f"127.0.0.1:{at.grpc}"}, "http": {"endpoint": f"127.0.0.1:{at.http}"}}
    config = {
        "receivers": {"otlp": {"protocols": protocols}},
        "processors": {"batch": {"timeout": "5s", "send_batch_size": 100_000}},
        "exporters": {"clickhouse": exporter},
        "service": {"pipelines": {"traces": pipeline}, "telemetry": {"metrics": {"level": "none"}}},
    }
    file = at.data / "collector.yaml"
    file.write_text(json.dumps(config))
    return [str(at.home / "build/otelcol-clickhouse"), "--config", str(file)]


ROTEL = Backend("rotel", 409_600, _rotel)
COLLECTOR = Backend("collector", 409_600, _collector)
STORES = (PHOENIX, MLFLOW)
FORWARDERS = (ROTEL, COLLECTOR)
