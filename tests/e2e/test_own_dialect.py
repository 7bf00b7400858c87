"""A file alone adds a vocabulary: named in the settings, it is read by the real program, and a wrong one stops the start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from tests.e2e.harness import Program
from tests.ingest import otlp

_MINE = """
dialect: mine
title: A vocabulary of our own
order: 80
detect: {prefixes: [mine.]}
columns:
  agent_name: [{from: mine.who}]
  operation: [{from: mine.what, values: {works: invoke_agent, does: execute_tool, asks: chat}}]
  tool_name: [{from: mine.tool}]
  arguments: [{from: mine.with}]
  model: [{from: mine.model}]
  input_tokens: [{from: mine.in}]
"""


@pytest.mark.e2e
def test_a_dialect_file_alone_is_enough(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(_MINE)
    with Program(tmp_path / "data", toml=f'[ingest]\ndialects = ["{tmp_path / "mine.yaml"}"]\n') as program:
        below = {"parent_span_id": (1).to_bytes(8, "big")}
        spans = [
            otlp.span(1, {"mine.what": "works", "mine.who": "clerk"}),
            otlp.span(2, {"mine.what": "does", "mine.tool": "send_mail", "mine.with": '{"to": "ann"}'}, **below),
            otlp.span(3, {"mine.what": "asks", "mine.model": "m-1", "mine.in": 12}, **below),
        ]
        body = otlp.traces(*spans)
        answer = httpx.post(
            program.where["http"] + "/v1/traces", content=body, headers={"content-type": "application/x-protobuf"}
        )
        assert answer.status_code == 200
        program.settle(3)
        assert program.sql("SELECT DISTINCT dialect FROM spans") == [["mine"]]
        assert program.sql("SELECT actor_name FROM agent_runs") == [["clerk"]]
        assert program.sql("SELECT tool_name, arguments, actor_name, side_effect FROM actions") == [
            ["send_mail", '{"to": "ann"}', "clerk", "write"]
        ]
        assert program.sql("SELECT model, input_tokens, actor_name FROM model_calls") == [["m-1", 12, "clerk"]]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("dialect: mine\ndetect: {prefixes: [mine.]}\ncolumns: {agent: [mine.who]}", "no such column"),
        ("dialect: openinference\ndetect: {prefixes: [mine.]}\ncolumns: {}", "dialect is defined twice"),
        ("dialect: [", "cannot be read as YAML"),
    ],
)
def test_a_wrong_dialect_stops_the_start_with_a_line_per_problem(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    (tmp_path / "actorscope.toml").write_text(f'[ingest]\ndialects = ["{tmp_path}"]\n')
    ports = ["--grpc-port", "0", "--http-port", "0", "--ui-port", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "actorscope", "up", "--data", str(tmp_path / "data"), *ports],
        env={"PATH": "", "ACTORSCOPE_CONFIG": str(tmp_path / "actorscope.toml")}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and problem in done.stderr, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
