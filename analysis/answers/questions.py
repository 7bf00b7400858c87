"""What each of the six questions needs to know of an agent, and the one line of instrumentation that says it.

To ask for another fact, add a line here: the coverage page, `actorscope ask coverage` and `actorscope semconv lint`
show it. In a fix `{agent}`, `{tool}` and `{other}` stand for names of the agent concerned.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fact:
    """One thing to know. `of` names the spans that should say it (`coverage.SPANS`), `column` where it stands.

    `basis` is the column that tells how each span knows it; without one, or where a column `*_known` is empty, the rule
    that filled `column` (or one of `or_columns`) tells. `how` says what leads to the fact where no rule of a dialect does.
    """

    id: str
    name: str
    of: str
    column: str
    fix: str
    basis: str = ""
    or_columns: tuple[str, ...] = ()
    how: str = ""


@dataclass(frozen=True)
class Question:
    """One of the six questions."""

    id: str
    title: str
    facts: tuple[Fact, ...]


_ARGUMENTS = Fact(
    "arguments", "what it was called with", "actions", "arguments",
    'with semconv.act("{tool}", arguments=arguments): ...',
    or_columns=("input_digest",),
)  # fmt: skip
_TARGET = Fact(
    "target", "the thing it changes", "writes", "target",
    'with semconv.act("{tool}", resource=("order", order_id)): ...',
)  # fmt: skip

QUESTIONS = (
    Question(
        "identity",
        "Which identity is it using?",
        (
            Fact("agent", "which agent works", "steps", "agent_name", 'with semconv.agent("{agent}"): ...',
                 basis="actor_basis", how="name of the service or of the workflow"),
            Fact("version", "version of the agent", "runs", "agent_version",
                 'with semconv.agent("{agent}", version="1.4.2"): ...'),
            Fact("principal", "identity it authenticates as", "runs", "principal_id",
                 'with semconv.agent("{agent}", principal=semconv.Principal.from_spiffe("spiffe://example.org/agent/{agent}")): ...'),
            Fact("credential", "credential it shows", "actions", "credential_id",
                 'with semconv.agent("{agent}", principal=semconv.Principal.from_claims(claims)): ...',
                 or_columns=("credential_type",)),
        ),
    ),
    Question(
        "permissions",
        "Why does it need broader permissions?",
        (
            Fact("granted", "what it was granted", "actions", "grant",
                 'with semconv.delegate("{agent}", scope=["order:read", "mail:send"]): ...',
                 or_columns=("scope_authorized", "scope_granted")),
            Fact("used", "permission that each action uses", "actions", "scope_used",
                 'with semconv.act("{tool}", scope="mail:send"): ...'),
            Fact("side_effect", "whether actions read or write", "actions", "side_effect",
                 'with semconv.act("{tool}", side_effect="write"): ...', basis="side_effect_basis"),
            _TARGET,
        ),
    ),
    Question(
        "approval",
        "Who approved this action?",
        (
            Fact("approval", "approval or ruling for each write", "writes", "approval_id",
                 'with semconv.act("{tool}", approval_id=approval.id): ...',
                 or_columns=("authz_outcome", "approval_status"), basis="approval_known", how="the call stopped and was carried out later"),
            Fact("approver", "who approved", "approvals", "approver_type",
                 'approval.resolve("approved", approver_type="human", approver_id="user:19bd")',
                 or_columns=("approver_id",)),
        ),
    ),
    Question(
        "why_again",
        "Why did it run again?",
        (
            Fact("cause", "what was asked for", "runs", "cause_id",
                 'with semconv.execution("order-17", trigger="user"): ...',
                 basis="cause_known", or_columns=("request", "execution_id"), how="the request at the top of the trace"),
            Fact("execution", "logical run across retries", "runs", "execution_id",
                 'with semconv.execution("order-17", attempt=attempt): ...'),
            Fact("trigger", "what started the run", "runs", "trigger",
                 'with semconv.execution(trigger="schedule"): ...'),
            Fact("conversation", "conversation it belongs to", "runs", "conversation_id",
                 'with semconv.agent("{agent}", conversation_id=thread_id): ...'),
            Fact("idempotency", "key that makes writes repeatable", "writes", "idempotency_digest",
                 'with semconv.act("{tool}", idempotency_key=key): ...'),
            _ARGUMENTS,
        ),
    ),
    Question(
        "who_changed",
        "Which agent triggered this change?",
        (
            Fact("tool", "which tool was called", "actions", "tool_name", 'with semconv.act("send_mail"): ...'),
            _ARGUMENTS,
            _TARGET,
            Fact("delegations", "who handed work to whom", "delegations", "",
                 'with semconv.delegate("{other}", scope=["order:read"]): ...',
                 basis="basis", or_columns=("delegate_name", "delegator_id", "delegator_name"),
                 how="nested agent spans, hand-off tools, order of runs"),
        ),
    ),
    Question(
        "audit",
        "Can it be audited, revoked and governed?",
        (
            Fact("model", "which model answered", "calls", "model", 'span.set_attribute("gen_ai.response.model", model)'),
            Fact("tokens", "tokens of model calls", "calls", "input_tokens",
                 'span.set_attributes({"gen_ai.usage.input_tokens": n_in, "gen_ai.usage.output_tokens": n_out})',
                 or_columns=("output_tokens",)),
            Fact("cost", "what model calls cost", "calls", "cost_usd",
                 'span.set_attribute("actorscope.cost.amount", dollars)',
                 basis="cost_known", or_columns=("cost_amount",), how="tokens times the price list"),
            Fact("user", "who it works for", "asked_runs", "user_id",
                 'with semconv.execution(user_id="user:7f3a"): ...'),
            Fact("starts", "told of when it starts, so that hanging shows", "runs", "is_announced",
                 'semconv.setup("my-service")', how="event at the start of the span"),
            Fact("errors", "kind of each error", "errors", "error_type",
                 'span.set_attribute("error.type", type(error).__qualname__)'),
            Fact("budget", "what it may spend", "runs", "budget_limit",
                 'with semconv.budget(0.50, "currency"), semconv.agent("{agent}"): ...'),
        ),
    ),
)  # fmt: skip
"""In the order of the product: identity, permissions, approval, why again, who changed what, audit."""
