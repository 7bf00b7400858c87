"""Events: OTLP log records with a name, on the span concerned. Nothing happens while no logger provider is set."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import time_ns
from typing import ParamSpec, TypeVar

from opentelemetry._logs import LoggerProvider, SeverityNumber, get_logger_provider
from opentelemetry.context import Context, get_current

from actorscope import __version__
from actorscope.semconv.emit.carried import read
from actorscope.semconv.emit.names import INSTRUMENTATION
from actorscope.semconv.emit.values import Attributes, given
from actorscope.semconv.generated import attributes as a

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
_warned: set[tuple[str, type[Exception]]] = set()


def quietly(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Do it; whatever goes wrong is logged and not raised, because telemetry must not break the work it is about.

    Each kind of failure is a warning once and then only for debugging: it may happen at every step.
    """
    try:
        return do(*args, **kwargs)
    except Exception as error:
        kind = (getattr(do, "__qualname__", ""), type(error))
        level = logging.DEBUG if kind in _warned else logging.WARNING
        _warned.add(kind)
        log.log(level, "telemetry failed; the work goes on", exc_info=True)
        return None


def emit(name: str, pairs: dict[str, object], context: Context | None = None) -> None:
    """Send an event now, on the span of the context, with the ids of its execution and delegation."""
    quietly(_emit, name, pairs, get_current() if context is None else context)


def _emit(name: str, pairs: dict[str, object], context: Context) -> None:
    carried = read(context)
    whose: dict[str, object] = {
        a.ACTORSCOPE_EXECUTION_ID: carried.execution_id,
        a.ACTORSCOPE_DELEGATION_ID: carried.delegation_id,
    }
    hand_over(name, given(whose | pairs), context, time_ns())


def hand_over(
    name: str, attributes: Attributes, context: Context, timestamp: int, provider: LoggerProvider | None = None
) -> None:
    """Give an event to OpenTelemetry. May raise and may block, if the user's processors do."""
    logger = (provider or get_logger_provider()).get_logger(INSTRUMENTATION, __version__, a.SCHEMA_URL)
    logger.emit(
        timestamp=timestamp,
        context=context,
        severity_number=SeverityNumber.INFO,
        attributes=attributes,
        event_name=name,
    )
