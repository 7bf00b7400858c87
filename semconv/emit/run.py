"""Runs: an agent at work under its identity, and the logical execution that survives retries and changes of process."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Span, SpanKind, get_current_span

from actorscope.semconv.emit import carried, names
from actorscope.semconv.emit.identity import Principal
from actorscope.semconv.emit.step import Step, attributes_of, was_cancelled
from actorscope.semconv.emit.values import Instant, given, instant, new_id
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated.enums import (
    AgentKind,
    AgentOwnerType,
    DelegationDelegatorType,
    ExecutionFinishReason,
    ExecutionTrigger,
)


class Run(Step):
    """The agent works inside, as `principal` when it has an identity of its own.

    It is said on the present span when that is the framework's span of this agent, else on a new span
    `invoke_agent {name}`. `on_behalf_of` is a pseudonym of the person who asked; it begins the chain of delegation
    unless the token of the principal or baggage already tells who did.
    """

    def __init__(
        self,
        name: str,
        *,
        principal: Principal | None = None,
        id: str | None = None,
        version: str | None = None,
        kind: AgentKind | str | None = None,
        instance_id: str | None = None,
        blueprint_id: str | None = None,
        owner_id: str | None = None,
        owner_type: AgentOwnerType | str | None = None,
        on_behalf_of: str | None = None,
        delegator_id: str | None = None,
        delegator_type: DelegationDelegatorType | str | None = None,
        task_kind: str | None = None,
        conversation_id: str | None = None,
        new_span: bool | None = None,
    ) -> None:
        super().__init__()
        self.name, self.id, self.principal = name, id or "", principal
        self._on_behalf_of, self._delegator_id, self._new_span = on_behalf_of, delegator_id, new_span
        self._reason: ExecutionFinishReason | str | None = None
        self._said: dict[str, object] = {
            names.GEN_AI_AGENT_ID: id,
            names.GEN_AI_AGENT_VERSION: version,
            names.GEN_AI_CONVERSATION_ID: conversation_id,
            a.ACTORSCOPE_AGENT_KIND: kind,
            a.ACTORSCOPE_AGENT_INSTANCE_ID: instance_id,
            a.ACTORSCOPE_AGENT_BLUEPRINT_ID: blueprint_id,
            a.ACTORSCOPE_AGENT_OWNER_ID: owner_id,
            a.ACTORSCOPE_AGENT_OWNER_TYPE: owner_type,
            a.ACTORSCOPE_DELEGATION_DELEGATOR_TYPE: delegator_type,
            a.ACTORSCOPE_TASK_KIND: task_kind,
        }

    def _again(self) -> Self:
        fresh = super()._again()
        fresh._reason = None
        return fresh

    def _begin(self) -> None:
        context = get_current()
        outer = carried.actor(context)
        if self.principal is None and outer is not None and outer.name == self.name:
            self.principal = outer.principal  # the same agent, said again
        before, me = carried.read(context), self._actor(context)
        principal, after = self.principal, before
        if len(me.chain) > 1:
            after = replace(before, chain=me.chain, depth=len(me.chain) - 1, root_id=me.chain[0])
        if principal and principal.task_id:
            after = replace(after, task_id=principal.task_id)
        # A grant that the delegator stated is nearer than the one in a token, which is often wider.
        handed, is_delegate = carried.handed(context), carried.actor(context) is None
        has_grant = bool(principal and len(principal.chain) > 1 and not handed.has_scope)
        pairs: dict[str, object] = {
            names.GEN_AI_OPERATION_NAME: names.INVOKE_AGENT,
            names.GEN_AI_AGENT_NAME: self.name,
            **after.attributes(),
            a.ACTORSCOPE_DELEGATION_MODE: handed.mode if is_delegate else None,
            a.ACTORSCOPE_DELEGATION_PARENT_ID: handed.parent_id if is_delegate else None,
            **(principal.attributes() if principal else {}),
            a.ACTORSCOPE_DELEGATION_DELEGATOR_ID: self._delegator_id or _delegator(principal),
            a.ACTORSCOPE_DELEGATION_SCOPE_GRANTED: principal.scopes if principal and has_grant else (),
            a.ACTORSCOPE_DELEGATION_PURPOSE: principal.purpose if principal else None,
            **{key: value for key, value in self._said.items() if value is not None},
        }
        present = get_current_span(context)
        if self._new_span is False or (self._new_span is None and self._is_ours(present)):
            self._add_to(present, pairs)
        else:
            self._start(f"{names.INVOKE_AGENT} {self.name}", SpanKind.INTERNAL, pairs)
        self._attach(carried.with_actor(me, context if after == before else carried.write(after, context)))

    def _actor(self, context: Context) -> carried.Actor:
        before, outer = carried.read(context), carried.actor(context)
        key = (self.principal.id if self.principal else "") or self.id or self.name
        if self.principal and len(self.principal.chain) > 1:
            chain = self.principal.chain
        elif before.delegation_id and outer is None:
            # The last of the chain is this agent, under the name that the delegator knows.
            whole = len(before.chain) == (before.depth or 0) + 1
            chain = (*before.chain[:-1], key) if whole else ()
        elif outer:  # an agent inside an agent that nobody called a delegation
            chain = outer.chain if outer.key == key or not outer.chain else (*outer.chain, key)
        else:
            chain = (self._on_behalf_of, key) if self._on_behalf_of else (key,)
        return carried.Actor(self.name, key, chain, before.delegation_id, self.principal)

    def _is_ours(self, span: Span) -> bool:
        found = attributes_of(span)
        return (
            span.is_recording()
            and found.get(names.GEN_AI_OPERATION_NAME) == names.INVOKE_AGENT
            and found.get(names.GEN_AI_AGENT_NAME) == self.name
        )

    def finish(self, reason: ExecutionFinishReason | str) -> None:
        """Why the run ended, where returning or raising does not tell: `max_iterations`, `budget`, `guardrail`, ..."""
        self._reason = reason

    def _end(self, error: BaseException | None) -> None:
        reason = self._reason
        if reason is None and self._owns_span:
            failed = ExecutionFinishReason.CANCELLED if was_cancelled(error) else ExecutionFinishReason.ERROR
            reason = failed if error is not None else ExecutionFinishReason.COMPLETED
        self.span.set_attributes(given({a.ACTORSCOPE_EXECUTION_FINISH_REASON: reason}))


def _delegator(principal: Principal | None) -> str | None:
    """Who stands before the present actor in the chain of a token; chains from baggage are no proof of it."""
    return principal.chain[-2] if principal and len(principal.chain) > 1 else None


class Execution(Step):
    """All inside belongs to one logical run: give the same `id` again on a retry, a resume, or in another process.

    It has no span. The id travels in baggage; the rest is said on the spans that start directly inside.
    """

    def __init__(
        self,
        id: str | None = None,
        *,
        trigger: ExecutionTrigger | str | None = None,
        attempt: int | None = None,
        max_attempts: int | None = None,
        original_id: str | None = None,
        cause: str | None = None,
        deadline: Instant | None = None,
        task_kind: str | None = None,
        user_id: str | None = None,
    ) -> None:
        super().__init__()
        self.id = id or new_id("run")
        self._given_id = id
        self._deadline = deadline
        self._said: dict[str, object] = {
            a.ACTORSCOPE_EXECUTION_TRIGGER: trigger,
            a.ACTORSCOPE_EXECUTION_ATTEMPT: attempt,
            a.ACTORSCOPE_EXECUTION_MAX_ATTEMPTS: max_attempts,
            a.ACTORSCOPE_EXECUTION_ORIGINAL_ID: original_id,
            a.ACTORSCOPE_EXECUTION_CAUSE: cause,
            a.ACTORSCOPE_TASK_KIND: task_kind,
            names.USER_ID: user_id,
        }

    def _again(self) -> Self:
        fresh = super()._again()
        fresh.id = self._given_id or new_id("run")
        return fresh

    def _begin(self) -> None:
        context = get_current()
        context = carried.write(replace(carried.read(context), execution_id=self.id), context)
        stated = given({**self._said, a.ACTORSCOPE_EXECUTION_DEADLINE: instant(self._deadline)})
        self._attach(carried.stating(stated, context))


agent = Run
execution = Execution
