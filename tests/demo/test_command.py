"""The demo command: live play, unreachable doors, what it tells of itself, and starting it twice."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from actorscope.demo.command import main
from actorscope.demo.fleet import Fleet
from actorscope.demo.run import SECOND

NOW = 1_790_000_000 * SECOND


def test_a_second_start_repeats_no_business_id() -> None:
    def conversations(now: int) -> set[str]:
        takes = Fleet(7, now).history(1)
        return {str(take.root.attributes.get("gen_ai.conversation.id")) for take in takes if take.service != "ops"}

    assert conversations(NOW) & conversations(NOW + SECOND) <= {"None"}


def test_live_goes_on_until_told_to_stop(open_sink: Callable[[], Any]) -> None:
    sink, stop = open_sink(), threading.Event()
    doors = ["--endpoint", sink.endpoint, "--http-endpoint", sink.http_endpoint]
    timer = threading.Timer(6, stop.set)
    timer.start()
    began = time.time_ns()
    try:
        assert main([*doors, "--history-hours", "1", "--history-seconds", "0"], stop=stop) == 0
    finally:
        timer.cancel()
    late = [span for span in sink.spans if span["end"] > began]
    known = {span["span"] for span in sink.spans}
    assert late and all(not span["parent"] or span["parent"] in known for span in sink.spans)
    starts = [log for log in sink.logs if log["event"] == "actorscope.span.start"]
    assert starts and {log["span"] for log in starts} <= known


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert main(["--endpoint", f"127.0.0.1:{held.getsockname()[1]}"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_describe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--describe", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["family"] for row in told} == {"delegation", "authority", "cost", "reexecution"}
    assert all(set(row) == {"scenario", "family", "service", "agent", "expects"} for row in told)
    assert main(["--describe"]) == 0
    text = capsys.readouterr().out
    assert all(row["scenario"] in text for row in told)
