"""The process put together: which rooms run, in which order they start, and how they stop."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from actorscope import __version__
from actorscope.analysis.alerts.deliver import Deliverer
from actorscope.analysis.alerts.desk import Desk
from actorscope.analysis.runner import Runner
from actorscope.errors import TransientError
from actorscope.export import Export, refuse_own_doors
from actorscope.holder import Holder
from actorscope.ingest import decode
from actorscope.ingest.otlp.asgi import AsgiServer
from actorscope.ingest.otlp.metrics import metrics_route
from actorscope.ingest.policy import fingerprint_of, policy_of
from actorscope.ingest.room import Ingest
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate
from actorscope.semconv import dialects
from actorscope.settings import Settings
from actorscope.telemetry import Reading, Telemetry

log = logging.getLogger(__name__)
ROLES = ("ingest", "analyze", "explore")


class App:
    """The roles of one process over one store. chDB allows one process per path, so that `up` runs all of them."""

    def __init__(self, settings: Settings, roles: tuple[str, ...] = ROLES) -> None:
        self.settings = settings
        self._roles = roles
        self._stops: list[Callable[[], None]] = []
        self._started = False
        self.store = Store(settings.store_url)
        self.telemetry = Telemetry()
        self.telemetry.watch(self._readings)
        self.ingest: Ingest | None = None
        self.runner: Runner | None = None
        self.ui: AsgiServer | None = None

    def start(self) -> None:
        """Open the store, then the rooms from the bottom up. Raises when a part cannot start; what started is stopped."""
        # Parsing makes many short-lived objects and no cycles: the collector would walk them for nothing.
        gc.set_threshold(100_000, 50, 50)
        try:
            in_worker(self._start)
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        dialects.use(self.settings.ingest.dialects)
        decode.choose(self.settings.ingest.decoder)
        holder = Holder(self.settings.data)
        self._stops.append(holder.release)
        self._stops.append(self.store.close)
        _migrate_patiently(self.store)
        if "ingest" in self._roles:
            policy_of(self.settings.ingest, self.settings.data)  # makes the key, if need be, that analysis looks for
        if "analyze" in self._roles:
            self._start_analysis()
        if "ingest" in self._roles:
            wake = self.runner.wake if self.runner else lambda: None
            self.ingest = Ingest(self.settings, self.store, wake, self.telemetry)
            self._stops.append(self.ingest.stop)
            self.ingest.start()
        if "explore" in self._roles:
            from actorscope.dashboards.access import access, secrets_file
            from actorscope.dashboards.server import explorer

            given = self.settings.ui
            ui = explorer(
                self.store,
                self.health,
                tuple(filter(None, (urlsplit(given.public_url).hostname,))),
                [metrics_route(self.telemetry)],
                access(given),
                secrets_file(given, self.settings.data / "explorer"),
                self.settings.alerts,
                lambda: self.public_url,
            )
            self.ui = AsgiServer(ui, self.settings.host, self.settings.ui.port, "explorer")
            self._stops.append(self.ui.stop)
            self.ui.start()
        self._start_export()
        self._started = True
        holder.announce(self.addresses())

    def _start_export(self) -> None:
        given = self.settings.telemetry
        if given.otlp_endpoint:
            doors = (self.ingest.grpc_port, self.ingest.http_port) if self.ingest else ()
            refuse_own_doors(given.otlp_endpoint, self.settings.host, doors)
            export = Export(self.telemetry, given, self._roles)
            self._stops.append(export.stop)
            export.start()

    def _start_analysis(self) -> None:
        given = self.settings.alerts
        desk = Desk(self.store, given, lambda: self.public_url, self.settings.ingest.privacy.redact_patterns)
        desk.begin()
        deliverer = Deliverer(self.store, given, desk)
        fingerprint = fingerprint_of(self.settings.ingest, self.settings.data)
        self.runner = Runner(self.store, self.settings.analysis, deliverer.hear, fingerprint=fingerprint)
        self._stops += [deliverer.stop, self.runner.stop]
        deliverer.start()
        self.runner.start()

    @property
    def public_url(self) -> str:
        """Where people reach the explorer."""
        port = self.ui.port if self.ui else self.settings.ui.port
        return self.settings.ui.public_url or f"http://{self.settings.host}:{port}"

    def addresses(self) -> dict[str, Any]:
        """What listens where."""
        host = self.settings.host
        found: dict[str, Any] = {"store": self.store.safe_url}
        if self.ingest:
            found |= {"grpc": f"{host}:{self.ingest.grpc_port}", "http": f"http://{host}:{self.ingest.http_port}"}
        if self.ui:
            found |= {"ui": f"http://{host}:{self.ui.port}"}
        return found

    def _readings(self) -> Iterator[Reading]:
        if self.runner:
            yield "actorscope.analysis.lag", {}, self.runner.lag_seconds
            yield "actorscope.analysis.spans", {}, self.runner.spans_done
            for (detector, frame), rows in self.runner.jury.inputs.items():
                yield "actorscope.analysis.inputs", {"detector": detector, "frame": frame}, rows

    def health(self) -> dict[str, Any]:
        """The body of `/api/health`."""
        counters = self.ingest.counters.snapshot() if self.ingest else {}
        complete_at = self.runner.complete_at if self.runner else None
        return {
            "status": "ok" if self._started else "starting",
            "version": __version__,
            "roles": list(self._roles),
            **self.addresses(),
            **counters,
            "analysis_lag_seconds": round(self.runner.lag_seconds, 3) if self.runner else None,
            "analysed_spans": self.runner.spans_done if self.runner else None,
            "analysis_waiting_traces": self.runner.traces_waiting if self.runner else None,
            "analysis_complete_at": complete_at.isoformat() if complete_at else None,
        }

    def stop(self) -> None:
        """Stop what listens first and the store last; every part gets its chance even when another fails."""
        while self._stops:
            stop = self._stops.pop()
            try:
                stop()
            except Exception:
                log.exception("a part did not stop cleanly")


def _migrate_patiently(store: Store, tries: int = 30) -> None:
    """A server that is still starting gets a minute; an embedded store none."""
    for left in range(tries if not store.is_embedded else 1, 0, -1):
        try:
            for name in migrate(store):
                log.debug("applied %s", name)
            return
        except TransientError as error:
            if left == 1:
                raise
            log.warning("waiting for the store: %s", error)
            time.sleep(2)


def wait(stop: threading.Event) -> None:
    """Keep the main thread free for signals until `stop` is set."""
    while not stop.wait(1.0):
        pass
