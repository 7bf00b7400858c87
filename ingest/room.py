"""The room put together: doors, log and writer, started and stopped in the right order."""

from __future__ import annotations

import logging
from collections.abc import Callable

from actorscope.errors import ActorscopeError
from actorscope.ingest.counters import Counters
from actorscope.ingest.gate import Gate
from actorscope.ingest.intake import Intake
from actorscope.ingest.otlp import tls
from actorscope.ingest.otlp.asgi import AsgiServer
from actorscope.ingest.otlp.grpc import GrpcDoor
from actorscope.ingest.otlp.http import http_app
from actorscope.ingest.otlp.metrics import metrics_route
from actorscope.ingest.policy import policy_of
from actorscope.ingest.reporter import Reporter
from actorscope.ingest.spool import Spool, read
from actorscope.ingest.store.client import Store
from actorscope.ingest.writer import Writer
from actorscope.settings import Settings
from actorscope.telemetry import Telemetry

log = logging.getLogger(__name__)


class Ingest:
    """Everything between the network and the store. The ports are bound when the object exists."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        on_stored: Callable[[], None] = lambda: None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self.counters = Counters(telemetry=telemetry or Telemetry())
        self._store = store
        self._spool = Spool(settings.data / "spool")
        self._writer = Writer(store, self._spool, self.counters, on_stored)
        policy = policy_of(settings.ingest, settings.data)
        self._intake = Intake(self._spool, settings.ingest, self.counters, self._writer.put, policy)
        limit_bytes = settings.ingest.spool_budget_mib * 2**20
        self._reporter = Reporter(store, self._spool.ingester, self.counters, limit_bytes)
        given, host = settings.ingest, settings.host
        self.gate = Gate(given.senders)
        limit, encrypted = given.max_request_mib, tls.context(given.tls)
        self._grpc = GrpcDoor(self._intake, host, given.grpc_port, limit, self.gate, tls.context(given.tls, ("h2",)))
        measured = metrics_route(self.counters.telemetry, self.gate)
        app = http_app(self._intake, limit, self.gate, given.cors_origins, [measured])
        self._http = AsgiServer(app, host, given.http_port, "otlp-http", encrypted)
        self.grpc_port, self.http_port = self._grpc.port, self._http.port

    def start(self) -> None:
        """Recover the log, then open the doors."""
        self._intake.remember(self._earlier_requests())
        self._writer.start()
        self._intake.start()
        self._grpc.start()
        self._http.start()
        self._reporter.start()

    def stop(self) -> None:
        """Close the doors, make durable what came in, store what the store takes."""
        self._grpc.stop()
        self._http.stop()
        self._intake.close()
        self._writer.close()
        self._reporter.stop()

    def _earlier_requests(self) -> list[bytes]:
        """Digests of requests that are in the store or in left-over segments."""
        digests = [record.digest for path in self._spool.left_over for record in read(path)]
        try:
            rows = self._store.named("recent_requests", ingester=self._spool.ingester)
            return [*reversed(rows["request"].to_list()), *digests]  # the oldest first: they are forgotten first
        except ActorscopeError as error:
            log.warning("requests of earlier runs cannot be recognised: %s", error)
            return digests
