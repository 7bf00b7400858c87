"""`GET /metrics` for Prometheus, beside the OTLP paths: a process that only ingests has no other port."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actorscope.errors import UnauthenticatedError
from actorscope.ingest.gate import Gate
from actorscope.telemetry import Telemetry


def metrics_route(telemetry: Telemetry, gate: Gate | None = None) -> Route:
    """The route; where senders need a token, so does whoever reads this."""

    async def metrics(request: Request) -> Response:
        try:
            if gate is not None:
                gate.identify(request.headers.get("authorization"))
        except UnauthenticatedError as error:
            return Response(f"{error}\n", 401, {"WWW-Authenticate": "Bearer"}, "text/plain")
        text, content_type = await run_in_threadpool(telemetry.exposition, request.headers.get("accept", ""))
        return Response(text, headers={"Content-Type": content_type})

    return Route("/metrics", metrics)
