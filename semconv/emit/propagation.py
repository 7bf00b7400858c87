"""From process to process: W3C trace context and baggage in HTTP headers, in the `_meta` of MCP, in the metadata of A2A.

HTTP clients and servers that OpenTelemetry instruments carry both by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from actorscope.semconv.emit import carried
from actorscope.semconv.emit.event import quietly

P = ParamSpec("P")
R = TypeVar("R")
_PROPAGATORS = (TraceContextTextMapPropagator(), W3CBaggagePropagator())
_HEADERS = ("traceparent", "tracestate", "baggage")


def inject(carrier: MutableMapping[str, Any], context: Context | None = None) -> None:
    """Write trace context and baggage into headers or any mapping of text."""
    for propagator in _PROPAGATORS:
        quietly(propagator.inject, carrier, context)


def extract(carrier: Mapping[str, Any], context: Context | None = None, *, trusted: bool = True) -> Context:
    """The context that a carrier describes. From outside the trusted zone only the trace is taken, none of our baggage.

    Names of headers may be in any case; values may be text, bytes or lists of them.
    """
    found = quietly(_headers, carrier) or {}
    before = get_current() if context is None else context
    after = before
    for propagator in _PROPAGATORS:
        after = quietly(propagator.extract, found, after) or after
    return after if trusted else carried.write(carried.read(before), after)


def _headers(carrier: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in carrier.items():
        name = key.decode("latin-1") if isinstance(key, bytes) else str(key)
        value = value[0] if isinstance(value, list | tuple) and value else value
        if name.lower() in _HEADERS and isinstance(value, str | bytes):
            found[name.lower()] = value.decode("latin-1") if isinstance(value, bytes) else value
    return found


def inject_mcp(params: MutableMapping[str, Any], context: Context | None = None) -> None:
    """Write into the `_meta` of the params of an MCP request."""
    _inject_below(params, "_meta", context)


def extract_mcp(params: Mapping[str, Any], context: Context | None = None, *, trusted: bool = True) -> Context:
    """The context that the params of an MCP request describe in their `_meta`."""
    return extract(_below(params, "_meta"), context, trusted=trusted)


def inject_a2a(message: MutableMapping[str, Any], context: Context | None = None) -> None:
    """Write into the metadata of an A2A message or task. Over HTTP its headers do as well: `inject`."""
    _inject_below(message, "metadata", context)


def extract_a2a(message: Mapping[str, Any], context: Context | None = None, *, trusted: bool = True) -> Context:
    """The context that an A2A message or task describes. Its `taskId` becomes the task that was handed over."""
    found = extract(_below(message, "metadata"), context, trusted=trusted)
    task = message.get("taskId") or message.get("task_id") if isinstance(message, Mapping) else None
    return carried.write(replace(carried.read(found), task_id=task), found) if isinstance(task, str) else found


def _below(outer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = outer.get(name) if isinstance(outer, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _inject_below(outer: MutableMapping[str, Any], name: str, context: Context | None) -> None:
    inner = dict(_below(outer, name))  # a copy: the mapping may be shared between requests
    inject(inner, context)
    if inner:
        quietly(lambda: outer.__setitem__(name, inner))


@contextmanager
def attached(context: Context) -> Iterator[None]:
    """Work in that context: `with attached(extract(headers)): ...`."""
    token = attach(context)
    try:
        yield
    finally:
        detach(token)


def outside() -> AbstractContextManager[None]:
    """What is sent inside goes to strangers: it carries the trace, none of our baggage."""
    return attached(carried.cleared(get_current()))


def bound(function: Callable[P, R]) -> Callable[P, R]:
    """The function, to run in the present context wherever it runs: new threads and pools start without one."""
    context = get_current()

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with attached(context):
            return function(*args, **kwargs)

    return run
