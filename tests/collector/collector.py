"""Starts the built Collector on free ports of 127.0.0.1, waits for it, kills it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from functools import cache
from pathlib import Path

import httpx
import pytest
from tests.conftest import ROOT
from tests.e2e.harness import Started, until

READY = ROOT / "otel-config.yaml"
BINARY = ROOT / "build" / "collector" / "otelcol-actorscope"
KEY = "000102030405060708090a0b0c0d0e0f"


@cache
def built() -> Path:
    """The Collector, built anew where its sources changed. Without Go the test is skipped."""
    if not shutil.which("go"):
        pytest.skip("no Go toolchain: the Collector is not tried")
    done = subprocess.run(["make", "--no-print-directory", "collector"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if not BINARY.exists():
        pytest.skip(done.stdout.strip())
    return BINARY


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Collector(Started):
    """`otelcol-actorscope` in a folder of its own; `more` is YAML that is laid over the configuration."""

    _what = "the Collector"

    def __init__(self, folder: Path, config: Path = READY, more: str = "", **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._log = folder / "collector.txt"
        ports = {name: free_port() for name in ("OTLP_GRPC_ENDPOINT", "OTLP_HTTP_ENDPOINT", "HEALTH_ENDPOINT", "PROMETHEUS_ENDPOINT")}
        at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        self._environment = {**at, "METRICS_PORT": str(free_port()), "QUEUE_DIRECTORY": str(folder / "queue"), **environment}
        self.where = {"grpc": at["OTLP_GRPC_ENDPOINT"], "http": f"http://{at['OTLP_HTTP_ENDPOINT']}"}
        self.prometheus = f"http://{at['PROMETHEUS_ENDPOINT']}/metrics"
        self.own_metrics = f"http://127.0.0.1:{self._environment['METRICS_PORT']}/metrics"
        self._configs = [config]
        if more:
            self._configs.append(folder / "more.yaml")
            self._configs[-1].write_text(more)

    def __enter__(self) -> Collector:
        return self.start()

    def start(self) -> Collector:
        command = [str(built()), *(f"--config={config}" for config in self._configs)]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, **self._environment}, stdout=log, stderr=log)
        until(self._listens, "the Collector listens", self._is_alive)
        return self

    def _listens(self) -> bool:
        with socket.socket() as sender:
            return sender.connect_ex(("127.0.0.1", int(self.where["grpc"].rpartition(":")[2]))) == 0

    def counted(self, name: str) -> float:
        """The sum of a counter of the Collector's own telemetry."""
        return metric(self.own_metrics, name)


def metric(url: str, name: str, **labels: str) -> float:
    """The sum of a metric at a Prometheus endpoint over all series with these labels."""
    lines = httpx.get(url, timeout=10).text.splitlines()
    found = [line for line in lines if line.startswith((name + "{", name + " "))]
    fitting = [line for line in found if all(f'{key}="{value}"' in line for key, value in labels.items())]
    return sum(float(line.rsplit(" ", 1)[1]) for line in fitting)


def validate(config: Path, **environment: str) -> str:
    """What the Collector says against a configuration; empty when it takes it."""
    done = subprocess.run(
        [str(built()), "validate", f"--config={config}"], env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr
