"""The OpenAPI description of the API; `tests/dashboards/test_api.py` keeps it equal to the routes."""

from __future__ import annotations

from typing import Any

from actorscope import __version__


def _get(summary: str, *parameters: str, path: tuple[str, ...] = ()) -> dict[str, Any]:
    query = [{"name": p, "in": "query", "schema": {"type": "string"}} for p in parameters]
    fixed = [{"name": p, "in": "path", "required": True, "schema": {"type": "string"}} for p in path]
    return {"get": {"summary": summary, "parameters": [*fixed, *query], "responses": {"200": {"description": "JSON"}}}}


def _post(summary: str, properties: dict[str, Any], answer: str, *required: str, path: tuple[str, ...] = ()) -> Any:
    fixed = [{"name": p, "in": "path", "required": True, "schema": {"type": "string"}} for p in path]
    body = {"type": "object", "required": list(required), "properties": properties}
    return {
        "post": {
            "summary": summary,
            "parameters": fixed,
            "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
            "responses": {"200": {"description": answer}, "400": {"description": "error"}},
        }
    }


def _alerts() -> dict[str, Any]:
    """What `alerting.py` serves."""
    return {
        "/api/alerts": _get(
            "Every alert target with how it fares, groups of findings that were told and are not over, silences."
        ),
        "/api/alerts/notifications": _get(
            "Notifications, newest first: `state` pending, delivered, dead (given up) or unwanted.", "state", "target", "limit"
        ),
        "/api/alerts/targets/{name}/test": _post(
            "Send one test notification now, past the outbox.", {}, "target, is_delivered, status, latency_ms, error", path=("name",)
        ),
        "/api/silences": _get("Silences that wait, hold, or ended within the last day.")
        | _post(
            "Tell nobody of findings whose labels match, from `start` (now) until a moment, or for 3d, 12h.",
            {
                "matchers": {"type": "object", "additionalProperties": {"type": "string"}},
                **{key: {"type": "string"} for key in ("author", "reason", "start", "until")},
            },
            "the silence",
            *("matchers", "author", "reason", "until"),
        ),
        "/api/silences/{id}/end": _post("Let a silence end now.", {}, "the silence", path=("id",)),
        "/api/deliveries": _get("The latest attempts to deliver notifications, newest first.", "limit"),
        "/api/deliveries/{id}/redeliver": _post(
            "Make a notification due again, for one subscriber or all.",
            {"subscriber": {"type": "string", "default": ""}},
            "queued: how many subscribers",
            path=("id",),
        ),
    }


def _runs() -> dict[str, Any]:
    """The paths of one run, and of two."""
    return {
        "/api/runs/{trace_id}": _get(
            "One trace: summary, spans as a tree, delegations, findings.", "limit", path=("trace_id",)
        ),
        "/api/runs/{trace_id}/spans/{span_id}": _get("One span in full.", path=("trace_id", "span_id")),
        "/api/runs/{trace_id}/around": _get(
            "Span links both ways, delegations from and into other traces, other runs of the conversation, siblings.",
            path=("trace_id",),
        ),
        "/api/runs/{trace_id}/search": _get(
            "The spans of a trace that carry a text in attributes, events or status.", "text", "limit", path=("trace_id",)
        ),
        "/api/compare": _get("Two runs side by side: aligned steps, totals, scopes and targets.", "a", "b"),
    }


def _questions() -> dict[str, Any]:
    """The paths of the six questions."""
    return {
        "/api/runs/{trace_id}/lineage": _get(
            "The chain from whoever started the work down to a span (or the topmost run), with the scope at each hop.",
            "span_id",
            path=("trace_id",),
        ),
        "/api/runs/{trace_id}/again": _get(
            "Why the run of a span (or the topmost one) happened again: its siblings, the class of the cause, repeated writes.",
            "span_id",
            path=("trace_id",),
        ),
        "/api/changes": _get(
            "Actions on a `resource` in the `last` 7d, ..., writes first, each with the chain behind it.",
            "resource",
            "last",
            "reads",
            "limit",
        ),
        "/api/spans/{span_id}": _get("The trace of a span.", path=("span_id",)),
        "/api/actor": _get(
            "One actor (`id`): identities, scopes, spend, runs; new is what was first seen in the `last` 7d.", "id", "last"
        ),
        "/api/radius": _get("What an identity (`id`) reached in the `last` 30d, and a plan to take it away.", "id", "last"),
    }


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document as a dict."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Actorscope", "version": __version__},
        "paths": {
            "/api/health": _get("Status, version, store and counters; 200 once all doors are open."),
            "/api/attention": _get(
                "A page of findings as rows, with counts per filter; filters may be repeated.",
                *("family", "severity", "state", "detector", "subject", "text", "last", "limit", "offset"),
            ),
            "/api/findings": _get(
                "Findings, the gravest and newest first.", "detector", "state", "severity", "limit", "offset"
            ),
            "/api/findings/{id}": _get("One finding with its newest occurrences.", path=("id",)),
            "/api/findings/{id}/mark": _post(
                "Acknowledge, mute (until a moment or for 3d, 12h), resolve or open a finding; analysis heeds it within seconds.",
                {key: {"type": "string"} for key in ("state", "owner", "reason", "until")},
                "state, owner, reason, at, until",
                *("state", "owner"),
                path=("id",),
            ),
            "/api/findings/{id}/notes": {
                **_get("What people wrote on a finding, the oldest first.", path=("id",)),
                **_post(
                    "Comment on a finding, or say who looks at it.",
                    {key: {"type": "string"} for key in ("kind", "author", "text", "assignee")},
                    "the note: at, author, kind, text, assignee",
                    "kind",
                    "author",
                    path=("id",),
                ),
            },
            "/api/findings/{id}/occurrences": _get(
                "Every trace in which a finding was seen.", "limit", "offset", path=("id",)
            ),
            **_runs(),
            **_questions(),
            "/api/fleet": _get("Actors with what they did in the last `hours` (0: ever).", "hours", "limit"),
            "/api/ingest": _get("How the intake fares: ingesters, minutes, drops with advice, sources of the last day."),
            "/api/spend": _get(
                "What was spent in the `last` time, by who started the work, as a tree of agents.", "last", "starter", "limit"
            ),
            "/api/coverage": _get(
                "How well the six questions can be answered for each actor (or one `actor`, by id or name), from the "
                "latest `traces` (500) of the `last` 7d, 24h, ..., or all.",
                *("actor", "last", "traces"),
            ),
            "/api/sql": _post(
                "One SELECT over the documented views, with row, time and memory limits.",
                {"sql": {"type": "string"}, "max_rows": {"type": "integer", "default": 10000}},
                "columns, rows, is_cut, seconds",
                "sql",
            ),
            **_alerts(),
            "/api/openapi.json": _get("This document."),
        },
    }
