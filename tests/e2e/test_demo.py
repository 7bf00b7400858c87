"""`actorscope up --demo`: within a minute true findings stand next to healthy, quiet traffic."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.harness import Program, until

pytestmark = pytest.mark.e2e
_HISTORY_SPANS = 5_000


def _described() -> list[dict[str, str]]:
    command = [sys.executable, "-m", "actorscope.demo", "--describe", "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    scenarios: list[dict[str, str]] = told["scenarios"] if isinstance(told, dict) else told
    return [s for s in scenarios if s["family"] in ("delegation", "authority", "cost", "reexecution")]


def test_the_demo_shows_every_misbehaviour_and_leaves_the_healthy_alone(tmp_path: Path) -> None:
    scenarios = _described()
    assert {s["family"] for s in scenarios} == {"delegation", "authority", "cost", "reexecution"}
    with Program(tmp_path / "data", "--demo") as program:
        until(lambda: program.get("/api/health")["analysed_spans"] >= _HISTORY_SPANS, "the history is analysed")
        missing: list[str] = []

        def all_found() -> bool:
            found = {(f["family"], f["subject"]["name"]) for f in program.findings(state="open")}
            missing[:] = [s["scenario"] for s in scenarios if (s["family"], s["agent"]) not in found]
            return not missing

        until(all_found, f"everything is found; missing {missing}")
        alerts = program.findings(state="open", severity="medium")
        innocent = {f["subject"]["name"] for f in alerts} - {s["agent"] for s in scenarios}
        assert not innocent, [(f["subject"]["name"], f["title"]) for f in alerts]
        assert program.sql("SELECT uniqExact(dialect) FROM spans WHERE dialect != ''")[0][0] >= 3
        assert program.stop() == 0
