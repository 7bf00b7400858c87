"""`token`: lets a sender in."""

from __future__ import annotations

import json

import click

from actorscope.ingest.gate import digest, new_token


@click.command()
@click.argument("name")
@click.option("--tenant", default="", help="Label kept with all that this sender sends.")
@click.option("--service", default="", help="Service name of telemetry that states none.")
def token(name: str, tenant: str, service: str) -> None:
    """Make a bearer token for the sender NAME, and the section of actorscope.toml that lets it in.

    The token is shown once and kept nowhere; the settings hold its digest only.
    """
    made = new_token()
    click.echo(made)
    given = {"name": name, "token_sha256": digest(made).hex(), "tenant": tenant, "service": service}
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items() if value]
    click.echo("\n".join(["", "Into actorscope.toml:", "", "[[ingest.senders]]", *lines, ""]), err=True)
    click.echo(f'For the sender: OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20{made}"', err=True)
