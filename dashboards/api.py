"""The HTTP API beside the explorer: health, findings, the answers, SQL; alerts stand in `alerting.py`."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actorscope.analysis import marks, notes
from actorscope.analysis.answers import (
    actor,
    again,
    around,
    attention,
    change,
    compare,
    console,
    covered,
    fleet,
    ingest,
    lineage,
    period,
    radius,
    run,
    spend,
)
from actorscope.analysis.answers import findings as answers
from actorscope.analysis.answers.ids import span_id, trace_id
from actorscope.analysis.answers.source import Source
from actorscope.analysis.detector import FAMILIES
from actorscope.analysis.finding import SEVERITIES
from actorscope.dashboards import alerting, data
from actorscope.dashboards.access import reaches
from actorscope.dashboards.openapi import document
from actorscope.dashboards.parameters import ApiError, choice, choices, json_body, number, since
from actorscope.errors import DefinitionError, TransientError
from actorscope.settings import AlertSettings

_MOST_SQL = 100_000
Handler = Callable[[Request, Source], Any]


def routes(
    store: Source,
    health: Callable[[], dict[str, Any]],
    alerts: AlertSettings | None = None,
    public_url: Callable[[], str] = lambda: "",
) -> list[Route]:
    """The routes under `/api`; `health` returns the body of `/api/health`, `public_url` where people reach the explorer."""

    def wrap(handler: Handler, role: str = "viewer") -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                _admit(request, role)
                request.state.body = await request.body() if request.method == "POST" else b""
                return JSONResponse(await run_in_threadpool(_answer, handler, request, store))
            except ApiError as error:
                headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
                return JSONResponse({"error": str(error)}, error.status, headers)
            except console.QueryError as error:
                return JSONResponse({"error": str(error)}, 400)
            except TransientError as error:
                return JSONResponse({"error": str(error)}, 503, {"Retry-After": "1"})

        return endpoint

    async def get_health(request: Request) -> Response:
        body = health()
        return JSONResponse(body, 200 if body["status"] == "ok" else 503)

    return [
        Route("/api/health", get_health),
        Route("/api/attention", wrap(_attention)),
        Route("/api/findings", wrap(_list)),
        Route("/api/findings/{id}", wrap(_one)),
        Route("/api/findings/{id}/mark", wrap(_mark, "responder"), methods=["POST"]),
        Route("/api/findings/{id}/notes", wrap(_notes)),
        Route("/api/findings/{id}/notes", wrap(_note, "responder"), methods=["POST"]),
        Route("/api/findings/{id}/occurrences", wrap(_occurrences)),
        Route("/api/runs/{trace_id}", wrap(_run)),
        Route("/api/runs/{trace_id}/spans/{span_id}", wrap(_span)),
        Route("/api/runs/{trace_id}/lineage", wrap(_lineage)),
        Route("/api/runs/{trace_id}/again", wrap(_again)),
        Route("/api/spans/{span_id}", wrap(_trace_of)),
        Route("/api/changes", wrap(_changes)),
        Route("/api/actor", wrap(_actor)),
        Route("/api/radius", wrap(_radius)),
        Route("/api/runs/{trace_id}/around", wrap(_around)),
        Route("/api/runs/{trace_id}/search", wrap(_search)),
        Route("/api/compare", wrap(_compare)),
        Route("/api/fleet", wrap(_fleet)),
        Route("/api/coverage", wrap(_coverage)),
        Route("/api/spend", wrap(_spend)),
        Route("/api/ingest", wrap(lambda request, store: ingest.ingest(store))),
        Route("/api/sql", wrap(_sql), methods=["POST"]),
        *alerting.routes(wrap, alerts or AlertSettings.model_validate({}), public_url),
        Route("/api/openapi.json", wrap(lambda request, store: document())),
    ]


def _admit(request: Request, needed: str) -> None:
    """Where people log in or tokens are named, a program shows a token with a role that is enough."""
    role = data.access().of_token(request.headers.get("authorization", ""))
    if not role:
        raise ApiError("send `Authorization: Bearer <token>`; actorscope token NAME --api viewer makes one", 401)
    if not reaches(role, needed):
        raise ApiError(f"the role of this token is {role}; this needs {needed}", 403)


def _answer(handler: Handler, request: Request, store: Source) -> Any:
    """Work on the threads that keep a client of the store; the web server's own come and go."""
    return data.on_pool(handler, request, store)


