"""The part of the API about alerts: targets, notifications, deliveries, silences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from actorscope.analysis.alerts import outbox, send
from actorscope.analysis.alerts import silences as silences_
from actorscope.analysis.answers import alerts as answers
from actorscope.analysis.answers import period
from actorscope.analysis.answers.source import Source
from actorscope.dashboards.parameters import ApiError, choice, json_body, number
from actorscope.errors import DefinitionError
from actorscope.settings import AlertSettings

Handler = Callable[[Request, Source], Any]


def routes(wrap: Callable[..., Any], settings: AlertSettings, public_url: Callable[[], str]) -> list[Route]:
    """The routes; `wrap` makes an endpoint of a function of the request and the store, for those with a role."""

    def test(request: Request, store: Source) -> dict[str, Any]:
        json_body(request)
        name = request.path_params["name"]
        target = next((each for each in settings.everybody if each.name == name), None)
        if target is None:
            raise ApiError(f"there is no target {name[:80]!r}", 404)
        attempt = send.send_test(target, settings, public_url())
        told = {"status": attempt.status, "latency_ms": attempt.latency_ms, "error": attempt.error}
        return {"target": name, "is_delivered": 200 <= attempt.status < 300, **told}

    return [
        Route("/api/alerts", wrap(lambda request, store: answers.overview(store, settings))),
        Route("/api/alerts/notifications", wrap(_notifications)),
        Route("/api/alerts/targets/{name}/test", wrap(test, "admin"), methods=["POST"]),
        Route("/api/silences", wrap(lambda request, store: {"silences": answers.silences(store)})),
        Route("/api/silences", wrap(_silence, "responder"), methods=["POST"]),
        Route("/api/silences/{id}/end", wrap(_end, "responder"), methods=["POST"]),
        Route("/api/deliveries", wrap(_deliveries)),
        Route("/api/deliveries/{id}/redeliver", wrap(_redeliver, "responder"), methods=["POST"]),
    ]


def _notifications(request: Request, store: Source) -> dict[str, Any]:
    state = choice(request, "state", "", ("", *outbox.STATES))
    target = request.query_params.get("target", "")
    return {"notifications": answers.notifications(store, state, target, number(request, "limit", 100, 10_000))}


def _silence(request: Request, store: Source) -> dict[str, Any]:
    body, now = json_body(request), datetime.now(UTC)
    texts = {key: body.get(key, "") for key in ("author", "reason", "start", "until")}
    matchers = body.get("matchers", {})
    if not isinstance(matchers, dict) or not all(isinstance(text, str) for text in (*texts.values(), *matchers.values())):
        raise ApiError("matchers must be an object of texts; author, reason, start and until are texts")
    try:
        start, until = (period.until(texts[key], now) if texts[key] else None for key in ("start", "until"))
        return silences_.silence(store, matchers, texts["author"], texts["reason"], until, now, start).to_json(now)
    except (ValueError, DefinitionError) as error:
        raise ApiError(str(error)) from error


def _end(request: Request, store: Source) -> dict[str, Any]:
    json_body(request)
    now = datetime.now(UTC)
    ended = silences_.end(store, request.path_params["id"], now)
    if ended is None:
        raise ApiError(f"there is no silence {request.path_params['id'][:80]!r}", 404)
    return ended.to_json(now)


def _deliveries(request: Request, store: Source) -> dict[str, Any]:
    return {"deliveries": answers.deliveries(store, number(request, "limit", 100, 10_000))}


def _redeliver(request: Request, store: Source) -> dict[str, Any]:
    subscriber = json_body(request).get("subscriber", "")
    if not isinstance(subscriber, str):
        raise ApiError("subscriber must be text")
    queued = outbox.redeliver(store, request.path_params["id"], datetime.now(UTC), subscriber)
    if not queued:
        raise ApiError(f"there is no notification {request.path_params['id'][:80]!r}", 404)
    return {"queued": queued}
