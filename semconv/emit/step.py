"""A step of the work as a context manager and a decorator, in plain and in async code, with or without a span of its own."""

from __future__ import annotations

import copy
import inspect
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from contextvars import Token
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

from actorscope import __version__
from actorscope.semconv.emit.carried import inherited
from actorscope.semconv.emit.event import quietly
from actorscope.semconv.emit.names import ERROR_TYPE, INSTRUMENTATION
from actorscope.semconv.emit.values import Attributes, given
from actorscope.semconv.generated.attributes import SCHEMA_URL

P = ParamSpec("P")
R = TypeVar("R")


def attributes_of(span: Span) -> Mapping[str, Any]:
    """The attributes that a span has so far; none where it does not record."""
    found = getattr(span, "attributes", None)
    return found if isinstance(found, Mapping) else {}


class Step:
    """Opens a span, or adds to the present one, while a stretch of work is done. One object is one step at a time."""

    id: str

    def __init__(self) -> None:
        self.span: Span = INVALID_SPAN
        self._owns_span = False
        self._is_open = False
        self._token: Token[Context] | None = None

    def _begin(self) -> None:
        raise NotImplementedError

    def _end(self, error: BaseException | None) -> None:
        """What to record at the end, before the span ends."""

    def _again(self) -> Self:
        """A step like this one that has not begun: a decorated function makes one per call."""
        fresh = copy.copy(self)
        Step.__init__(fresh)
        return fresh

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """What to learn from the call of a decorated function before it runs."""

    def _returned(self, result: Any) -> None:
        """What to learn from what a decorated function returned."""

    def _start(self, name: str, kind: SpanKind, pairs: Mapping[str, object]) -> None:
        """Open a span of our own under the present one."""
        context = get_current()
        attributes: Attributes = {**inherited(context), **given(pairs)}
        tracer = trace.get_tracer(INSTRUMENTATION, __version__, schema_url=SCHEMA_URL)
        self.span, self._owns_span = tracer.start_span(name, context, kind, attributes), True

    def _add_to(self, span: Span, pairs: Mapping[str, object]) -> None:
        """Say it on a span that somebody else opened and will end."""
        self.span = span
        span.set_attributes(given(pairs))

    def _attach(self, context: Context) -> None:
        self._token = attach(trace.set_span_in_context(self.span, context) if self._owns_span else context)

    def _set(self, pairs: Mapping[str, object]) -> None:
        if self.span.is_recording():
            quietly(self.span.set_attributes, given(pairs))

    def __enter__(self) -> Self:
        if self._is_open:
            raise RuntimeError(f"this {type(self).__name__} is still open: make a new one for each piece of work")
        self._is_open = True
        quietly(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        quietly(self._end, error)
        quietly(self._close, error)
        self._is_open = False

    def _close(self, error: BaseException | None) -> None:
        if self._token is not None:
            detach(self._token)
        if self._owns_span:
            if error is not None and not isinstance(error, GeneratorExit):
                # The class only: messages of exceptions are content, and often somebody's.
                self.span.set_attribute(ERROR_TYPE, type(error).__qualname__)
                self.span.set_status(Status(StatusCode.ERROR))
            self.span.end()
        self._token, self._owns_span = None, False

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """As a decorator: each call of the function, or of the coroutine function, is a step of its own."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is a generator: use `with` inside it instead")
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                step = self._again()
                quietly(step._called, function, args, kwargs)
                with step:
                    result = await function(*args, **kwargs)
                    quietly(step._returned, result)
                    return result

            return cast("Callable[P, R]", awaited)

        @wraps(function)
        def called(*args: P.args, **kwargs: P.kwargs) -> R:
            step = self._again()
            quietly(step._called, function, args, kwargs)
            with step:
                result = function(*args, **kwargs)
                quietly(step._returned, result)
                return result

        return called


def was_cancelled(error: BaseException | None) -> bool:
    """Whether the work was called off rather than failed."""
    return isinstance(error, CancelledError | KeyboardInterrupt | GeneratorExit)
