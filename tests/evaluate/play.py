"""One labelled set through the real program: front door, analysis, findings, and how long each took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.e2e.harness import Program
from tests.processes import cpu_seconds

from actorscope.cli.replay import read

WITHOUT_CONTENT = "-metadata"
"""End of the name of a set that is sent again by senders who record no content."""
_CONTENT = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
)  # fmt: skip
_PATIENCE_SECONDS = 900.0
_PAGE = 10_000
_IN_JSON = 1000


@dataclass
class Played:
    """What came of a set; `seconds` by step."""

    name: str
    labels: Path
    findings: Path
    spans: int = 0
    logs: int = 0
    cpu_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


def recordings(data: Path, name: str) -> list[Path]:
    """The files of a set, traces first."""
    return sorted(data.glob(f"{name.removesuffix(WITHOUT_CONTENT)}.*.binpb.gz"), key=lambda path: ".logs." in path.name)


def labels(data: Path, name: str) -> Path:
    return next(data.glob(f"{name.removesuffix(WITHOUT_CONTENT)}.*.labels.jsonl.gz"))


def play(data: Path, name: str, out: Path) -> Played:
    """Send the set into a fresh data folder, wait until all is judged, and write `findings.jsonl` into `out`.

    Raises AssertionError when the door refuses a request or analysis does not come to its end.
    """
    out.mkdir(parents=True, exist_ok=True)
    played = Played(name, labels(data, name), out / "findings.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        files = recordings(data, name)
        if name.endswith(WITHOUT_CONTENT):
            files = [without_content(file, Path(folder)) for file in files]
        program = Program(Path(folder) / "data", log=out / "program.log")
        with _clock(played, "start"):
            program.start()
        try:
            with _clock(played, "send"):
                _send(program, files)
            with _clock(played, "store"):
                _await(program, lambda health: _is_stored(health), "everything is stored")
            sent_at = time.time()
            with _clock(played, "analyse"):
                _await(program, lambda health: _is_complete(health, sent_at), "everything is judged")
            health = program.get("/api/health")
            played.spans, played.logs = int(health["spans_stored"]), int(health["logs_stored"])
            played.cpu_seconds = cpu_seconds([program.process.pid]) if program.process else 0.0
            with _clock(played, "export"), played.findings.open("w") as lines:
                lines.writelines(json.dumps(finding) + "\n" for finding in exported(program))
        finally:
            with _clock(played, "stop"):
                program.stop()
    return played


def exported(program: Program) -> Iterator[dict[str, Any]]:
    """All findings by way of the command and the API, each with every place where it was seen."""
    ui = program.where["ui"]
    found = program.command("findings", "--json", "--server", ui, "--limit", str(_PAGE))
    assert found.returncode == 0, found.stderr
    listed = [json.loads(line) for line in found.stdout.splitlines()]
    while len(listed) % _PAGE == 0 and listed:
        if not (more := program.findings(limit=_PAGE, offset=len(listed))):
            break
        listed += more
    for finding in listed:
        places = finding["occurrences"]
        while len(places) >= _IN_JSON and len(places) % _IN_JSON == 0:
            where = f"/api/findings/{finding['id']}/occurrences"
            if not (more := program.get(where, limit=_IN_JSON, offset=len(places))["occurrences"]):
                break
            places += more
        yield finding


def _send(program: Program, files: list[Path]) -> None:
    command = [sys.executable, "-m", "actorscope", "replay", *map(str, files), "--endpoint", program.where["grpc"]]
    sent = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    assert sent.returncode == 0, sent.stderr


def _is_stored(health: dict[str, Any]) -> bool:
    return all(health[f"{records}_stored"] >= health[f"{records}_accepted"] for records in ("spans", "logs"))


def _is_complete(health: dict[str, Any], after: float) -> bool:
    """Whether a look that began after `after` found nothing new and no trace that waits for its top."""
    at = health["analysis_complete_at"]
    return bool(at) and datetime.fromisoformat(at).timestamp() > after


def _await(program: Program, condition: Callable[[dict[str, Any]], bool], what: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not condition(health := program.get("/api/health")):
        assert program.process and program.process.poll() is None, f"the program ended:\n{program.log()[-3000:]}"
        assert time.monotonic() < end, f"waited {_PATIENCE_SECONDS:.0f} s in vain until {what}: {health}"
        time.sleep(0.2)


class _clock:
    """Adds the wall time of its block to the steps of a set."""

    def __init__(self, played: Played, step: str) -> None:
        self._played, self._step = played, step

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(self, *_: object) -> None:
        self._played.seconds[self._step] = time.monotonic() - self._began


def without_content(file: Path, folder: Path) -> Path:
    """The same recording from a sender who records no content, which is OpenTelemetry's default."""
    bare = folder / file.name.removesuffix(".gz")
    with bare.open("wb") as out:
        for recorded in read(file):
            request = ExportTraceServiceRequest.FromString(recorded.body)
            for span in (s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans):
                kept = [attribute for attribute in span.attributes if attribute.key not in _CONTENT]
                del span.attributes[:]
                span.attributes.extend(kept)
            out.write(delimited(request.SerializeToString()))
    return bare


def delimited(body: bytes) -> bytes:
    """A request as recordings hold it: its length as a varint first."""
    out, left = bytearray(), len(body)
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes((*out, left)) + body
