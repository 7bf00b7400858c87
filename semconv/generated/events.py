"""The names of all events of the convention.

DO NOT EDIT: made from semconv/registry by `actorscope semconv generate`.
"""

from __future__ import annotations

from typing import Final

#: Somebody was asked to approve an action.
ACTORSCOPE_APPROVAL_REQUEST: Final = "actorscope.approval.request"

#: A request for approval was answered, ran out or was withdrawn.
ACTORSCOPE_APPROVAL_RESOLUTION: Final = "actorscope.approval.resolution"

#: A policy decided about an action, whether or not the action ran.
ACTORSCOPE_AUTHZ_DECISION: Final = "actorscope.authz.decision"

#: A grant or a credential was taken back before its end.
ACTORSCOPE_AUTHZ_REVOCATION: Final = "actorscope.authz.revocation"

#: Spending crossed a threshold of a budget.
ACTORSCOPE_BUDGET_CHECK: Final = "actorscope.budget.check"

#: Something was decided.
ACTORSCOPE_DECISION: Final = "actorscope.decision"

#: A span is still open.
ACTORSCOPE_SPAN_HEARTBEAT: Final = "actorscope.span.heartbeat"

#: A span has started and has not ended yet.
ACTORSCOPE_SPAN_START: Final = "actorscope.span.start"

#: A step went on.
ACTORSCOPE_WAIT_END: Final = "actorscope.wait.end"

#: A step began to stand still.
ACTORSCOPE_WAIT_START: Final = "actorscope.wait.start"
