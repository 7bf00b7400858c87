"""The commands as a user types them: help that teaches, exit codes, one line per problem."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.conftest import RECORDINGS

from actorscope.cli import main

_COMMANDS = ("up", "ingest", "analyze", "explore", "replay", "findings", "sql", "ask", "alerts", "semconv")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, without settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACTORSCOPE_CONFIG", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_every_command_of_the_contract_is_there_and_explains_itself(home: Path) -> None:
    overview = run("--help")
    assert overview.exit_code == 0
    for command in _COMMANDS:
        assert f"\n  {command} " in overview.output
        page = run(command, "--help")
        assert page.exit_code == 0 and len(page.output) > 150


@pytest.mark.parametrize("command", ["up", "findings", "sql", "replay"])
def test_help_shows_examples(home: Path, command: str) -> None:
    assert f"actorscope {command}" in run(command, "--help").output


def test_wrong_settings_stop_the_start_with_one_line_per_problem(home: Path) -> None:
    (home / "actorscope.toml").write_text(
        'stoore = "x"\n[ingest]\ngrpc_port = 99999\n[[alerts.webhooks]]\nname = "a"\nurl = "http://example.org"\n'
    )
    result = run("up")
    lines = result.stderr.strip().splitlines()
    assert result.exit_code == 2
    assert len(lines) == 2 and "stoore" in lines[0] + lines[1] and "ingest.grpc_port" in lines[0] + lines[1]


def test_a_webhook_without_tls_or_secret_is_refused_at_the_start(home: Path) -> None:
    (home / "actorscope.toml").write_text('[[alerts.webhooks]]\nname = "a"\nurl = "http://example.org"\n')
    result = run("up")
    assert result.exit_code == 2 and "https" in result.stderr and "whsec_" in result.stderr


def test_an_unknown_threshold_is_named_with_the_known_ones(home: Path) -> None:
    (home / "actorscope.toml").write_text("[analysis.detectors.delegation_cycle]\nsame_gaol = 0.5\n")
    result = run("analyze", "--once", "--data", "data")
    assert result.exit_code == 2 and "same_gaol" in result.stderr and "same_goal" in result.stderr


def test_a_bad_store_url_is_refused(home: Path) -> None:
    result = run("findings", "--store", "postgres://x")
    assert result.exit_code == 2 and "not a store URL" in result.stderr


def test_reading_without_a_store_says_what_to_do(home: Path) -> None:
    result = run("findings", "--data", "nothing-here")
    assert result.exit_code == 2 and "actorscope up" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("cut.binpb", b"\xff\x01only-a-few-bytes", "ends inside a request"),
        ("cut.binpb.gz", b"no gzip at all", "cannot be read"),
        ("story.txt", b"hello", "is no recording"),
        ("bad.jsonl", b'{"resourceSpans": [{]}\n', "bad.jsonl:1"),
    ],
)
def test_a_file_that_is_no_recording_is_refused_with_its_place(
    home: Path, name: str, content: bytes, says: str
) -> None:
    (home / name).write_bytes(content)
    result = run("replay", name)
    assert result.exit_code == 2 and says in result.stderr


def test_replay_without_a_server_says_so(home: Path) -> None:
    recording = str(RECORDINGS / "mcp_sdk2.traces.binpb.gz")
    result = run("replay", recording, "--endpoint", "127.0.0.1:1")
    assert result.exit_code == 2 and "127.0.0.1:1" in result.stderr


def test_semconv_check_is_fine(home: Path) -> None:
    result = run("semconv", "check")
    assert result.exit_code == 0 and "openinference" in result.output


def test_a_secret_is_made_in_the_form_the_settings_want(home: Path) -> None:
    assert run("alerts", "secret").output.startswith("whsec_")


def test_otlp_json_lines_are_read_as_their_protobuf_twins(home: Path) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    from actorscope.cli.replay import read

    span = {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "eee19b7ec3c1b174",
        "name": "a",
        "kind": 1,
        "startTimeUnixNano": "5",
    }
    line = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    with gzip.open(home / "one.jsonl.gz", "wt") as file:
        file.write(line + "\n\n" + line + "\n")
    first, second = read(home / "one.jsonl.gz")
    assert first == second
    found = ExportTraceServiceRequest.FromString(first.body).resource_spans[0].scope_spans[0].spans[0]
    assert found.trace_id.hex() == "5b8efff798038103d269b633813fc60c" and found.span_id.hex() == "eee19b7ec3c1b174"
    assert found.start_time_unix_nano == 5


def test_testing_a_target_that_is_not_there_names_those_that_are(home: Path) -> None:
    (home / "actorscope.toml").write_text('[[alerts.targets]]\nname = "chat"\nkind = "slack"\nurl = "https://127.0.0.1:1/s3cret"\n')
    result = run("alerts", "test", "--target", "pager")
    assert result.exit_code == 2 and "known: chat" in result.stderr
    result = run("alerts", "test", "--target", "chat")
    assert result.exit_code == 1 and "chat (slack): failed, status 0" in result.output and "s3cret" not in result.output
