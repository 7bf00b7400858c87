"""The evaluation itself, on two small runs made here."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conftest import ROOT
from tests.evaluate.__main__ import judge, main
from tests.evaluate.judge import scorer
from tests.evaluate.play import Played, delimited, play, without_content
from tests.evaluate.rate import Rate
from tests.evaluate.targets import Target
from tests.ingest import otlp

from actorscope.cli.replay import read

_DATA = next(
    (top / "shared" / "data" for top in ROOT.parents if (top / "shared" / "data" / "score.py").is_file()), None
)
_TWICE, _ONCE = 1, 2


def _run(trace: int, orders: list[str]) -> bytes:
    """An agent that pays these refunds, one after the other."""
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"Please refund {orders}"}]}])
    agent = {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "refunds", "gen_ai.input.messages": asked,
        "gen_ai.conversation.id": f"c-{trace}",
    }  # fmt: skip
    call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "issue_refund"}
    steps = [
        otlp.span(
            number, call | {"gen_ai.tool.call.arguments": json.dumps({"order": order})}, trace, parent_span_id=(1).to_bytes(8, "big"),
            start_time_unix_nano=otlp.START + number * 10**9, end_time_unix_nano=otlp.START + (number + 1) * 10**9,
        )
        for number, order in enumerate(orders, 2)
    ]  # fmt: skip
    root = otlp.span(1, agent, trace, end_time_unix_nano=otlp.START + 60 * 10**9)
    return otlp.traces(*steps, root)


def _label(trace: int, truth: bool) -> dict[str, Any]:
    spans = [[f"{number:016x}", number * 1000] for number in (2, 3, 1)]
    return {
        "type": "run", "run": f"made/{trace}", "trace_id": f"{trace:032x}", "role": "evaluated", "start": otlp.START,
        "truth": {"reexecution": truth}, "marks": {"reexecution": []}, "spans": spans,
        "tags": {
            "group": "replay" if truth else "benign", "domain": "made", "writes": 2, "replays": [], "legitimate_repeats": [],
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled set in the layout of the real ones; its labels say the opposite of what is true."""
    folder = tmp_path_factory.mktemp("labelled")
    requests = [_run(_TWICE, ["A-1", "A-1"]), _run(_ONCE, ["B-1", "B-2"])]
    (folder / "tau.made.binpb.gz").write_bytes(gzip.compress(b"".join(map(delimited, requests))))
    lines = [{"type": "meta", "set": "tau", "kind": "tau", "split": "made"}, _label(_TWICE, False), _label(_ONCE, True)]
    with gzip.open(folder / "tau.made.labels.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    return folder


@pytest.fixture(scope="module")
def played(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(data, "tau", tmp_path_factory.mktemp("out") / "tau")


@pytest.mark.e2e
def test_a_set_goes_through_the_program_and_its_findings_name_their_runs(played: Played) -> None:
    assert played.spans == 6 and set(played.seconds) == {"start", "send", "store", "analyse", "export", "stop"}
    found = [json.loads(line) for line in played.findings.read_text().splitlines()]
    assert [finding["family"] for finding in found] == ["reexecution"]
    assert {place["trace_id"] for place in found[0]["occurrences"]} == {f"{_TWICE:032x}"}


@pytest.mark.e2e
@pytest.mark.skipif(_DATA is None, reason="the scorer is part of the labelled data, which is not here")
def test_misses_and_false_alarms_are_told_one_by_one(played: Played) -> None:
    assert _DATA
    done = judge(scorer(_DATA), played)
    assert [(line["trace_id"], line["family"], line["said"]) for line in done.misses] == [
        (f"{_ONCE:032x}", "reexecution", [])
    ]
    assert [(line["trace_id"], line["detector"]) for line in done.alarms] == [
        (f"{_TWICE:032x}", "reexecution_duplicate_write")
    ]
    assert done.alarms[0]["title"] and done.writes == (1, 2) and done.troubles == []
    told = (played.findings.parent / "false_alarms.jsonl").read_text()
    assert [json.loads(line) for line in told.splitlines()] == done.alarms


def test_where_the_data_is_missing_one_line_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path)]) == 2
    (tmp_path / "score.py").touch()
    assert main(["--data", str(tmp_path), "--only", "tau,trail"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "score.py" in first and "tau, trail" in second


def test_a_sender_without_content_sends_everything_else(data: Path, tmp_path: Path) -> None:
    bare = [
        ExportTraceServiceRequest.FromString(r.body)
        for r in read(without_content(data / "tau.made.binpb.gz", tmp_path))
    ]
    full = [ExportTraceServiceRequest.FromString(r.body) for r in read(data / "tau.made.binpb.gz")]
    keys = [
        {
            a.key
            for request in requests
            for rs in request.resource_spans
            for s in rs.scope_spans[0].spans
            for a in s.attributes
        }
        for requests in (full, bare)
    ]
    assert keys[0] - keys[1] == {"gen_ai.input.messages", "gen_ai.tool.call.arguments"}
    assert len(bare) == len(full) and "gen_ai.tool.name" in keys[1]


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(hits: int, n: int, low: float, high: float) -> None:
    assert Rate(hits, n).interval() == pytest.approx((low, high), abs=1e-4)


def test_what_was_not_measured_meets_no_target() -> None:
    floor, ceiling = (Target("x", "-", 0.5, is_floor, lambda scores: None) for is_floor in (True, False))
    assert not floor.is_met(None) and not ceiling.is_met(None) and not ceiling.is_met(Rate(0, 0))
    assert floor.is_met(Rate(1, 2)) and ceiling.is_met(0.5) and not ceiling.is_met(Rate(2, 3))
