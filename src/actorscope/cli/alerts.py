"""`alerts`: is the webhook heard?"""

from __future__ import annotations

import base64
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from actorscope import settings as settings_
from actorscope.analysis.alerts import deliver, outbox
from actorscope.cli.server import ask, find_server, reading_options, with_store
from actorscope.errors import DefinitionError, Problem


@click.group()
def alerts() -> None:
    """Webhooks: test them, see what was delivered, send again."""


@alerts.command()
def secret() -> None:
    """Make a signing secret for a webhook."""
    click.echo("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


@alerts.command()
@click.option("--name", default="", help="Only this subscriber.")
def test(name: str) -> None:
    """Send a test event to every subscriber of the settings and say what came back."""
    settings = settings_.load()
    hooks = [hook for hook in settings.alerts.webhooks if name in ("", hook.name)]
    if not hooks:
        raise DefinitionError([Problem("setting alerts.webhooks", "names no subscriber", "see docs/settings.md")])
    failed = 0
    for hook in hooks:
        attempt = deliver.send_test(hook, settings.ui.public_url)
        is_fine = 200 <= attempt.status < 300
        failed += not is_fine
        outcome = "delivered" if is_fine else "failed"
        click.echo(f"{hook.name}: {outcome}, status {attempt.status}, {attempt.latency_ms} ms {attempt.error}".rstrip())
    sys.exit(1 if failed else 0)


@alerts.command()
@reading_options
@click.option("--limit", default=50, show_default=True, help="At most so many attempts.")
def deliveries(server: str | None, data: Path | None, store: str | None, limit: int) -> None:
    """The newest delivery attempts."""
    address = find_server(server, data, store)
    if address:
        rows = ask(address, "GET", "/api/deliveries", params={"limit": limit})["deliveries"]
    else:
        rows = with_store(data, store, lambda s: outbox.delivery_log(s, limit))
    for row in rows:
        click.echo(
            f"{row['at']}  {row['subscriber']}  {row['id']}  attempt {row['attempt']}  status {row['status']}  {row['error']}".rstrip()
        )


@alerts.command()
@reading_options
@click.argument("id")
def redeliver(server: str | None, data: Path | None, store: str | None, id: str) -> None:
    """Send a notification again, also one that was given up."""
    address = find_server(server, data, store)
    if address:
        count = ask(address, "POST", f"/api/deliveries/{id}/redeliver", json={})["queued"]
    else:
        count = with_store(data, store, lambda s: outbox.redeliver(s, id, datetime.now(UTC)))
    click.echo(f"queued for {count} subscribers")
    sys.exit(0 if count else 1)