def _attention(request: Request, store: Source) -> dict[str, Any]:
    wanted = attention.Wanted(
        choices(request, "family", FAMILIES),
        choices(request, "severity", SEVERITIES),
        choices(request, "state", attention.STATES),
        tuple(request.query_params.getlist("detector")),
        request.query_params.get("subject", ""),
        request.query_params.get("text", ""),
        since(request, "last", "all"),
    )
    return attention.attention(
        store, wanted, number(request, "limit", 200, 10_000), number(request, "offset", 0, 10**9)
    )


def _list(request: Request, store: Source) -> dict[str, Any]:
    found = answers.list_findings(
        store,
        detector=request.query_params.get("detector", ""),
        state=choice(request, "state", "", ("", *attention.STATES)),
        min_severity=choice(request, "severity", "info", SEVERITIES),
        limit=number(request, "limit", 1000, 10_000),
        offset=number(request, "offset", 0, 10**9),
    )
    return {"findings": found}


def _one(request: Request, store: Source) -> dict[str, Any]:
    finding = answers.get_finding(store, request.path_params["id"])
    if finding is None:
        raise ApiError(f"there is no finding {request.path_params['id'][:80]!r}", 404)
    return finding


def _occurrences(request: Request, store: Source) -> dict[str, Any]:
    limit, offset = number(request, "limit", 1000, 10_000), number(request, "offset", 0, 10**9)
    return {"occurrences": answers.occurrences(store, request.path_params["id"], limit, offset)}


def _mark(request: Request, store: Source) -> dict[str, Any]:
    finding, body = _one(request, store), json_body(request)
    given = {key: body.get(key, "") for key in ("state", "owner", "reason", "until")}
    if not all(isinstance(text, str) for text in given.values()) or given["state"] not in marks.STATES:
        raise ApiError(f"state must be one of {', '.join(marks.STATES)}; owner, reason and until are texts")
    try:
        now = datetime.now(UTC)
        until = period.until(given["until"], now) if given["until"] else None
        return marks.say(store, finding, given["state"], given["owner"], given["reason"], now, until).said()
    except (ValueError, DefinitionError) as error:
        raise ApiError(str(error)) from error


def _notes(request: Request, store: Source) -> dict[str, Any]:
    return {"notes": notes.of(store, _one(request, store))}


def _note(request: Request, store: Source) -> dict[str, Any]:
    finding, body = _one(request, store), json_body(request)
    given = {key: body.get(key, "") for key in ("kind", "author", "text", "assignee")}
    if not all(isinstance(text, str) for text in given.values()) or given["kind"] not in notes.KINDS:
        raise ApiError(f"kind must be one of {', '.join(notes.KINDS)}; author, text and assignee are texts")
    try:
        return notes.write(store, finding, now=datetime.now(UTC), **given)
    except DefinitionError as error:
        raise ApiError(str(error)) from error


def _trace(request: Request) -> str:
    found = trace_id(request.path_params["trace_id"])
    if found is None:
        raise ApiError("a trace id is 32 hexadecimal digits, not all zero")
    return found


def _run(request: Request, store: Source) -> dict[str, Any]:
    trace = _trace(request)
    found = run.run(store, trace, number(request, "limit", run.MOST_SPANS, 50_000))
    if found is None:
        raise ApiError(f"no span of trace {trace} is stored", 404)
    return found


def _span(request: Request, store: Source) -> dict[str, Any]:
    trace, span = _trace(request), span_id(request.path_params["span_id"])
    if span is None:
        raise ApiError("a span id is 16 hexadecimal digits, not all zero")
    found = run.span(store, trace, span)
    if found is None:
        raise ApiError(f"span {span} of trace {trace} is not stored", 404)
    return found


