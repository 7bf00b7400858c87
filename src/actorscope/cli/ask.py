"""`ask`: questions about agents, answered at the terminal."""

from __future__ import annotations

from pathlib import Path

import click

from actorscope import settings
from actorscope.analysis.answers import covered
from actorscope.analysis.answers.coverage import pick
from actorscope.analysis.answers.period import EXAMPLES, since
from actorscope.cli import questions
from actorscope.cli.coverage import choosing_options, show
from actorscope.cli.server import ask as ask_server
from actorscope.cli.server import find_server, reading_options, with_store
from actorscope.errors import DefinitionError, Problem
from actorscope.semconv import dialects


@click.group()
def ask() -> None:
    """Questions about agents, asked of the running server or of the store.

    \b
    actorscope ask coverage                       what is known of each agent, and what is missing
    actorscope ask who-changed RESOURCE           which agent, through which chain, who approved
    actorscope ask why-again SPAN                 why a run happened again
    actorscope ask who-approved SPAN              on whose behalf, with which scope at each hop
    actorscope ask identity ACTOR                 as whom an agent works
    actorscope ask permissions ACTOR              what it uses, and what of it is new
    actorscope ask audit IDENTITY                 what it can reach, and how to revoke it
    """


for _question in questions.COMMANDS:
    ask.add_command(_question)


@ask.command()
@reading_options
@choosing_options
@click.option("--last", default="7d", show_default=True, help=f"Look so far back in event time, {EXAMPLES}.")
@click.option(
    "--traces", default=covered.MOST_TRACES, show_default=True, type=click.IntRange(1, 5000), help="At most so many."
)
@click.option("--rules", "with_rules", is_flag=True, help="Also list which rule of which dialect filled which column.")
def coverage(
    server: str | None,
    data: Path | None,
    store: str | None,
    actor: str,
    questions: tuple[str, ...],
    as_json: bool,
    last: str,
    traces: int,
    with_rules: bool,
) -> None:
    """How well the six questions can be answered for each agent, and the line of code that says what is missing.

    \b
    actorscope ask coverage --last 24h
    actorscope ask coverage --actor refunds --question approval
    """
    try:
        start = since(last)
    except ValueError as error:
        raise DefinitionError([Problem("--last", str(error))]) from error
    address = find_server(server, data, store)
    if address:
        answer = ask_server(address, "GET", "/api/coverage", params={"actor": actor, "last": last, "traces": traces})
    else:
        dialects.use(settings.load(data=data, store=store).ingest.dialects)
        answer = with_store(data, store, lambda s: covered.stored(s, start, actor, traces))
    show(pick(answer, actor, questions), as_json, with_rules)
