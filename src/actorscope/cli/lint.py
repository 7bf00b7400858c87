"""`semconv lint`: what a recording says of its agents, by which rule, and what it lacks. Needs no store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from actorscope import settings
from actorscope.analysis.answers import covered
from actorscope.analysis.answers.coverage import STATES, pick
from actorscope.cli.coverage import choosing_options, lacking, show
from actorscope.cli.replay import read
from actorscope.errors import DefinitionError, Problem
from actorscope.semconv import dialects

_REQUESTS: dict[str, Any] = {"traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest}


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@choosing_options
@click.option("--require", type=click.Choice(STATES[:3]), help="Exit 1 when a fact is known less well than that.")
@click.option(
    "--dialect",
    "own",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A dialect file or folder of your own; may be repeated.",
)
@click.option("--fail-under", type=click.FloatRange(0, 1), help="Exit 1 when a question scores less.")
def lint(
    files: tuple[Path, ...],
    actor: str,
    questions: tuple[str, ...],
    as_json: bool,
    require: str | None,
    own: tuple[Path, ...],
    fail_under: float | None,
) -> None:
    """What a recording says of each agent, by which rule, and the line of code that says what is missing.

    Files are those that `actorscope replay` sends; logs that belong to traces are given with them.

    \b
    actorscope semconv lint run.traces.binpb.gz run.logs.binpb.gz
    actorscope semconv lint run.jsonl --question identity --require declared     # for CI
    actorscope semconv lint run.jsonl --dialect mine.yaml                        # while writing a dialect
    """
    dialects.use([*settings.load().ingest.dialects, *own])
    bodies, problems = _read(files)
    if problems:
        raise DefinitionError(problems)
    found = covered.recording(bodies["traces"], bodies["logs"])
    if not found.spans:
        raise DefinitionError([Problem(", ".join(map(str, files)), "no span is in it", "give traces, not only logs")])
    answer = pick(found.to_json(), actor, questions)
    show(answer, as_json, with_rules=True)
    lines = list(lacking(answer, require, fail_under))
    for line in lines:
        click.echo(line, err=True)
    nothing = not answer["actors"] and (require or fail_under)
    sys.exit(1 if lines or nothing else 0)


def _read(files: tuple[Path, ...]) -> tuple[dict[str, list[bytes]], list[Problem]]:
    """The requests of all files by signal, and everything that cannot be read."""
    bodies: dict[str, list[bytes]] = {"traces": [], "logs": []}
    problems: list[Problem] = []
    for file in files:
        try:
            for number, recorded in enumerate(read(file), start=1):
                try:
                    _REQUESTS[recorded.signal].FromString(recorded.body)
                    bodies[recorded.signal].append(recorded.body)
                except DecodeError:
                    problems.append(Problem(str(file), f"request {number} is no OTLP request of {recorded.signal}"))
        except DefinitionError as error:
            problems += error.problems
    return bodies, problems
