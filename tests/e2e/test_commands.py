"""Commands on a data folder that nobody holds: they open the store themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e.harness import Program
from tests.e2e.story import double_refund, provider

pytestmark = pytest.mark.e2e


def test_what_was_only_taken_in_is_analysed_later_and_read_without_a_server(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with Program(tmp_path / "data", role="ingest") as intake:
        trace_id = double_refund(provider(intake.where))
        refused = intake.command("findings", "--data", data)
        assert refused.returncode == 2 and "without an API" in refused.stderr
        second = intake.command("analyze", "--once", "--data", data)
        assert second.returncode == 2 and "is held by process" in second.stderr
        assert intake.stop() == 0
    once = intake.command("analyze", "--once", "--data", data)
    assert once.returncode == 0 and "analysed 3 spans" in once.stdout, once.stdout + once.stderr
    assert "analysed 0 spans" in intake.command("analyze", "--once", "--data", data).stdout
    found = intake.command("findings", "--data", data, "--json", "--detector", "reexecution_duplicate_write")
    (finding,) = map(json.loads, found.stdout.splitlines())
    assert finding["occurrences"][0]["trace_id"] == trace_id
    answer = intake.command("sql", "--data", data, "--json", "SELECT count() AS n FROM actions")
    assert json.loads(answer.stdout) == {"n": 2}
    wrong = intake.command("sql", "--data", data, "SELECT * FROM span_rows")
    assert wrong.returncode == 2 and "no documented view" in wrong.stderr
    assert intake.command("sql", "--data", data, "SELECT 1; DROP TABLE span_rows").returncode == 2
    assert json.loads(intake.command("sql", "--data", data, "--json", "SELECT count() AS n FROM spans").stdout) == {
        "n": 3
    }
