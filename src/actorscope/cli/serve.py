"""`up` and the single roles: processes that run until they are stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from actorscope import settings as settings_
from actorscope.analysis.runner import configure
from actorscope.app import ROLES, App, wait
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest import decode
from actorscope.ingest.store.client import Store, in_worker

_STORE = click.option("--store", metavar="URL", help="chdb:///path or http(s)://user:pass@host:8123/db.")
_DATA = click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the embedded store and the log [.actorscope]."
)
_HOST = click.option("--host", help="Address to listen on [127.0.0.1].")
_GRPC = click.option("--grpc-port", type=int, help="Port of OTLP/gRPC [4317]; 0 picks a free one.")
_HTTP = click.option("--http-port", type=int, help="Port of OTLP/HTTP [4318]; 0 picks a free one.")
_UI = click.option("--ui-port", type=int, help="Port of the explorer and the API [8501]; 0 picks a free one.")


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _section(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _load(data: Path | None, store: str | None, host: str | None, **ports: int | None) -> settings_.Settings:
    ingest = _section(grpc_port=ports.get("grpc_port"), http_port=ports.get("http_port"))
    loaded = settings_.load(data=data, store=store, host=host, ingest=ingest, ui=_section(port=ports.get("ui_port")))
    configure(loaded.analysis.detectors)  # wrong thresholds stop the start before anything is opened
    return loaded


def _serve(
    settings: settings_.Settings, roles: tuple[str, ...], beside: Callable[[App], Callable[[], None]] | None = None
) -> None:
    """Run until SIGINT or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    app = App(settings, roles)
    try:
        app.start()
    except OSError as error:
        raise DefinitionError(
            [Problem("start", str(error), "stop what listens there, or choose another port")]
        ) from error
    end_beside = beside(app) if beside else None
    _greet(app)
    wait(stop)
    click.echo("stopping: closing the doors, storing what came in", err=True)
    if end_beside:
        end_beside()
    app.stop()


def _greet(app: App) -> None:
    where = app.addresses()
    if app.settings.host not in ("127.0.0.1", "::1", "localhost"):
        for warning in _open_to_strangers(app):
            click.echo(f"warning: {warning}", err=True)
    click.echo(f"actorscope is up; store {where['store']}, decoder {decode.name()}", err=True)
    if app.ingest:
        click.echo(f"  OTLP/gRPC  {where['grpc']}\n  OTLP/HTTP  {where['http']}", err=True)
    if app.ui:
        click.echo(f"  explorer   {where['ui']}", err=True)
    if app.ingest:
        click.echo(
            f"next: OTEL_EXPORTER_OTLP_ENDPOINT=http://{where['grpc']} for your agents, then open the explorer",
            err=True,
        )


def _open_to_strangers(app: App) -> Iterator[str]:
    """What a start beyond loopback leaves unguarded."""
    given = app.settings.ingest
    if app.ingest and not given.senders:
        yield "anybody who reaches this machine can send; name senders in [[ingest.senders]] (actorscope token NAME)"
    if app.ingest and given.tls.cert_file is None:
        yield "the OTLP doors are not encrypted; set [ingest.tls], or put a proxy in front"
    if app.ui and not app.settings.ui.login.metadata_url:
        yield "anybody who reaches this machine can use the explorer; set [ui.login], or put a proxy with authentication in front"
    if app.ui and not app.settings.ui.tokens and not app.settings.ui.login.metadata_url:
        yield "so can programs use its API; name them in [[ui.tokens]] (actorscope token NAME --api ROLE)"
    if app.ui:
        yield "the explorer is not encrypted; put a proxy with TLS in front"


@click.command()
@_options(_DATA, _STORE, _HOST, _GRPC, _HTTP, _UI)
@click.option("--demo", is_flag=True, help="Also play a fleet of agents into it, some of them misbehaving.")
def up(data: Path | None, store: str | None, host: str | None, demo: bool, **ports: int | None) -> None:
    """Run everything in one process: OTLP doors, store, detectors, explorer, alerts.

    \b
    actorscope up                 with an embedded store in ./.actorscope
    actorscope up --demo          with a fleet to look at
    actorscope up --store http://user:pass@clickhouse:8123/actorscope
    """
    _serve(_load(data, store, host, **ports), ROLES, _demo if demo else None)


def _demo(app: App) -> Callable[[], None]:
    """The demo fleet is a client like any other: a process of its own that speaks OTLP."""
    where = app.addresses()
    command = [sys.executable, "-m", "actorscope.demo", "--endpoint", where["grpc"], "--http-endpoint", where["http"]]
    token = app.ingest.gate.invite("demo") if app.ingest else ""
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{token}"} if token else {}
    process = subprocess.Popen(command, env={**os.environ, **headers})  # in arguments anybody could read the token

    def end() -> None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()

    return end


@click.command()
@_options(_DATA, _STORE, _HOST, _GRPC, _HTTP)
def ingest(data: Path | None, store: str | None, host: str | None, **ports: int | None) -> None:
    """Only the OTLP doors and the writer, for a ClickHouse server; run as many as you like."""
    _serve(_load(data, store, host, **ports), ("ingest",))


@click.command()
@_options(_DATA, _STORE)
@click.option("--once", is_flag=True, help="One full pass over everything not yet analysed, then exit.")
def analyze(data: Path | None, store: str | None, once: bool) -> None:
    """Only the detectors and alerts; run one of these."""
    settings = _load(data, store, None)
    if not once:
        _serve(settings, ("analyze",))
        return
    in_worker(lambda: _analyze_once(settings))


def _analyze_once(settings: settings_.Settings) -> None:
    from rich.console import Console

    from actorscope.analysis.alerts.desk import Desk
    from actorscope.analysis.runner import Runner
    from actorscope.holder import Holder
    from actorscope.ingest.policy import fingerprint_of
    from actorscope.ingest.store.migrate import migrate

    holder = Holder(settings.data)
    store = Store(settings.store_url)
    try:
        migrate(store)
        # What is found is told by the next process that stays: from now on it counts as new.
        Desk(store, settings.alerts).begin()
        fingerprint = fingerprint_of(settings.ingest, settings.data)
        runner = Runner(store, settings.analysis, fingerprint=fingerprint)
        with Console(stderr=True).status("analysing") as status:
            total = runner.run_to_end(lambda p: status.update(f"analysed {p.spans:,} spans of {p.traces:,} traces"))
        click.echo(f"analysed {total.spans:,} spans in {total.seconds:.1f} s; {total.changes} changes of findings")
    finally:
        store.close()
        holder.release()


@click.command()
@_options(_DATA, _STORE, _HOST, _UI)
def explore(data: Path | None, store: str | None, host: str | None, **ports: int | None) -> None:
    """Only the explorer and the API, for a ClickHouse server."""
    _serve(_load(data, store, host, **ports), ("explore",))
