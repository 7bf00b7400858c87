"""Handing work over: who gets it, with which permissions, under which act of delegation."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from opentelemetry.context import get_current
from opentelemetry.trace import Span, SpanKind, get_current_span

from actorscope.semconv.emit import carried
from actorscope.semconv.emit.names import GEN_AI_AGENT_NAME, GEN_AI_OPERATION_NAME, INVOKE_AGENT, TOOL_MARKS
from actorscope.semconv.emit.step import Step, attributes_of, was_cancelled
from actorscope.semconv.emit.values import Instant, Scope, given, instant, new_id, scopes
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated.enums import DelegationDelegateType, DelegationMode, DelegationStatus, OperationName


class Delegation(Step):
    """The work inside is done by somebody else, or is what sends it to them.

    It is said on the present span when that is the tool call or the remote invocation which hands the work over, else
    on a new span `delegate {to}`; `new_span` decides otherwise. All that starts inside, here or wherever baggage
    arrives, carries the id, the depth, the originator and the chain of this delegation.
    """

    def __init__(
        self,
        to: str,
        *,
        to_id: str | None = None,
        to_type: DelegationDelegateType | str = DelegationDelegateType.AGENT,
        scope: Scope = (),
        mode: DelegationMode | str = DelegationMode.RETURN_TO_CALLER,
        task_id: str | None = None,
        expires_at: Instant | None = None,
        purpose: str | None = None,
        max_depth: int | None = None,
        decision_id: str | None = None,
        id: str | None = None,
        new_span: bool | None = None,
    ) -> None:
        super().__init__()
        self.to, self.mode = to, mode
        self.id = id or new_id("dlg")
        self._to_id, self._to_type, self._scope = to_id, to_type, scopes(scope)
        self._task_id, self._expires_at, self._purpose = task_id, expires_at, purpose
        self._max_depth, self._decision_id, self._new_span = max_depth, decision_id, new_span
        self._status: DelegationStatus | str | None = None

    def _again(self) -> Self:
        fresh = super()._again()
        fresh.id, fresh._status = new_id("dlg"), None
        return fresh

    def _begin(self) -> None:
        context = get_current()
        before, me = carried.read(context), carried.actor(context)
        chain = _so_far(before, me)
        after = replace(
            before,
            delegation_id=self.id,
            depth=(len(chain) - 1 if chain else before.depth or 0) + 1,
            root_id=before.root_id or (chain[0] if chain else None),
            task_id=self._task_id or before.task_id,
            chain=(*chain, self._to_id or self.to) if chain else (),
        )
        pairs: dict[str, object] = {
            **after.attributes(),
            a.ACTORSCOPE_OPERATION_NAME: OperationName.DELEGATE,
            a.ACTORSCOPE_DELEGATION_MODE: self.mode,
            a.ACTORSCOPE_DELEGATION_PARENT_ID: before.delegation_id,
            a.ACTORSCOPE_DELEGATION_DELEGATE_ID: self._to_id,
            a.ACTORSCOPE_DELEGATION_DELEGATE_NAME: self.to,
            a.ACTORSCOPE_DELEGATION_DELEGATE_TYPE: self._to_type,
            a.ACTORSCOPE_DELEGATION_SCOPE_GRANTED: self._scope,
            a.ACTORSCOPE_DELEGATION_EXPIRES_AT: instant(self._expires_at),
            a.ACTORSCOPE_DELEGATION_PURPOSE: self._purpose,
            a.ACTORSCOPE_DELEGATION_MAX_DEPTH: self._max_depth,
            a.ACTORSCOPE_DECISION_ID: self._decision_id,
        }
        present = get_current_span(context)
        if self._new_span is False or (self._new_span is None and _hands_over(present)):
            self._add_to(present, pairs)
        else:
            kind = SpanKind.PRODUCER if self.mode == DelegationMode.DETACHED else SpanKind.INTERNAL
            self._start(f"delegate {self.to}", kind, {**pairs, GEN_AI_AGENT_NAME: me.name if me else None})
        handed = carried.Handed(self.id, self.mode, before.delegation_id, bool(self._scope))
        self._attach(carried.with_handed(handed, carried.write(after, context)))

    def finish(self, status: DelegationStatus | str) -> None:
        """How the delegation ended, where returning or raising does not tell."""
        self._status = status

    def _end(self, error: BaseException | None) -> None:
        status = self._status
        if status is None and was_cancelled(error):
            status = DelegationStatus.CANCELLED
        elif status is None and error is not None:
            status = DelegationStatus.FAILED
        elif status is None and self.mode != DelegationMode.DETACHED:
            status = DelegationStatus.COMPLETED
        self.span.set_attributes(given({a.ACTORSCOPE_DELEGATION_STATUS: status}))


delegate = Delegation


def _so_far(before: carried.Carried, me: carried.Actor | None) -> tuple[str, ...]:
    """Everybody from the originator to the present actor; nobody where one of them is not known."""
    if me:
        return me.chain
    return before.chain if len(before.chain) == (before.depth or 0) + 1 else ()


def _hands_over(span: Span) -> bool:
    """Whether the span is itself the call that hands work over, and not yet taken by another delegation."""
    found = attributes_of(span)
    if not span.is_recording() or a.ACTORSCOPE_DELEGATION_DELEGATE_NAME in found:
        return False
    is_remote = found.get(GEN_AI_OPERATION_NAME) == INVOKE_AGENT and getattr(span, "kind", None) == SpanKind.CLIENT
    return is_remote or any(found.get(key) == value for key, value in TOOL_MARKS)
