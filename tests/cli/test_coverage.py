"""`semconv lint` and `ask coverage` as a user types them: what is shown, where, and with which exit code."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import RECORDINGS
from tests.ingest import otlp
from tests.told import Telling, everything

from actorscope.cli import main

RECORDING = str(RECORDINGS / "agent_framework.traces.binpb.gz")
LOGS = str(RECORDINGS / "agent_framework.logs.binpb.gz")


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, list(arguments))


def lint(*arguments: str) -> Result:
    return run("semconv", "lint", *arguments)


def delimited(body: bytes) -> bytes:
    """A request as it stands in a *.binpb file."""
    length, head = len(body), b""
    while length > 0x7F:
        head, length = head + bytes([length & 0x7F | 0x80]), length >> 7
    return head + bytes([length]) + body


def actors(result: Result) -> dict[str, dict[str, Any]]:
    return {actor["actor_name"]: actor for actor in map(json.loads, result.stdout.splitlines())}


def test_lint_shows_what_is_recognised_by_which_rule_and_how_to_say_the_rest() -> None:
    result = lint(RECORDING, LOGS, "--actor", "writer")
    assert result.exit_code == 0
    assert "Which identity is it using?" in result.stdout and "Can it be audited" in result.stdout
    assert "● declared" in result.stdout and "otel_genai: gen_ai.agent.name" in result.stdout
    assert 'fix: with semconv.agent("writer", version="1.4.2"): ...' in result.stdout
    assert "recognised" in result.stdout and "coordinator" not in result.stdout


def test_lint_as_json_has_one_line_per_actor() -> None:
    found = actors(lint(RECORDING, LOGS, "--json", "--question", "identity"))
    assert {"writer", "researcher", "coordinator"} <= found.keys()
    assert [q["id"] for q in found["writer"]["questions"]] == ["identity"]
    agent = found["writer"]["questions"][0]["facts"][0]
    assert (agent["state"], agent["share"], agent["fix"]) == ("declared", 1.0, "")
    assert agent["rules"][0]["rule"] == "otel_genai: gen_ai.agent.name"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("--require", "inferred"), 1),
        (("--question", "identity", "--actor", "writer", "--require", "declared"), 1),
        (("--fail-under", "0.99"), 1),
        (("--fail-under", "0"), 0),
        (("--question", "identity", "--fail-under", "0.2", "--actor", "writer"), 0),
        (("--actor", "nobody"), 0),
        (("--actor", "nobody", "--require", "declared"), 1),
    ],
)
def test_lint_fails_when_less_is_known_than_was_asked_for(arguments: tuple[str, ...], code: int) -> None:
    result = lint(RECORDING, LOGS, "--json", *arguments)
    assert result.exit_code == code, result.stderr
    if "--require" in arguments and "nobody" not in arguments:
        assert "writer: identity.version is missing, not " in result.stderr


def test_lint_of_agents_that_say_everything_passes_the_strictest_gate(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    telling = Telling(monkeypatch)
    everything(telling)
    traces, logs = telling.bodies()
    (tmp_path / "a.traces.binpb").write_bytes(delimited(traces[0]))
    (tmp_path / "a.logs.binpb").write_bytes(delimited(logs[0]))
    both = str(tmp_path / "a.traces.binpb"), str(tmp_path / "a.logs.binpb")
    result = lint(*both, "--require", "declared", "--fail-under", "1")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "" and "fix:" not in result.stdout
    # Without the events nobody knows when the runs started.
    assert lint(both[0], "--require", "inferred").exit_code == 1


def test_lint_reads_json_lines(tmp_path: Path) -> None:
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "a", "startTimeUnixNano": "5",
        "endTimeUnixNano": "9", "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "invoke_agent"}},
            {"key": "gen_ai.agent.name", "value": {"stringValue": "planner"}},
        ],
    }  # fmt: skip
    with gzip.open(tmp_path / "one.jsonl.gz", "wt") as file:
        file.write(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}) + "\n")
    assert list(actors(lint(str(tmp_path / "one.jsonl.gz"), "--json"))) == ["planner"]


def test_lint_of_what_cannot_be_read_names_every_problem_and_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "cut.binpb").write_bytes(b"\xff\x01only-a-few-bytes")
    (tmp_path / "wrong.binpb").write_bytes(delimited(b"\x08no request"))
    result = lint(
        RECORDING, *(str(tmp_path / name) for name in ("cut.binpb", "wrong.binpb", "gone.binpb", "story.txt"))
    )
    lines = result.stderr.splitlines()
    assert result.exit_code == 2 and result.stdout == "" and len(lines) == 4
    for line, told in zip(
        lines, ("ends inside a request", "request 1 is no OTLP", "cannot be read", "cannot be read"), strict=True
    ):
        assert line.startswith("actorscope: ") and told in line


def test_lint_counts_what_nobody_understands(tmp_path: Path) -> None:
    agent = otlp.span(1, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"})
    (tmp_path / "x.binpb").write_bytes(delimited(otlp.traces(agent, otlp.span(2, {"http.request.method": "GET"}))))
    assert "1 of 2 spans speak no dialect that is known" in lint(str(tmp_path / "x.binpb")).stderr
    (tmp_path / "y.binpb").write_bytes(delimited(otlp.traces(otlp.span(2, {"http.request.method": "GET"}))))
    alone = lint(str(tmp_path / "y.binpb"))
    assert alone.exit_code == 0 and "no agent, tool call or model call was recognised" in alone.stderr
    assert lint(str(tmp_path / "y.binpb"), "--fail-under", "0.1").exit_code == 1, "nothing passes no gate"


def test_lint_tries_a_dialect_of_ones_own(tmp_path: Path) -> None:
    agent = otlp.span(1, {"acme.agent": "planner"})
    (tmp_path / "x.binpb").write_bytes(delimited(otlp.traces(agent)))
    (tmp_path / "acme.yaml").write_text(
        "dialect: acme\ndetect: {prefixes: [acme.]}\n"
        "columns: {agent_name: [{from: acme.agent}], operation: [{constant: invoke_agent, present: [acme.agent]}]}\n"
    )
    # In a process of its own: dialects are read once.
    command = [sys.executable, "-m", "actorscope", "semconv", "lint", "x.binpb", "--dialect", "acme.yaml", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = map(json.loads, done.stdout.splitlines())
    assert found["dialects"] == ["acme"] and "acme: acme.agent" in [rule["rule"] for rule in found["recognised"]]


def test_lint_without_spans_says_what_to_give(tmp_path: Path) -> None:
    shutil.copy(LOGS, tmp_path / "only.logs.binpb.gz")
    result = lint(str(tmp_path / "only.logs.binpb.gz"))
    assert result.exit_code == 2 and "no span is in it" in result.stderr


def test_names_of_strangers_cannot_steer_the_terminal(tmp_path: Path) -> None:
    name = "\x1b[31m[bold]evil[/bold]\x07"
    agent = otlp.span(1, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name})
    (tmp_path / "x.binpb").write_bytes(delimited(otlp.traces(agent, service="\x1b]0;title\x07")))
    result = lint(str(tmp_path / "x.binpb"), "--require", "declared")
    assert "\x1b" not in result.output and "\x07" not in result.output
    assert "[bold]evil[/bold]" in result.stdout, "text, and no markup"


@pytest.mark.parametrize("last", ["soon", "7", "-3d"])
def test_a_wrong_length_of_time_is_refused(last: str) -> None:
    result = run("ask", "coverage", "--last", last)
    assert result.exit_code == 2 and "--last" in result.stderr and "such as 30m" in result.stderr


def test_the_commands_explain_themselves() -> None:
    assert "actorscope ask coverage" in run("ask", "coverage", "--help").output
    assert "actorscope semconv lint" in lint("--help").output