def _span_of(request: Request) -> str:
    """The span of the query, empty where none is asked for."""
    text = request.query_params.get("span_id", "")
    if text and span_id(text) is None:
        raise ApiError("a span id is 16 hexadecimal digits, not all zero")
    return span_id(text) or ""


def _known(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise ApiError("no run of an agent is known there", 404)
    return found


def _lineage(request: Request, store: Source) -> dict[str, Any]:
    return _known(lineage.lineage(store, _trace(request), _span_of(request)))


def _again(request: Request, store: Source) -> dict[str, Any]:
    return _known(again.why_again(store, _trace(request), _span_of(request)))


def _trace_of(request: Request, store: Source) -> dict[str, Any]:
    span = span_id(request.path_params["span_id"])
    if span is None:
        raise ApiError("a span id is 16 hexadecimal digits, not all zero")
    return {"trace_id": run.trace_of(store, span)}


def _needed(request: Request, name: str) -> str:
    text = request.query_params.get(name, "").strip()
    if not text:
        raise ApiError(f"{name} is missing")
    return text


def _changes(request: Request, store: Source) -> dict[str, Any]:
    reads = choice(request, "reads", "false", ("true", "false")) == "true"
    most = number(request, "limit", 200, 1000)
    return change.who_changed(store, _needed(request, "resource"), since(request, "last", "7d"), None, reads, most)


def _actor(request: Request, store: Source) -> dict[str, Any]:
    return actor.actor(store, _needed(request, "id"), since(request, "last", "7d"))


def _radius(request: Request, store: Source) -> dict[str, Any]:
    return radius.radius(store, _needed(request, "id"), since(request, "last", "30d"))


def _around(request: Request, store: Source) -> dict[str, Any]:
    trace = _trace(request)
    found = run.whole(store, trace)
    if found is None:
        raise ApiError(f"no span of trace {trace} is stored", 404)
    return around.of(store, found)


def _search(request: Request, store: Source) -> dict[str, Any]:
    text = request.query_params.get("text", "")[:1000]
    return run.search(store, _trace(request), text, number(request, "limit", 2000, 50_000))


def _compare(request: Request, store: Source) -> dict[str, Any]:
    traces = [trace_id(request.query_params.get(side, "")) for side in ("a", "b")]
    if not (traces[0] and traces[1]):
        raise ApiError("a and b must be trace ids of 32 hexadecimal digits")
    found = compare.stored(store, traces[0], traces[1])
    if found is None:
        raise ApiError("no span of one of these traces is stored", 404)
    return found


def _fleet(request: Request, store: Source) -> dict[str, Any]:
    hours = number(request, "hours", 0, 24 * 3650)
    since = datetime.now(UTC) - timedelta(hours=hours) if hours else None
    return fleet.fleet(store, since, number(request, "limit", 1000, 10_000))


def _coverage(request: Request, store: Source) -> dict[str, Any]:
    traces = number(request, "traces", covered.MOST_TRACES, covered.MOST_TRACES * 10)
    return covered.stored(store, since(request, "last", "7d"), request.query_params.get("actor", ""), traces)


def _spend(request: Request, store: Source) -> dict[str, Any]:
    starter = request.query_params.get("starter", "")
    return spend.spend(store, since(request, "last", "7d"), starter, number(request, "limit", 50, 1000))


def _sql(request: Request, store: Source) -> dict[str, Any]:
    body = json_body(request)
    try:
        sql, most = body["sql"], int(body.get("max_rows", 10_000))
    except (ValueError, KeyError, TypeError) as error:
        raise ApiError(f"the body must be JSON such as {json.dumps({'sql': 'SELECT 1', 'max_rows': 100})}") from error
    if not isinstance(sql, str) or not 0 < most <= _MOST_SQL:
        raise ApiError(f"sql must be text and max_rows between 1 and {_MOST_SQL}")
    return console.answer(store, sql, most).to_json()
