"""Starts the real program in a folder of its own, asks it, kills it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

_DEADLINE = 60.0


class Started:
    """A program in a process of its own: looked at, killed, stopped."""

    _what = "the program"
    _log: Path
    process: subprocess.Popen[bytes] | None = None

    def __exit__(self, *_: object) -> None:
        if self.process and self.process.poll() is None:
            self.stop()

    def _is_alive(self) -> None:
        assert self.process and self.process.poll() is None, f"{self._what} ended:\n{self.log()[-3000:]}"

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """As a power cut takes it: without any chance to tidy up."""
        assert self.process
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(60)


class Program(Started):
    """`actorscope up` (or one role) on free ports of 127.0.0.1 over the folder `data`."""

    def __init__(self, data: Path, *arguments: str, toml: str = "", role: str = "up", log: Path | None = None) -> None:
        self.data = data
        self._log = log or data / "log.txt"
        self._role = role
        data.mkdir(parents=True, exist_ok=True)
        (data / "actorscope.toml").write_text(toml)
        self._arguments = arguments
        self.where: dict[str, Any] = {}

    def __enter__(self) -> Program:
        return self.start()

    def start(self) -> Program:
        (self.data / "server.json").unlink(missing_ok=True)
        doors, ui = ["--grpc-port", "0", "--http-port", "0"], ["--ui-port", "0"]
        ports = {"up": [*doors, *ui], "ingest": doors, "analyze": [], "explore": ui}[self._role]
        command = [sys.executable, "-m", "actorscope", self._role, "--data", str(self.data), *ports, *self._arguments]
        environment = {**os.environ, "ACTORSCOPE_CONFIG": str(self.data / "actorscope.toml")}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        until(lambda: (self.data / "server.json").exists(), "the program says where it listens", self._is_alive)
        self.where = json.loads((self.data / "server.json").read_text())
        return self

    def get(self, path: str, **parameters: Any) -> Any:
        response = httpx.get(self.where["ui"] + path, params=parameters, timeout=30)
        response.raise_for_status()
        return response.json()

    def sql(self, statement: str) -> list[list[Any]]:
        body = {"sql": statement, "max_rows": 100_000}
        response = httpx.post(self.where["ui"] + "/api/sql", json=body, timeout=60)
        assert response.status_code == 200, response.text
        rows: list[list[Any]] = response.json()["rows"]
        return rows

    def findings(self, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/findings", **parameters)["findings"]
        return found

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """An `actorscope` command beside the program."""
        return subprocess.run(
            [sys.executable, "-m", "actorscope", *arguments], capture_output=True, text=True, timeout=120, check=False
        )

    def settle(self, spans: int) -> None:
        """Wait until so many spans are stored and analysed."""
        until(lambda: self.sql("SELECT count() FROM spans")[0][0] >= spans, f"{spans} spans are stored", self._is_alive)
        until(self._is_analysed, "analysis has caught up", self._is_alive)

    def _is_analysed(self) -> bool:
        before = self.get("/api/health")
        time.sleep(1.5)
        after = self.get("/api/health")
        return bool(before["analysed_spans"] == after["analysed_spans"] >= after["spans_stored"])


def until(
    condition: Callable[[], bool], what: str, check: Callable[[], None] = lambda: None, longest: float = _DEADLINE
) -> None:
    """Wait for a condition; fails with `what` was awaited."""
    end = time.monotonic() + longest
    while not condition():
        check()
        assert time.monotonic() < end, f"waited {longest:.0f} s in vain until {what}"
        time.sleep(0.05)
