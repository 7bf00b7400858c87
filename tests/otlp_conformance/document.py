"""docs/otlp-conformance.md: every row, what was checked and what came out."""

from __future__ import annotations

from tests.conftest import ROOT
from tests.otlp_conformance import collector, data, grpc, http, json  # noqa: F401  (each adds its rows)
from tests.otlp_conformance.rows import ROWS, Result

PATH = ROOT / "docs" / "otlp-conformance.md"
GROUPS = {
    "G": "OTLP over gRPC", "H": "OTLP over HTTP", "J": "OTLP in JSON", "D": "What becomes of the data",
    "C": "What the OpenTelemetry Collector's receiver is tested for besides",
}  # fmt: skip
NOT_MET: dict[str, str] = {}
"""Rows that Actorscope does not meet, and why."""


def text(results: dict[str, Result]) -> str:
    """The whole document."""
    met = sum(result.verdict == "met" for result in results.values())
    parts = [
        "# OTLP conformance",
        "Made by `python -m tests.otlp_conformance`; do not edit. Each row is a check in `tests/otlp_conformance` that sends over real "
        "sockets to a real ingest room, and `make test` runs them all. The words must, should and may are those of the OTLP "
        "specification 1.11; a may without them is what senders gain by.",
        "`python -m tests.otlp_conformance --grpc HOST:PORT --http HOST:PORT` asks another server the same and prints the table; "
        "what can only be seen from inside is then not measured.",
        f"Actorscope meets {met} of {len(results)} rows.",
        *(f"## {title}\n\n{_table(letter, results)}" for letter, title in GROUPS.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _table(letter: str, results: dict[str, Result]) -> str:
    lines = ["| row | level | what is checked | result | note |", "| --- | --- | --- | --- | --- |"]
    for row in ROWS:
        if row.id[0] == letter and (result := results.get(row.id)):
            note = NOT_MET.get(row.id, result.note) if result.verdict == "not met" else result.note
            lines.append(f"| {row.id} | {row.level} | {row.sentence} | {result.verdict} | {note.replace('|', '/')} |")
    return "\n".join(lines)
