"""`findings acknowledge`, `mute`, `resolve` and `open`: what people say of a finding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from actorscope import settings as settings_
from actorscope.analysis import marks
from actorscope.analysis.answers import period
from actorscope.analysis.answers.findings import get_finding
from actorscope.analysis.runner import Runner
from actorscope.cli.server import ask, find_server, reading_options, with_store
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store


def _options(command: Callable[..., None]) -> Any:
    command = click.option("--owner", required=True, help="Who answers for it.")(command)
    return reading_options(click.argument("id")(command))


@click.command()
@_options
@click.option("--reason", default="", help="Why.")
def acknowledge(**given: Any) -> None:
    """Somebody looks at it; it is open again when it becomes graver."""
    _say("acknowledged", **given)


@click.command()
@_options
@click.option("--reason", required=True, help="Why nobody needs to hear of it.")
@click.option("--until", required=True, help="3d, 12h, or a moment such as 2030-01-31.")
def mute(**given: Any) -> None:
    """Send no alerts of it, also not of the same thing seen anew, until a moment."""
    _say("muted", **given)


@click.command()
@_options
@click.option("--reason", default="", help="What was done about it.")
def resolve(**given: Any) -> None:
    """It is dealt with; it opens again when it is seen in another place."""
    _say("resolved", **given)


@click.command(name="open")
@_options
@click.option("--reason", default="", help="Why.")
def reopen(**given: Any) -> None:
    """Take back what was said of it before."""
    _say("open", **given)


def _say(
    state: str, id: str, owner: str, reason: str, server: str | None, data: Path | None, store: str | None, until: str = ""
) -> None:
    address = find_server(server, data, store)
    if address:
        body = {"state": state, "owner": owner, "reason": reason, "until": until}
        said = ask(address, "POST", f"/api/findings/{id}/mark", json=body)
    else:
        settings = settings_.load(data=data, store=store)
        said = with_store(data, store, lambda s: _mark(s, settings, id, state, owner, reason, until))
    click.echo(f"{id} {said['state']}" + (f" until {said['until']}" if "until" in said else ""))


def _mark(
    store: Store, settings: settings_.Settings, id: str, state: str, owner: str, reason: str, until: str
) -> dict[str, str]:
    """Mark a finding of a store on which nothing else runs, and do at once what analysis would do."""
    finding = get_finding(store, id)
    if finding is None:
        raise DefinitionError([Problem("finding", f"there is none of the id {id[:80]!r}", "see actorscope findings")])
    now = datetime.now(UTC)
    try:
        end = period.until(until, now) if until else None
    except ValueError as error:
        raise DefinitionError([Problem("until", str(error))]) from error
    said = marks.say(store, finding, state, owner, reason, now, end).said()
    Runner(store, settings.analysis).heed_once()
    return said


COMMANDS = (acknowledge, mute, resolve, reopen)
