"""Approvals: a run stands still until somebody says yes or no."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any, Self

from opentelemetry.context import get_current
from opentelemetry.trace import SpanKind

from actorscope.semconv.emit.digest import digest
from actorscope.semconv.emit.event import emit
from actorscope.semconv.emit.names import GEN_AI_TOOL_CALL_ID, GEN_AI_TOOL_NAME
from actorscope.semconv.emit.options import options
from actorscope.semconv.emit.step import Step
from actorscope.semconv.emit.values import Instant, instant, new_id
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated import events
from actorscope.semconv.generated.enums import (
    ApprovalApproverType,
    ApprovalGrant,
    ApprovalStatus,
    OperationName,
    WaitTargetType,
)


class Approval(Step):
    """Around the wait for an answer: a span `await_approval {tool}`, an event when it is asked, one when it is resolved.

    `arguments` are exactly what the approver is shown; their digest can be compared with that of the action. A
    decorated function answers by what it returns: True, False, or one of the statuses. Where the answer comes to
    another process, leave without `resolve` here and call `resolve_approval` there.
    """

    def __init__(
        self,
        tool: str | None = None,
        *,
        arguments: Any = None,
        grant: ApprovalGrant | str | None = None,
        expires_at: Instant | None = None,
        action_id: str | None = None,
        call_id: str | None = None,
        approver_type: ApprovalApproverType | str | None = None,
        id: str | None = None,
    ) -> None:
        super().__init__()
        self.tool, self.id = tool, id or new_id("apr")
        self.status: ApprovalStatus | str = ApprovalStatus.PENDING
        self._arguments, self._expires_at, self._approver_type = arguments, expires_at, approver_type
        self._said: dict[str, object] = {
            a.ACTORSCOPE_APPROVAL_GRANT: grant,
            a.ACTORSCOPE_ACTION_ID: action_id,
            GEN_AI_TOOL_NAME: tool,
            GEN_AI_TOOL_CALL_ID: call_id,
        }

    def _again(self) -> Self:
        fresh = super()._again()
        fresh.id, fresh.status, fresh._said = new_id("apr"), ApprovalStatus.PENDING, dict(self._said)
        return fresh

    def _begin(self) -> None:
        shown = None if self._arguments is None else digest(self._arguments, key=options.digest_key)
        self._said[a.ACTORSCOPE_APPROVAL_ACTION_DIGEST] = shown
        self._said[a.ACTORSCOPE_APPROVAL_EXPIRES_AT] = instant(self._expires_at)
        said = {a.ACTORSCOPE_APPROVAL_ID: self.id, a.ACTORSCOPE_APPROVAL_STATUS: self.status, **self._said}
        waits: dict[str, object] = {
            a.ACTORSCOPE_OPERATION_NAME: OperationName.AWAIT_APPROVAL,
            a.ACTORSCOPE_WAIT_TARGET_TYPE: WaitTargetType.APPROVAL,
            a.ACTORSCOPE_WAIT_TARGET_ID: self.id,
        }
        name = f"{OperationName.AWAIT_APPROVAL} {self.tool}" if self.tool else str(OperationName.AWAIT_APPROVAL)
        self._start(name, SpanKind.INTERNAL, {**waits, **said})
        self._attach(get_current())
        emit(events.ACTORSCOPE_APPROVAL_REQUEST, said)

    def resolve(
        self,
        status: ApprovalStatus | str,
        approver_type: ApprovalApproverType | str | None = None,
        approver_id: str | None = None,
        *,
        grant: ApprovalGrant | str | None = None,
    ) -> None:
        """The answer. Only the first one counts. `approver_id` names a person: give a pseudonym, or leave it out."""
        if self.status != ApprovalStatus.PENDING:
            return
        self.status = status
        answer: dict[str, object] = {
            a.ACTORSCOPE_APPROVAL_STATUS: status,
            a.ACTORSCOPE_APPROVAL_APPROVER_TYPE: approver_type or self._approver_type,
            a.ACTORSCOPE_APPROVAL_APPROVER_ID: approver_id,
        }
        if grant is not None:
            answer[a.ACTORSCOPE_APPROVAL_GRANT] = grant
        self._set(answer)
        resolve_approval(self.id, status, said={**self._said, **answer})

    @property
    def is_approved(self) -> bool:
        """Whether the action may run, as shown or with the approver's changes."""
        return self.status in (ApprovalStatus.APPROVED, ApprovalStatus.MODIFIED)

    def _returned(self, result: Any) -> None:
        if isinstance(result, bool):
            self.resolve(ApprovalStatus.APPROVED if result else ApprovalStatus.REJECTED)
        elif isinstance(result, str) and result in set(ApprovalStatus) - {ApprovalStatus.PENDING}:
            self.resolve(result)

    def _end(self, error: BaseException | None) -> None:
        """An answer that will never come is a resolution too; other exceptions leave the request open (an interrupt)."""
        if isinstance(error, TimeoutError):
            self.resolve(ApprovalStatus.EXPIRED)
        elif isinstance(error, CancelledError | KeyboardInterrupt):
            self.resolve(ApprovalStatus.CANCELLED)

    def _close(self, error: BaseException | None) -> None:
        # A request that is still open is no failure: LangGraph leaves the wait by raising its interrupt.
        super()._close(error if self.status in (ApprovalStatus.EXPIRED, ApprovalStatus.CANCELLED) else None)


approve = Approval


def resolve_approval(
    id: str,
    status: ApprovalStatus | str,
    approver_type: ApprovalApproverType | str | None = None,
    approver_id: str | None = None,
    *,
    said: dict[str, object] | None = None,
) -> None:
    """The answer to a request that was made elsewhere. `said` are further attributes of the event."""
    who: dict[str, object] = {
        a.ACTORSCOPE_APPROVAL_APPROVER_TYPE: approver_type,
        a.ACTORSCOPE_APPROVAL_APPROVER_ID: approver_id,
    }
    told = {key: value for key, value in who.items() if value is not None}
    answer: dict[str, object] = {a.ACTORSCOPE_APPROVAL_ID: id, a.ACTORSCOPE_APPROVAL_STATUS: status}
    emit(events.ACTORSCOPE_APPROVAL_RESOLUTION, {**(said or {}), **answer, **told})
