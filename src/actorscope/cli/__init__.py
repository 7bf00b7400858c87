"""The command table. Commands live in the other modules of this folder; only they end the process."""

from __future__ import annotations

import logging
import sys

import click

from actorscope import __version__
from actorscope.cli import alerts, ask, detector, read, replay, semconv, serve, tokens
from actorscope.errors import ActorscopeError, DefinitionError


class _Commands(click.Group):
    """Turns our errors into one line per problem and the contract's exit codes."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except DefinitionError as error:
            for problem in error.problems:
                click.echo(f"actorscope: {problem}", err=True)
            sys.exit(2)
        except ActorscopeError as error:
            click.echo(f"actorscope: {error}", err=True)
            sys.exit(2)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="actorscope")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, to stderr.")
def main(verbose: bool) -> None:
    """Decision tracing for AI agents: who acted, on whose authority, at what cost, and why again.

    Start with `actorscope up`, point any OpenTelemetry exporter at port 4317 (gRPC) or 4318 (HTTP), and open the
    explorer it names. `actorscope up --demo` also plays a fleet of agents, some of which misbehave.
    """
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for noisy in ("httpx", "httpcore", "asyncio", "watchdog", "urllib3", "clickhouse_connect", "streamlit", "uvicorn"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


main.add_command(serve.up)
main.add_command(serve.ingest)
main.add_command(serve.analyze)
main.add_command(serve.explore)
main.add_command(replay.replay)
main.add_command(read.findings)
main.add_command(read.sql)
main.add_command(ask.ask)
main.add_command(alerts.alerts)
main.add_command(detector.detector)
main.add_command(tokens.token)
main.add_command(semconv.semconv)
