"""The HTTP API beside the explorer: health, findings, SQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actorscope.analysis.answers import console
from actorscope.analysis.answers import findings as answers
from actorscope.analysis.answers.source import Source
from actorscope.analysis.finding import SEVERITIES
from actorscope.dashboards.openapi import document
from actorscope.errors import ActorscopeError, TransientError

_STATES = ("", "open", "acknowledged", "resolved")
_MOST_SQL = 100_000
Handler = Callable[[Request, Source], Any]


class ApiError(ActorscopeError):
    """The caller can mend this; becomes status 400 or 404."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


def routes(store: Source, health: Callable[[], dict[str, Any]]) -> list[Route]:
    """The routes under `/api`; `health` returns the body of `/api/health`."""

    def wrap(handler: Handler) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                body = await request.body() if request.method == "POST" else b""
                request.state.body = body
                return JSONResponse(await run_in_threadpool(handler, request, store))
            except ApiError as error:
                return JSONResponse({"error": str(error)}, error.status)
            except console.QueryError as error:
                return JSONResponse({"error": str(error)}, 400)
            except TransientError as error:
                return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})

        return endpoint

    async def get_health(request: Request) -> Response:
        return JSONResponse(health())

    return [
        Route("/api/health", get_health),
        Route("/api/findings", wrap(_list)),
        Route("/api/findings/{id}", wrap(_one)),
        Route("/api/findings/{id}/occurrences", wrap(_occurrences)),
        Route("/api/sql", wrap(_sql), methods=["POST"]),
        Route("/api/openapi.json", wrap(lambda request, store: document())),
    ]


def _number(request: Request, name: str, default: int, most: int) -> int:
    text = request.query_params.get(name, str(default))
    if not text.isdigit() or int(text) > most:
        raise ApiError(f"{name} must be a whole number up to {most}, not {text[:40]!r}")
    return int(text)


def _choice(request: Request, name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = request.query_params.get(name, default)
    if text not in allowed:
        raise ApiError(f"{name} must be one of {', '.join(filter(None, allowed))}, not {text[:40]!r}")
    return text


def _list(request: Request, store: Source) -> dict[str, Any]:
    found = answers.list_findings(
        store,
        detector=request.query_params.get("detector", ""),
        state=_choice(request, "state", "", _STATES),
        min_severity=_choice(request, "severity", "info", SEVERITIES),
        limit=_number(request, "limit", 1000, 10_000),
        offset=_number(request, "offset", 0, 10**9),
    )
    return {"findings": found}


def _one(request: Request, store: Source) -> dict[str, Any]:
    finding = answers.get_finding(store, request.path_params["id"])
    if finding is None:
        raise ApiError(f"there is no finding {request.path_params['id'][:80]!r}", 404)
    return finding


def _occurrences(request: Request, store: Source) -> dict[str, Any]:
    limit, offset = _number(request, "limit", 1000, 10_000), _number(request, "offset", 0, 10**9)
    return {"occurrences": answers.occurrences(store, request.path_params["id"], limit, offset)}


def _sql(request: Request, store: Source) -> dict[str, Any]:
    # A JSON body forces browsers to ask first, so that a foreign page cannot send SQL here.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ApiError("content type must be application/json")
    try:
        body = json.loads(request.state.body)
        sql, most = body["sql"], int(body.get("max_rows", 10_000))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ApiError('the body must be JSON such as {"sql": "SELECT 1", "max_rows": 100}') from error
    if not isinstance(sql, str) or not 0 < most <= _MOST_SQL:
        raise ApiError(f"sql must be text and max_rows between 1 and {_MOST_SQL}")
    return console.answer(store, sql, most).to_json()
