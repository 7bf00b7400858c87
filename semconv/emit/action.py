"""An action: a tool at work, with the permission it uses, the thing it touches and the key that keeps it from running twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, Self

from opentelemetry.context import get_current
from opentelemetry.trace import Span, SpanKind, get_current_span

from actorscope.semconv.emit import carried
from actorscope.semconv.emit.digest import digest, of_key
from actorscope.semconv.emit.names import (
    EXECUTE_TOOL,
    GEN_AI_OPERATION_NAME,
    GEN_AI_TOOL_CALL_ID,
    GEN_AI_TOOL_NAME,
    TOOL_MARKS,
    TOOL_NAMES,
)
from actorscope.semconv.emit.options import options
from actorscope.semconv.emit.step import Step, attributes_of
from actorscope.semconv.emit.values import Scope, new_id, scopes
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated.enums import ActionSideEffect


class Action(Step):
    """The work inside is one action with the tool.

    It is said on the present span when that is the call of this tool, else on a new span `execute_tool {tool}`.
    `resource` is a kind of thing, or a pair of kind and id. `arguments` are digested, never sent: a mapping, or the
    JSON text that the model sent. As a decorator it takes the arguments of the call, or those named by `digest_of`;
    the tool is then named after the function where no name is given.
    """

    def __init__(
        self,
        tool: str | None = None,
        *,
        scope: Scope = (),
        resource: str | tuple[str, str] | None = None,
        idempotency_key: str | Callable[..., str] | None = None,
        side_effect: ActionSideEffect | str | None = None,
        arguments: Any = None,
        digest_of: Iterable[str] | None = None,
        idempotent: bool | None = None,
        external: bool | None = None,
        approval_id: str | None = None,
        decision_id: str | None = None,
        call_id: str | None = None,
        attempt: int | None = None,
        id: str | None = None,
        new_span: bool | None = None,
    ) -> None:
        super().__init__()
        self.tool, self.id = tool, id or new_id("act")
        self._scope, self._arguments, self._key = scopes(scope), arguments, idempotency_key
        self._digest_of = None if digest_of is None else tuple(digest_of)
        self._new_span, self._side_effect, self._resource = new_span, side_effect, resource
        self._said: dict[str, object] = {
            a.ACTORSCOPE_ACTION_IDEMPOTENT: idempotent,
            a.ACTORSCOPE_ACTION_EXTERNAL: external,
            a.ACTORSCOPE_APPROVAL_ID: approval_id,
            a.ACTORSCOPE_DECISION_ID: decision_id,
            a.ACTORSCOPE_EXECUTION_ATTEMPT: attempt,
            GEN_AI_TOOL_CALL_ID: call_id,
        }

    def _again(self) -> Self:
        fresh = super()._again()
        fresh.id = new_id("act")
        return fresh

    def _called(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.tool = self.tool or function.__name__
        given = inspect.signature(function).bind(*args, **kwargs).arguments
        if callable(self._key):
            self._key = self._key(*args, **kwargs)
        if self._arguments is None:
            names = (
                [name for name in given if name not in ("self", "cls")] if self._digest_of is None else self._digest_of
            )
            self._arguments = {name: given[name] for name in names if name in given}

    def _begin(self) -> None:
        context = get_current()
        present, key = get_current_span(context), options.digest_key
        me = carried.actor(context)
        kind, identifier = self._resource if isinstance(self._resource, tuple) else (self._resource, None)
        pairs: dict[str, object] = {
            **self._said,
            a.ACTORSCOPE_ACTION_ID: self.id,
            a.ACTORSCOPE_ACTION_SIDE_EFFECT: self._side_effect,
            a.ACTORSCOPE_ACTION_TARGET_TYPE: kind,
            a.ACTORSCOPE_ACTION_TARGET_ID: identifier,
            a.ACTORSCOPE_AUTHZ_SCOPE_USED: self._scope,
            a.ACTORSCOPE_ACTION_INPUT_DIGEST: None if self._arguments is None else digest(self._arguments, key=key),
            a.ACTORSCOPE_ACTION_IDEMPOTENCY_DIGEST: of_key(self._key, key=key) if isinstance(self._key, str) else None,
            **(me.principal.credential_attributes() if me and me.principal else {}),
        }
        if self._new_span is False or (self._new_span is None and self._is_call(present)):
            self._add_to(present, pairs)
        else:
            tool = self.tool or "tool"
            named = {GEN_AI_OPERATION_NAME: EXECUTE_TOOL, GEN_AI_TOOL_NAME: tool}
            self._start(f"{EXECUTE_TOOL} {tool}", SpanKind.INTERNAL, {**named, **pairs})
        self._attach(context)

    def _is_call(self, span: Span) -> bool:
        """Whether the span is the call of this tool and carries no other action."""
        found = attributes_of(span)
        if not span.is_recording() or a.ACTORSCOPE_ACTION_ID in found:
            return False
        if not any(found.get(key) == value for key, value in TOOL_MARKS):
            return False
        name = next((found[key] for key in TOOL_NAMES if key in found), None)
        return name is None or self.tool is None or name == self.tool

    def replayed(self) -> None:
        """The result came from a journal or a cache; the effect did not happen again."""
        self._set({a.ACTORSCOPE_ACTION_REPLAYED: True})


act = Action
