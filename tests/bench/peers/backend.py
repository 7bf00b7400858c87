"""The backends that are compared: how each is installed, started, sent to and asked what it has stored."""

from __future__ import annotations

import os
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
_QUIET = {"DO_NOT_TRACK": "true", "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
"""No usage reports; a proxy where nobody listens keeps a peer from the internet."""


class UninstallableError(Exception):
    """The peer cannot be had on this machine."""


@dataclass
class Backend:
    """One peer: its command over a data folder and two free ports, and the SQLite file that tells what is stored."""

    name: str
    spans: int
    """How many it is sent: few to the slow ones, so that the run ends."""
    command: Callable[[Path, Path, int, int], list[str]]
    protocol: str
    path: str = "/v1/traces"
    database: str = ""
    table: str = ""
    environment: Callable[[Path, int, int], dict[str, str]] = lambda folder, http, grpc: {}
    headers: dict[str, str] = field(default_factory=dict)

    def install(self) -> Path:
        """Its own environment under the cache, made once for these versions; raises UninstallableError."""
        folder, wanted = CACHE / self.name, (_REQUIREMENTS / f"{self.name}.txt").read_text()
        done = folder / "installed.txt"
        if not done.exists() or done.read_text() != wanted:
            make = [_UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder]
            fill = [_UV, "pip", "install", "--quiet", "--python", folder / "bin/python"]
            for step in (make, [*fill, "--requirement", _REQUIREMENTS / f"{self.name}.txt"]):
                ran = subprocess.run(step, capture_output=True, text=True, timeout=900, check=False)
                if ran.returncode:
                    raise UninstallableError(ran.stderr.strip()[-200:])
            done.write_text(wanted)
        return folder

    def version(self) -> str:
        """The version that is asked for."""
        return (_REQUIREMENTS / f"{self.name}.txt").read_text().strip().partition("==")[2]

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


class Running:
    """A peer at work on loopback, in a process group of its own."""

    def __init__(self, backend: Backend, data: Path) -> None:
        self.backend, self.data = backend, data
        self.http, self.grpc = _free_port(), _free_port()
        command = backend.command(backend.install(), data, self.http, self.grpc)
        environment = {**os.environ, **_QUIET, **backend.environment(data, self.http, self.grpc)}
        with (data / "peer.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, cwd=data, stdout=log, stderr=log, start_new_session=True
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
        raise UninstallableError(f"it did not start: {(self.data / 'peer.log').read_text(errors='replace')[-200:]}")

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


def _rotel(home: Path) -> str:
    return str(next(home.glob("lib/python*/site-packages/rotel/rotel-agent")))


PHOENIX = Backend(
    "phoenix",
    10_240,
    lambda home, data, http, grpc: [str(home / "bin/phoenix"), "serve"],
    "grpc",
    database="phoenix.db",
    table="spans",
    environment=lambda data, http, grpc: {
        "PHOENIX_WORKING_DIR": str(data),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(http),
        "PHOENIX_GRPC_PORT": str(grpc),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
    },
)
MLFLOW = Backend(
    "mlflow",
    25_600,
    lambda home, data, http, grpc: [
        *(str(home / "bin/mlflow"), "server", "--host", "127.0.0.1", "--port", str(http)),
        *("--backend-store-uri", f"sqlite:///{data}/mlflow.db", "--artifacts-destination", str(data / "artifacts")),
    ],
    "http",
    database="mlflow.db",
    table="spans",
    environment=lambda data, http, grpc: {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PATH": f"{CACHE / 'mlflow' / 'bin'}:{os.environ['PATH']}",
    },
    headers={"x-mlflow-experiment-id": "0"},
)
ROTEL = Backend(
    "rotel",
    307_200,
    lambda home, data, http, grpc: [
        *(_rotel(home), "start", "--exporter", "blackhole"),
        *("--otlp-grpc-endpoint", f"127.0.0.1:{grpc}", "--otlp-http-endpoint", f"127.0.0.1:{http}"),
    ],
    "grpc",
)
BACKENDS = (PHOENIX, MLFLOW, ROTEL)
