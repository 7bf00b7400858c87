"""`findings` and `sql`: answers at the terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from actorscope.analysis.answers import console as console_
from actorscope.analysis.answers.attention import STATES
from actorscope.analysis.answers.findings import list_findings
from actorscope.analysis.finding import SEVERITIES
from actorscope.cli import marks
from actorscope.cli.server import ask, find_server, reading_options, with_store

_COLOURS = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "info": "dim"}


def safe(value: Any) -> Text:
    """Span text as plain text: control characters, which could steer a terminal, are shown as �."""
    return Text("".join(c if c.isprintable() or c in "\n\t" else "�" for c in str(value)))


@click.group(invoke_without_command=True)
@click.pass_context
@reading_options
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
@click.option("--detector", default="", help="Only findings of this detector.")
@click.option(
    "--state", default="", type=click.Choice(["", *STATES]), help="Only in this state."
)
@click.option("--severity", default="info", type=click.Choice(SEVERITIES), help="This severity or graver.")
@click.option("--limit", default=1000, show_default=True, help="At most so many.")
def findings(
    context: click.Context,
    server: str | None,
    data: Path | None,
    store: str | None,
    as_json: bool,
    detector: str,
    state: str,
    severity: str,
    limit: int,
) -> None:
    """Findings, the gravest and newest first.

    \b
    actorscope findings --severity medium --state open
    actorscope findings --json | jq .title
    actorscope findings mute fnd_... --owner ann --reason "known, see OPS-7" --until 3d
    """
    if context.invoked_subcommand:
        return
    address = find_server(server, data, store)
    if address:
        query = {"detector": detector, "state": state, "severity": severity, "limit": limit}
        found = ask(address, "GET", "/api/findings", params=query)["findings"]
    else:
        found = with_store(data, store, lambda s: list_findings(s, detector, state, severity, limit))
    if as_json:
        for finding in found:
            click.echo(json.dumps(finding, ensure_ascii=False))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("severity", "state", "count", "detector", "title", "id"):
        table.add_column(name, overflow="fold", no_wrap=name in ("severity", "state", "id"))
    for f in found:
        table.add_row(
            Text(f["severity"], _COLOURS[f["severity"]]),
            f["state"],
            str(f["count"]),
            f["detector"],
            safe(f["title"]),
            f["id"],
        )
    Console().print(table if found else "no findings")


for _command in marks.COMMANDS:
    findings.add_command(_command)


@click.command()
@reading_options
@click.argument("statement")
@click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")
@click.option("--max-rows", default=1000, show_default=True, help="At most so many rows.")
def sql(server: str | None, data: Path | None, store: str | None, statement: str, as_json: bool, max_rows: int) -> None:
    """Read-only SQL (ClickHouse dialect) over the documented views.

    \b
    Views: spans, agent_runs, delegations, actions, model_calls, costs, approvals, open_spans, findings
    actorscope sql "SELECT actor_name, sum(cost_usd) FROM model_calls GROUP BY 1 ORDER BY 2 DESC"
    """
    address = find_server(server, data, store)
    if address:
        answer = ask(address, "POST", "/api/sql", json={"sql": statement, "max_rows": max_rows})
    else:
        answer = with_store(data, store, lambda s: console_.answer(s, statement, max_rows)).to_json()
    columns, rows = answer["columns"], answer["rows"]
    if as_json:
        for row in rows:
            click.echo(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False))
    else:
        table = Table(*(str(safe(c)) for c in columns), box=None, pad_edge=False)
        for row in rows:
            table.add_row(*("" if v is None else safe(json.dumps(v) if isinstance(v, dict | list) else v) for v in row))
        Console().print(table)
    if answer["is_cut"]:
        click.echo(f"cut at {max_rows} rows; see --max-rows", err=True)
