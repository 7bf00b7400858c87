"""What callers of the API give, checked: numbers, choices, lengths of time, JSON bodies."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from starlette.requests import Request

from actorscope.analysis.answers import period
from actorscope.errors import ActorscopeError


class ApiError(ActorscopeError):
    """The caller can mend this; becomes status 400 or 404."""

    def __init__(self, message: str, status: int = 400) -> None:
        self.status = status
        super().__init__(message)


def number(request: Request, name: str, default: int, most: int) -> int:
    """A whole number of the query."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20) or int(text) > most:
        raise ApiError(f"{name} must be a whole number up to {most}, not {text[:40]!r}")
    return int(text)


def since(request: Request, name: str, default: str) -> datetime | None:
    """The moment that lies as far back as the query says; None for `all`."""
    try:
        return period.since(request.query_params.get(name, default))
    except ValueError as error:
        raise ApiError(f"{name} {error}") from error


def choice(request: Request, name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One of the words that are allowed."""
    text = request.query_params.get(name, default)
    if text not in allowed:
        raise ApiError(f"{name} must be one of {', '.join(filter(None, allowed))}, not {text[:40]!r}")
    return text


def choices(request: Request, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Any number of the words that are allowed, each its own parameter."""
    found = tuple(request.query_params.getlist(name))
    for text in found:
        if text not in allowed:
            raise ApiError(f"{name} must be one of {', '.join(allowed)}, not {text[:40]!r}")
    return found


def json_body(request: Request) -> dict[str, Any]:
    """The JSON object that was sent.

    Its content type forces browsers to ask first, so that a foreign page cannot write here.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise ApiError("content type must be application/json")
    try:
        body = json.loads(request.state.body or b"{}")
    except ValueError as error:
        raise ApiError("the body must be JSON") from error
    if not isinstance(body, dict):
        raise ApiError("the body must be a JSON object")
    return body
