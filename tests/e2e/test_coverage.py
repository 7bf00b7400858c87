"""`ask coverage` answers the same from the running server and from the store, and `lint` agrees with both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import RECORDINGS
from tests.e2e.harness import Program

pytestmark = pytest.mark.e2e
_FILES = [str(RECORDINGS / f"agent_framework.{signal}.binpb.gz") for signal in ("traces", "logs")]


def _states(stdout: str) -> dict[str, list[tuple[str, str, float]]]:
    """Per actor its facts with state and share."""
    actors: list[dict[str, Any]] = [json.loads(line) for line in stdout.splitlines()]
    return {
        actor["actor_id"]: [(f["id"], f["state"], f["share"]) for q in actor["questions"] for f in q["facts"]]
        for actor in actors
    }


def test_coverage_is_the_same_from_the_server_the_store_and_the_recording(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with Program(tmp_path / "data") as program:
        assert program.command("replay", *_FILES, "--endpoint", program.where["grpc"]).returncode == 0
        program.settle(99)
        running = program.command("ask", "coverage", "--data", data, "--last", "all", "--json")
        spend = program.command("ask", "spend", "--data", data, "--last", "all")
        assert program.stop() == 0
    assert spend.returncode == 0 and "coordinator" in spend.stdout and "reasoning $" in spend.stdout, spend.stderr
    stored = program.command("ask", "coverage", "--data", data, "--last", "all", "--json")
    linted = program.command("semconv", "lint", *_FILES, "--json")
    assert [done.returncode for done in (running, stored, linted)] == [0, 0, 0], (
        running.stderr + stored.stderr + linted.stderr
    )
    assert len(_states(linted.stdout)) == 6
    assert _states(running.stdout) == _states(stored.stdout) == _states(linted.stdout)
    named = program.command("ask", "coverage", "--data", data, "--last", "all", "--actor", "writer", "--rules")
    assert "writer" in named.stdout and "recognised" in named.stdout and "triage" not in named.stdout
    recent = program.command("ask", "coverage", "--data", data, "--last", "1s")
    assert recent.returncode == 0 and "recognised" in recent.stderr and recent.stdout == ""
