"""`token`: lets a sender in."""

from __future__ import annotations

import json

import click

from actorscope.tokens import digest, new_token


@click.command()
@click.argument("name")
@click.option("--tenant", default="", help="Label kept with all that this sender sends.")
@click.option("--service", default="", help="Service name of telemetry that states none.")
@click.option("--api", "role", type=click.Choice(["viewer", "responder", "admin"]), help="For a program that uses the API instead.")
def token(name: str, tenant: str, service: str, role: str | None) -> None:
    """Make a bearer token for the sender NAME, and the section of actorscope.toml that lets it in.

    The token is shown once and kept nowhere; the settings hold its digest only.
    """
    made = new_token()
    click.echo(made)
    if role:
        lines = [f'name = {json.dumps(name)}', f'token_sha256 = "{digest(made).hex()}"', f'role = "{role}"']
        click.echo("\n".join(["", "Into actorscope.toml:", "", "[[ui.tokens]]", *lines, ""]), err=True)
        click.echo("For commands: ACTORSCOPE_API_TOKEN holds the token", err=True)
        return
    given = {"name": name, "token_sha256": digest(made).hex(), "tenant": tenant, "service": service}
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items() if value]
    click.echo("\n".join(["", "Into actorscope.toml:", "", "[[ingest.senders]]", *lines, ""]), err=True)
    click.echo(f'For the sender: OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20{made}"', err=True)
