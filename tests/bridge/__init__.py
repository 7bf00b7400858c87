"""For tests only: a ClickHouse HTTP server to test against, as a process of its own with chDB as its engine.

with bridge(tmp_path / "clickhouse") as server:
    server.client(database="default").command("SELECT 1")
    server.fault("cut_after_execute", match="INSERT INTO")
    server.kill()
    server.restart()   # same path, same port
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote

SERVER = Path(__file__).with_name("server.py")


class Bridge:
    """One server process on one chDB path. The port stays the same over restarts."""

    def __init__(self, path: str | Path, user: str = "default", password: str = "", port: int = 0):
        self.path, self.user, self.password = Path(path), user, password
        self.host, self.port = "127.0.0.1", port
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"http://{quote(self.user)}:{quote(self.password, safe='')}@{self.host}:{self.port}/default"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def client(self, **options: Any) -> Any:
        """A clickhouse-connect client of this server, with a connection pool of its own."""
        import clickhouse_connect

        where = {"host": self.host, "port": self.port, "username": self.user, "password": self.password}
        return clickhouse_connect.get_client(**{**where, "dedicated_pool": True, **options})

    def start(self) -> None:
        command = [sys.executable, str(SERVER), "--path", str(self.path), "--port", str(self.port), "--watch-stdin"]
        command += ["--user", self.user, "--password", self.password]
        # The server's time zone is that of its process, and a server of ours runs in UTC.
        environment = {**os.environ, "TZ": "UTC"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._end()
            raise RuntimeError(f"the bridge did not start (exit code {code}); its reason is on standard error")
        self.port = json.loads(line)["port"]

    def stop(self, timeout: float = 10) -> int:
        """End in order: finish what runs, close the engine. The exit code, 0 when all went well."""
        if self._process is None:
            return 0
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._end()

    def kill(self) -> None:
        """End at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._end()

    def restart(self) -> None:
        self.stop()
        self.start()

    def fault(self, mode: str, count: int = 1, seconds: float = 1.0, match: str = "") -> None:
        """The next ``count`` statements that contain ``match`` meet this fault; a count below 0 means all of them.

        Write ``match`` without backquotes: INSERT INTO spans (id, kind). The data of an insert is not looked at.
        """
        self._ask("POST", "/__fault", {"mode": mode, "count": count, "seconds": seconds, "match": match})

    def log(self) -> dict[str, Any]:
        """Counts of executed, failed and faulted statements since the start, and the last thousand of them."""
        return self._ask("GET", "/__log")

    def executed(self, match: str = "") -> int:
        """How many statements with this text have been executed without an error, of the last thousand."""
        return sum(1 for each in self.log()["statements"] if match in each["sql"] and not each["code"])

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        connection = HTTPConnection(self.host, self.port, timeout=10)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return dict(json.loads(text))

    def _end(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        return code


@contextmanager
def bridge(path: str | Path, user: str = "default", password: str = "", port: int = 0) -> Iterator[Bridge]:
    running = Bridge(path, user, password, port)
    try:
        yield running
    finally:
        running.stop()
