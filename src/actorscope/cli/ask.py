"""`ask`: questions about agents, answered at the terminal."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.tree import Tree

from actorscope import settings
from actorscope.analysis.answers import covered
from actorscope.analysis.answers import spend as answers
from actorscope.analysis.answers.coverage import pick
from actorscope.analysis.answers.period import EXAMPLES, since
from actorscope.cli import questions
from actorscope.cli.coverage import choosing_options, show
from actorscope.cli.read import safe
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
    actorscope ask spend                          who started what cost money, and through whom it went
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
    start = _moment(last)
    address = find_server(server, data, store)
    if address:
        answer = ask_server(address, "GET", "/api/coverage", params={"actor": actor, "last": last, "traces": traces})
    else:
        dialects.use(settings.load(data=data, store=store).ingest.dialects)
        answer = with_store(data, store, lambda s: covered.stored(s, start, actor, traces))
    show(pick(answer, actor, questions), as_json, with_rules)


@ask.command()
@reading_options
@click.option("--last", default="7d", show_default=True, help=f"Look so far back in event time, {EXAMPLES}.")
@click.option("--starter", default="", help="Only work that this person, schedule or agent started, by id or name.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="At most so many starters.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a tree.")
def spend(server: str | None, data: Path | None, store: str | None, last: str, starter: str, limit: int, as_json: bool) -> None:
    """What was spent, by who started the work: a tree of the agents it went through, and what went into waste.

    \b
    actorscope ask spend --last 24h
    actorscope ask spend --starter ann --json
    """
    start = _moment(last)
    address = find_server(server, data, store)
    if address:
        answer = ask_server(address, "GET", "/api/spend", params={"last": last, "starter": starter, "limit": limit})
    else:
        answer = with_store(data, store, lambda s: answers.spend(s, start, starter, limit))
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    for one in answer["starters"]:
        tree = Tree(safe(f"{one['starter_name'] or one['starter_id'] or 'unknown'} ({one['starter_type'] or 'unknown'}) {_amounts(one)}"))
        _grow(tree, one["agents"])
        Console().print(tree)
    if not answer["starters"]:
        click.echo(f"nothing was spent; the newest data is of {answer['newest_at']}" if answer["newest_at"] else "there is no data yet")
    if answer["is_cut"]:
        click.echo("not all is shown; see --limit and --starter", err=True)


def _moment(last: str) -> datetime | None:
    try:
        return since(last)
    except ValueError as error:
        raise DefinitionError([Problem("--last", str(error))]) from error


def _grow(tree: Tree, agents: list[dict[str, Any]]) -> None:
    for agent in agents:
        _grow(tree.add(safe(f"{agent['name'] or 'unknown'} {_amounts(agent)}")), agent["agents"])


def _amounts(one: dict[str, Any]) -> str:
    parts = (f"{amount.removesuffix('_usd').replace('_', ' ')} ${one[amount]:.4g}" for amount in answers.AMOUNTS[1:] if one[amount])
    own = f", own ${one['own_usd']:.4g}" if "own_usd" in one and one["agents"] else ""
    return f"${one['total_usd']:.4g}{own} [{', '.join(parts)}]"
