"""The OpenAPI description of the API; `tests/dashboards/test_api.py` keeps it equal to the routes."""

from __future__ import annotations

from typing import Any

from actorscope import __version__


def _get(summary: str, *parameters: str, path: tuple[str, ...] = ()) -> dict[str, Any]:
    query = [{"name": p, "in": "query", "schema": {"type": "string"}} for p in parameters]
    fixed = [{"name": p, "in": "path", "required": True, "schema": {"type": "string"}} for p in path]
    return {"get": {"summary": summary, "parameters": [*fixed, *query], "responses": {"200": {"description": "JSON"}}}}


def document() -> dict[str, Any]:
    """The OpenAPI 3.1 document as a dict."""
    body = {
        "type": "object",
        "required": ["sql"],
        "properties": {"sql": {"type": "string"}, "max_rows": {"type": "integer", "default": 10000}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Actorscope", "version": __version__},
        "paths": {
            "/api/health": _get("Status, version, store and counters; 200 once all doors are open."),
            "/api/findings": _get(
                "Findings, the gravest and newest first.", "detector", "state", "severity", "limit", "offset"
            ),
            "/api/findings/{id}": _get("One finding with its newest occurrences.", path=("id",)),
            "/api/findings/{id}/occurrences": _get(
                "Every trace in which a finding was seen.", "limit", "offset", path=("id",)
            ),
            "/api/sql": {
                "post": {
                    "summary": "One SELECT over the documented views, with row, time and memory limits.",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                    "responses": {
                        "200": {"description": "columns, rows, is_cut, seconds"},
                        "400": {"description": "error"},
                    },
                }
            },
            "/api/openapi.json": _get("This document."),
        },
    }
