"""Decisions: what an agent chose and why, and what a policy said about an action."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from opentelemetry.context import get_current
from opentelemetry.trace import get_current_span

from actorscope.semconv.emit import carried
from actorscope.semconv.emit.digest import digest
from actorscope.semconv.emit.event import emit, quietly
from actorscope.semconv.emit.names import GEN_AI_AGENT_NAME, GEN_AI_TOOL_CALL_ID, GEN_AI_TOOL_NAME, TOOL_MARKS
from actorscope.semconv.emit.options import options
from actorscope.semconv.emit.step import Step, attributes_of
from actorscope.semconv.emit.values import Scope, given, new_id, scopes
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated import events
from actorscope.semconv.generated.enums import AuthzMode, AuthzOutcome, DecisionKind, DecisionSource


class Decision(Step):
    """Something was decided: at once when `chosen` is given, else by the block (`choose`) or by what a function returns.

    Give its `id` to the act or the delegation that follows. `rationale` is content: it is recorded only after
    `setup(capture_content=True)`.
    """

    def __init__(
        self,
        kind: DecisionKind | str,
        chosen: str | None = None,
        *,
        alternatives: Iterable[str] = (),
        source: DecisionSource | str | None = None,
        confidence: float | None = None,
        rationale: str | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__()
        self.id, self.chosen = id or new_id("dec"), chosen
        self._said: dict[str, object] = {
            a.ACTORSCOPE_DECISION_KIND: kind,
            a.ACTORSCOPE_DECISION_SOURCE: source,
            a.ACTORSCOPE_DECISION_ALTERNATIVES: tuple(alternatives),
            a.ACTORSCOPE_DECISION_CONFIDENCE: confidence,
            a.ACTORSCOPE_DECISION_RATIONALE: rationale,
        }
        if chosen is not None:
            self._tell()

    def _again(self) -> Self:
        fresh = super()._again()
        fresh.id, fresh.chosen = new_id("dec"), None
        return fresh

    def _begin(self) -> None:
        pass

    def choose(self, chosen: str) -> None:
        """What was chosen; the first choice counts."""
        if self.chosen is None:
            self.chosen = chosen
            self._tell()

    def _returned(self, result: Any) -> None:
        if result is not None:
            self.choose(str(result))

    def _tell(self) -> None:
        quietly(self._tell_all)

    def _tell_all(self) -> None:
        me = carried.actor()
        said = dict(self._said)
        if not options.capture_content:
            said[a.ACTORSCOPE_DECISION_RATIONALE] = None
        named: dict[str, object] = {
            a.ACTORSCOPE_DECISION_ID: self.id,
            a.ACTORSCOPE_DECISION_CHOSEN: self.chosen,
            GEN_AI_AGENT_NAME: me.name if me else None,
        }
        emit(events.ACTORSCOPE_DECISION, {**named, **said})


decide = Decision


def authorize(
    outcome: AuthzOutcome | str,
    tool: str | None = None,
    *,
    action: str | None = None,
    requested: Scope = (),
    granted: Scope = (),
    used: Scope = (),
    resource: str | tuple[str, str] | None = None,
    reason: str | None = None,
    mode: AuthzMode | str | None = None,
    policy_id: str | None = None,
    policy_version: str | None = None,
    policy_engine: str | None = None,
    decision_id: str | None = None,
    approval_id: str | None = None,
    arguments: Any = None,
    call_id: str | None = None,
) -> None:
    """A policy decided about an action. Call it on a refusal too, where no span of the action will ever exist.

    Within the span of the action it is said there as well.
    """
    kind, identifier = resource if isinstance(resource, tuple) else (resource, None)
    quietly(
        _authorize,
        {
            a.ACTORSCOPE_AUTHZ_OUTCOME: outcome,
            a.ACTORSCOPE_AUTHZ_ACTION: action,
            a.ACTORSCOPE_AUTHZ_SCOPE_REQUESTED: scopes(requested),
            a.ACTORSCOPE_AUTHZ_SCOPE_GRANTED: scopes(granted),
            a.ACTORSCOPE_AUTHZ_SCOPE_USED: scopes(used),
            a.ACTORSCOPE_AUTHZ_RESOURCE_TYPE: kind,
            a.ACTORSCOPE_AUTHZ_RESOURCE_ID: identifier,
            a.ACTORSCOPE_AUTHZ_REASON: reason,
            a.ACTORSCOPE_AUTHZ_MODE: mode,
            a.ACTORSCOPE_AUTHZ_POLICY_ID: policy_id,
            a.ACTORSCOPE_AUTHZ_POLICY_VERSION: policy_version,
            a.ACTORSCOPE_AUTHZ_POLICY_ENGINE: policy_engine,
            a.ACTORSCOPE_AUTHZ_DECISION_ID: decision_id,
            a.ACTORSCOPE_APPROVAL_ID: approval_id,
        },
        {
            GEN_AI_TOOL_NAME: tool,
            GEN_AI_TOOL_CALL_ID: call_id,
            a.ACTORSCOPE_ACTION_INPUT_DIGEST: None if arguments is None else digest(arguments, key=options.digest_key),
        },
    )


def _authorize(ruling: dict[str, object], about: dict[str, object]) -> None:
    context = get_current()
    span, me = get_current_span(context), carried.actor(context)
    if any(attributes_of(span).get(key) == value for key, value in TOOL_MARKS):
        span.set_attributes(given(ruling))
    if me and me.principal:
        about = {a.ACTORSCOPE_AGENT_PRINCIPAL_ID: me.principal.id, **me.principal.credential_attributes(), **about}
    emit(events.ACTORSCOPE_AUTHZ_DECISION, {**ruling, **about}, context)
