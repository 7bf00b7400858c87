"""`semconv`: check the words, write what is generated from them, and see what a recording says in them."""

from __future__ import annotations

import sys

import click

from actorscope.cli.lint import lint
from actorscope.errors import DefinitionError
from actorscope.semconv import dialects as dialects_
from actorscope.semconv import generate as generate_


@click.group()
def semconv() -> None:
    """The actorscope.* convention and the dialects that are mapped to it."""


@semconv.command()
def check() -> None:
    """Check the registry, the dialects and that generated files are up to date; exit 1 when something is wrong."""
    problems = [str(problem) for problem in generate_.check()]
    try:
        known = dialects_.dialects()
    except DefinitionError as error:
        known = ()
        problems += [str(problem) for problem in error.problems]
    if not problems:
        problems += [
            f"{path.name}: is out of date (actorscope semconv generate)" for path in generate_.generate(check=True)
        ]
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        sys.exit(1)
    click.echo(f"fine: the registry and {len(known)} dialects ({', '.join(d.name for d in known)})")


@semconv.command()
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 1 when a file would change.")
def generate(only_check: bool) -> None:
    """Write the Python names and docs/semconv.md from the registry."""
    changed = generate_.generate(check=only_check)
    for path in changed:
        click.echo(("out of date: " if only_check else "wrote ") + path.name)
    if not changed:
        click.echo("everything is up to date")
    sys.exit(1 if only_check and changed else 0)


semconv.add_command(lint)
