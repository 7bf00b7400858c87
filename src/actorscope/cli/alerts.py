"""`alerts`: who is told, is it heard, send again, be quiet."""

from __future__ import annotations

import base64
import secrets
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from actorscope import settings as settings_
from actorscope.analysis.alerts import outbox, send, silences
from actorscope.analysis.answers import alerts as answers
from actorscope.analysis.answers import period
from actorscope.cli.server import ask, find_server, reading_options, with_store
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store


@click.group()
def alerts() -> None:
    """Alert targets: test them, see what was delivered, send again, silence."""


@alerts.command()
def secret() -> None:
    """Make a signing secret for a target of the kind `generic`."""
    click.echo("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())


@alerts.command()
@click.option("--target", "--name", "target", default="", help="Only this target.")
def test(target: str) -> None:
    """Send a test notification to every target of the settings and say what came back."""
    settings = settings_.load()
    chosen = [each for each in settings.alerts.everybody if target in ("", each.name)]
    if not chosen:
        known = ", ".join(each.name for each in settings.alerts.everybody) or "none"
        raise DefinitionError([Problem("setting alerts.targets", f"names no such target (known: {known})", "see docs/alerts.md")])
    failed = 0
    for each in chosen:
        attempt = send.send_test(each, settings.alerts, settings.ui.public_url)
        is_fine = 200 <= attempt.status < 300
        failed += not is_fine
        outcome = "delivered" if is_fine else "failed"
        click.echo(f"{each.name} ({each.kind}): {outcome}, status {attempt.status}, {attempt.latency_ms} ms {attempt.error}".rstrip())
    sys.exit(1 if failed else 0)


@alerts.command(name="list")
@reading_options
@click.option("--state", type=click.Choice(outbox.STATES), default=None, help="Only those in this state; `dead` were given up.")
@click.option("--target", default="", help="Only this target.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
def list_(server: str | None, data: Path | None, store: str | None, state: str | None, target: str, limit: int) -> None:
    """The newest notifications with what became of them."""
    given = {"state": state or "", "target": target, "limit": limit}
    path, key = "/api/alerts/notifications", "notifications"
    rows = _asked(server, data, store, "GET", path, lambda s: answers.notifications(s, state or "", target, limit), key, given)
    for row in rows:
        told = f"{row['created_at']}  {row['subscriber']}  {row['id']}  {row['state']} after {row['attempts']} attempts"
        click.echo(f"{told}  {row['last_error']}".rstrip())


@alerts.command()
@reading_options
@click.option("--limit", default=50, show_default=True, help="At most so many attempts.")
def deliveries(server: str | None, data: Path | None, store: str | None, limit: int) -> None:
    """The newest delivery attempts."""
    given = {"limit": limit}
    rows = _asked(server, data, store, "GET", "/api/deliveries", lambda s: answers.deliveries(s, limit), "deliveries", given)
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
    click.echo(f"queued for {count} targets")
    sys.exit(0 if count else 1)


@alerts.command()
@reading_options
@click.argument("matchers", nargs=-1, required=True, metavar="LABEL=TEXT...")
@click.option("--author", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why nobody needs to hear of it.")
@click.option("--until", required=True, help="3d, 12h, or a moment such as 2030-01-31.")
@click.option("--from", "start", default="", help="When it begins, written in the same way [now].")
def silence(server: str | None, data: Path | None, store: str | None, matchers: tuple[str, ...], author: str, reason: str,
            until: str, start: str) -> None:  # fmt: skip
    """Tell nobody of findings whose labels match, for a while.

    Labels: detector, family, rule, severity, subject, tenant, service, environment; `*` stands for anything. Several must all match.
    """
    pairs = {name: text for name, is_there, text in (each.partition("=") for each in matchers) if is_there}
    if len(pairs) != len(matchers):
        raise DefinitionError([Problem("matchers", "are written label=text, each label once", "such as detector=cost_*")])
    given = {"matchers": pairs, "author": author, "reason": reason, "until": until, "start": start}

    def work(opened: Store) -> dict[str, Any]:
        now = datetime.now(UTC)
        try:
            end, begin = period.until(until, now), period.until(start, now) if start else None
        except ValueError as error:
            raise DefinitionError([Problem("until", str(error))]) from error
        return silences.silence(opened, pairs, author, reason, end, now, begin).to_json(now)

    said = _asked(server, data, store, "POST", "/api/silences", work, "", given)
    click.echo(f"{said['id']} {said['state']} until {said['ends_at']}")


@alerts.command(name="silences")
@reading_options
def silences_(server: str | None, data: Path | None, store: str | None) -> None:
    """Silences that wait, hold, or ended within the last day."""
    for said in _asked(server, data, store, "GET", "/api/silences", answers.silences, "silences", {}):
        what = " ".join(f"{name}={text}" for name, text in said["matchers"].items())
        click.echo(f"{said['id']}  {said['state']} until {said['ends_at']}  {what}  {said['author']}: {said['reason']}")


@alerts.command()
@reading_options
@click.argument("id")
def unsilence(server: str | None, data: Path | None, store: str | None, id: str) -> None:
    """Let a silence end now."""

    def work(opened: Store) -> dict[str, Any]:
        now = datetime.now(UTC)
        if (ended := silences.end(opened, id, now)) is None:
            raise DefinitionError([Problem("silence", f"there is none of the id {id[:80]!r}", "see actorscope alerts silences")])
        return ended.to_json(now)

    said = _asked(server, data, store, "POST", f"/api/silences/{id}/end", work, "", {})
    click.echo(f"{said['id']} {said['state']}")


def _asked(
    server: str | None, data: Path | None, store: str | None, method: str, path: str, question: Callable[[Store], Any], key: str, given: Any
) -> Any:
    """What a running server answers (below `key`), else the answer of a store that is opened."""
    address = find_server(server, data, store)
    if not address:
        return with_store(data, store, question)
    answer = ask(address, method, path, **({"params": given} if method == "GET" else {"json": given}))
    return answer[key] if key else answer
