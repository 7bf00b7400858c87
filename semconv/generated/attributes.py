"""The keys of all attributes of the convention, and named sets of them.

DO NOT EDIT: made from semconv/registry by `actorscope semconv generate`.
"""

from __future__ import annotations

from typing import Final

SCHEMA_URL: Final = "https://actorscope.example/schemas/actorscope/0.1.0"

#: Whether it reaches systems that nobody here controls.
ACTORSCOPE_ACTION_EXTERNAL: Final = "actorscope.action.external"

#: Identifier of the intended action; each attempt at it carries the same one.
ACTORSCOPE_ACTION_ID: Final = "actorscope.action.id"

#: Digest of the idempotency key that was sent; never the key.
ACTORSCOPE_ACTION_IDEMPOTENCY_DIGEST: Final = "actorscope.action.idempotency.digest"

#: Whether doing it twice has the effect of doing it once.
ACTORSCOPE_ACTION_IDEMPOTENT: Final = "actorscope.action.idempotent"

#: Digest of the arguments in their canonical form.
ACTORSCOPE_ACTION_INPUT_DIGEST: Final = "actorscope.action.input.digest"

#: Whether the result came from a journal or a cache, so that the effect did not happen again.
ACTORSCOPE_ACTION_REPLAYED: Final = "actorscope.action.replayed"

#: What the action can change.
ACTORSCOPE_ACTION_SIDE_EFFECT: Final = "actorscope.action.side_effect"

#: Which thing the action changes or reads.
ACTORSCOPE_ACTION_TARGET_ID: Final = "actorscope.action.target.id"

#: Kind of thing that the action changes or reads.
ACTORSCOPE_ACTION_TARGET_TYPE: Final = "actorscope.action.target.type"

#: Fingerprints of what the arguments say the action acts on, for telemetry without content.
ACTORSCOPE_ACTION_TARGETS: Final = "actorscope.action.targets"

#: Template from which the agent was made, or the digest of its definition.
ACTORSCOPE_AGENT_BLUEPRINT_ID: Final = "actorscope.agent.blueprint.id"

#: Identifier of the running instance of the agent.
ACTORSCOPE_AGENT_INSTANCE_ID: Final = "actorscope.agent.instance.id"

#: How the agent comes to work.
ACTORSCOPE_AGENT_KIND: Final = "actorscope.agent.kind"

#: Who answers for the agent.
ACTORSCOPE_AGENT_OWNER_ID: Final = "actorscope.agent.owner.id"

#: Kind of owner given in `actorscope.agent.owner.id`.
ACTORSCOPE_AGENT_OWNER_TYPE: Final = "actorscope.agent.owner.type"

#: Identity with which the agent proves itself to others.
ACTORSCOPE_AGENT_PRINCIPAL_ID: Final = "actorscope.agent.principal.id"

#: Authority that vouches for the identity.
ACTORSCOPE_AGENT_PRINCIPAL_ISSUER: Final = "actorscope.agent.principal.issuer"

#: Kind of identity given in `actorscope.agent.principal.id`.
ACTORSCOPE_AGENT_PRINCIPAL_TYPE: Final = "actorscope.agent.principal.type"

#: Digest of exactly what the approver was shown.
ACTORSCOPE_APPROVAL_ACTION_DIGEST: Final = "actorscope.approval.action.digest"

#: Who answered the request.
ACTORSCOPE_APPROVAL_APPROVER_ID: Final = "actorscope.approval.approver.id"

#: Kind of approver.
ACTORSCOPE_APPROVAL_APPROVER_TYPE: Final = "actorscope.approval.approver.type"

#: Moment after which the approval no longer covers the action, as RFC 3339.
ACTORSCOPE_APPROVAL_EXPIRES_AT: Final = "actorscope.approval.expires_at"

#: How long the approval lasts.
ACTORSCOPE_APPROVAL_GRANT: Final = "actorscope.approval.grant"

#: Identifier of one request for approval.
ACTORSCOPE_APPROVAL_ID: Final = "actorscope.approval.id"

#: Where the request stands.
ACTORSCOPE_APPROVAL_STATUS: Final = "actorscope.approval.status"

#: Name of the action as the policy knows it.
ACTORSCOPE_AUTHZ_ACTION: Final = "actorscope.authz.action"

#: Identifier under which the decision point logged the decision.
ACTORSCOPE_AUTHZ_DECISION_ID: Final = "actorscope.authz.decision.id"

#: Whether the outcome had consequences.
ACTORSCOPE_AUTHZ_MODE: Final = "actorscope.authz.mode"

#: What the policy decided about the action.
ACTORSCOPE_AUTHZ_OUTCOME: Final = "actorscope.authz.outcome"

#: Program that evaluated the policy.
ACTORSCOPE_AUTHZ_POLICY_ENGINE: Final = "actorscope.authz.policy.engine"

#: Policy that settled the matter.
ACTORSCOPE_AUTHZ_POLICY_ID: Final = "actorscope.authz.policy.id"

#: Revision of that policy.
ACTORSCOPE_AUTHZ_POLICY_VERSION: Final = "actorscope.authz.policy.version"

#: Why it was decided so, as a code with few distinct values.
ACTORSCOPE_AUTHZ_REASON: Final = "actorscope.authz.reason"

#: Which thing the action is about.
ACTORSCOPE_AUTHZ_RESOURCE_ID: Final = "actorscope.authz.resource.id"

#: Kind of thing that the action is about.
ACTORSCOPE_AUTHZ_RESOURCE_TYPE: Final = "actorscope.authz.resource.type"

#: Permissions that the decision or the credential gives.
ACTORSCOPE_AUTHZ_SCOPE_GRANTED: Final = "actorscope.authz.scope.granted"

#: Permissions that were asked for.
ACTORSCOPE_AUTHZ_SCOPE_REQUESTED: Final = "actorscope.authz.scope.requested"

#: Permissions that the action really made use of.
ACTORSCOPE_AUTHZ_SCOPE_USED: Final = "actorscope.authz.scope.used"

#: What was spent by the time of the record, in `actorscope.budget.unit`.
ACTORSCOPE_BUDGET_CONSUMED: Final = "actorscope.budget.consumed"

#: Budget that the step counts against.
ACTORSCOPE_BUDGET_ID: Final = "actorscope.budget.id"

#: Most that may be spent, in `actorscope.budget.unit`.
ACTORSCOPE_BUDGET_LIMIT: Final = "actorscope.budget.limit"

#: What the check of the budget led to.
ACTORSCOPE_BUDGET_OUTCOME: Final = "actorscope.budget.outcome"

#: Whose spending the budget limits.
ACTORSCOPE_BUDGET_SCOPE: Final = "actorscope.budget.scope"

#: In what the budget is counted.
ACTORSCOPE_BUDGET_UNIT: Final = "actorscope.budget.unit"

#: Fingerprints of the addresses, accounts, links and numbers that a request or a result names, for telemetry
#: without content.
ACTORSCOPE_CONTENT_MENTIONS: Final = "actorscope.content.mentions"

#: What this step cost, without the steps below it.
ACTORSCOPE_COST_AMOUNT: Final = "actorscope.cost.amount"

#: What the amount covers; absent means `self`.
ACTORSCOPE_COST_BASIS: Final = "actorscope.cost.basis"

#: Currency of the amount, as ISO 4217.
ACTORSCOPE_COST_CURRENCY: Final = "actorscope.cost.currency"

#: What kind of work the money went into.
ACTORSCOPE_COST_PHASE: Final = "actorscope.cost.phase"

#: Who worked the amount out.
ACTORSCOPE_COST_SOURCE: Final = "actorscope.cost.source"

#: Moment after which the credential is void, as RFC 3339.
ACTORSCOPE_CREDENTIAL_EXPIRES_AT: Final = "actorscope.credential.expires_at"

#: Identifier or digest of the credential that was used; never the credential itself.
ACTORSCOPE_CREDENTIAL_ID: Final = "actorscope.credential.id"

#: Moment of issue, as RFC 3339.
ACTORSCOPE_CREDENTIAL_ISSUED_AT: Final = "actorscope.credential.issued_at"

#: Who issued the credential.
ACTORSCOPE_CREDENTIAL_ISSUER: Final = "actorscope.credential.issuer"

#: Whether a stolen copy is useless without a key, as with DPoP, mutual TLS or a WIMSE proof token.
ACTORSCOPE_CREDENTIAL_SENDER_CONSTRAINED: Final = "actorscope.credential.sender_constrained"

#: Kind of credential.
ACTORSCOPE_CREDENTIAL_TYPE: Final = "actorscope.credential.type"

#: What else could have been chosen.
ACTORSCOPE_DECISION_ALTERNATIVES: Final = "actorscope.decision.alternatives"

#: Tool calls that the model asked for, as a JSON list of objects with `id`, `name` and `arguments`.
ACTORSCOPE_DECISION_CALL_LIST: Final = "actorscope.decision.call_list"

#: What was chosen.
ACTORSCOPE_DECISION_CHOSEN: Final = "actorscope.decision.chosen"

#: How sure the decider was, from 0 to 1.
ACTORSCOPE_DECISION_CONFIDENCE: Final = "actorscope.decision.confidence"

#: Identifier of one decision; the action or delegation that follows carries it too.
ACTORSCOPE_DECISION_ID: Final = "actorscope.decision.id"

#: What was decided about.
ACTORSCOPE_DECISION_KIND: Final = "actorscope.decision.kind"

#: Why it was chosen, in words.
ACTORSCOPE_DECISION_RATIONALE: Final = "actorscope.decision.rationale"

#: Who decided.
ACTORSCOPE_DECISION_SOURCE: Final = "actorscope.decision.source"

#: Everybody through whose hands the work went, originator first, present actor last.
ACTORSCOPE_DELEGATION_CHAIN: Final = "actorscope.delegation.chain"

#: Who received the work.
ACTORSCOPE_DELEGATION_DELEGATE_ID: Final = "actorscope.delegation.delegate.id"

#: Readable name of who received the work.
ACTORSCOPE_DELEGATION_DELEGATE_NAME: Final = "actorscope.delegation.delegate.name"

#: Kind of who received the work.
ACTORSCOPE_DELEGATION_DELEGATE_TYPE: Final = "actorscope.delegation.delegate.type"

#: Who gave the work away.
ACTORSCOPE_DELEGATION_DELEGATOR_ID: Final = "actorscope.delegation.delegator.id"

#: Readable name of who gave the work away.
ACTORSCOPE_DELEGATION_DELEGATOR_NAME: Final = "actorscope.delegation.delegator.name"

#: Kind of who gave the work away.
ACTORSCOPE_DELEGATION_DELEGATOR_TYPE: Final = "actorscope.delegation.delegator.type"

#: Number of delegations between the originator and the present actor; 0 where there is none.
ACTORSCOPE_DELEGATION_DEPTH: Final = "actorscope.delegation.depth"

#: Moment after which the delegation no longer holds, as RFC 3339.
ACTORSCOPE_DELEGATION_EXPIRES_AT: Final = "actorscope.delegation.expires_at"

#: Identifier of one act of delegation; the delegator makes it up.
ACTORSCOPE_DELEGATION_ID: Final = "actorscope.delegation.id"

#: Number of delegations beyond which further ones are refused.
ACTORSCOPE_DELEGATION_MAX_DEPTH: Final = "actorscope.delegation.max_depth"

#: What the delegator does while the delegate works.
ACTORSCOPE_DELEGATION_MODE: Final = "actorscope.delegation.mode"

#: Act of delegation under which this one was made.
ACTORSCOPE_DELEGATION_PARENT_ID: Final = "actorscope.delegation.parent.id"

#: What the authority was given for, as a code with few distinct values.
ACTORSCOPE_DELEGATION_PURPOSE: Final = "actorscope.delegation.purpose"

#: Principal with whom the chain began; the `sub` of the token.
ACTORSCOPE_DELEGATION_ROOT_ID: Final = "actorscope.delegation.root.id"

#: Permissions that the delegate received with the work.
ACTORSCOPE_DELEGATION_SCOPE_GRANTED: Final = "actorscope.delegation.scope.granted"

#: How the delegation stood when the span ended.
ACTORSCOPE_DELEGATION_STATUS: Final = "actorscope.delegation.status"

#: Task that was handed over, under the identifier that both sides know.
ACTORSCOPE_DELEGATION_TASK_ID: Final = "actorscope.delegation.task.id"

#: How the agent's name of this record is known.
ACTORSCOPE_EDGE_AGENT_BASIS: Final = "actorscope.edge.agent.basis"

#: What became of the content of the record; absent where it was kept.
ACTORSCOPE_EDGE_CONTENT: Final = "actorscope.edge.content"

#: Vocabulary in which the record was sent; says that its facts were already brought into canonical attributes.
ACTORSCOPE_EDGE_DIALECT: Final = "actorscope.edge.dialect"

#: How the operation of this record is known.
ACTORSCOPE_EDGE_OPERATION_BASIS: Final = "actorscope.edge.operation.basis"

#: Number of values of the record in which something was redacted.
ACTORSCOPE_EDGE_REDACTED_COUNT: Final = "actorscope.edge.redacted.count"

#: How the effect class of the action of this record is known.
ACTORSCOPE_EDGE_SIDE_EFFECT_BASIS: Final = "actorscope.edge.side_effect.basis"

#: Version of the rules that were applied.
ACTORSCOPE_EDGE_VERSION: Final = "actorscope.edge.version"

#: Number of this attempt; absent means 1.
ACTORSCOPE_EXECUTION_ATTEMPT: Final = "actorscope.execution.attempt"

#: What made the repetition necessary, as a code with few distinct values.
ACTORSCOPE_EXECUTION_CAUSE: Final = "actorscope.execution.cause"

#: Moment by which the run must have ended, as RFC 3339.
ACTORSCOPE_EXECUTION_DEADLINE: Final = "actorscope.execution.deadline"

#: Why the run ended.
ACTORSCOPE_EXECUTION_FINISH_REASON: Final = "actorscope.execution.finish_reason"

#: Identifier of the logical run, kept over retries, resumes and changes of process.
ACTORSCOPE_EXECUTION_ID: Final = "actorscope.execution.id"

#: Number of the turn of the agent loop.
ACTORSCOPE_EXECUTION_ITERATION: Final = "actorscope.execution.iteration"

#: Number of attempts after which the run is given up.
ACTORSCOPE_EXECUTION_MAX_ATTEMPTS: Final = "actorscope.execution.max_attempts"

#: Number of turns after which the loop is stopped.
ACTORSCOPE_EXECUTION_MAX_ITERATIONS: Final = "actorscope.execution.max_iterations"

#: Run that this one repeats, continues or undoes.
ACTORSCOPE_EXECUTION_ORIGINAL_ID: Final = "actorscope.execution.original.id"

#: What started the run.
ACTORSCOPE_EXECUTION_TRIGGER: Final = "actorscope.execution.trigger"

#: Keys of this record of which something was cut because it was over a limit of the intake.
ACTORSCOPE_INTAKE_CUT_KEYS: Final = "actorscope.intake.cut.keys"

#: What kind of step the span is, where no official operation name says so.
ACTORSCOPE_OPERATION_NAME: Final = "actorscope.operation.name"

#: Text of the task as it was given to the agent.
ACTORSCOPE_REQUEST: Final = "actorscope.request"

#: Seconds since the span started.
ACTORSCOPE_SPAN_ELAPSED: Final = "actorscope.span.elapsed"

#: Kind of the span.
ACTORSCOPE_SPAN_KIND: Final = "actorscope.span.kind"

#: Name of the span when it started.
ACTORSCOPE_SPAN_NAME: Final = "actorscope.span.name"

#: Span id of the parent, in lowercase hexadecimal; absent at the root of a trace.
ACTORSCOPE_SPAN_PARENT_ID: Final = "actorscope.span.parent.id"

#: Whether the span stands for work that was done; absent means that it does.
ACTORSCOPE_SPAN_STATE: Final = "actorscope.span.state"

#: Kind of work, as a code with few distinct values.
ACTORSCOPE_TASK_KIND: Final = "actorscope.task.kind"

#: Which one is waited for.
ACTORSCOPE_WAIT_TARGET_ID: Final = "actorscope.wait.target.id"

#: Kind of thing that is waited for.
ACTORSCOPE_WAIT_TARGET_TYPE: Final = "actorscope.wait.target.type"

#: The smallest set with which every detector has what it needs; record these first.
CORE: Final = (
    ACTORSCOPE_AGENT_PRINCIPAL_ID,
    ACTORSCOPE_DELEGATION_ID,
    ACTORSCOPE_DELEGATION_MODE,
    ACTORSCOPE_DELEGATION_DELEGATOR_ID,
    ACTORSCOPE_DELEGATION_DELEGATE_ID,
    ACTORSCOPE_DELEGATION_CHAIN,
    ACTORSCOPE_DELEGATION_TASK_ID,
    ACTORSCOPE_DELEGATION_SCOPE_GRANTED,
    ACTORSCOPE_AUTHZ_OUTCOME,
    ACTORSCOPE_AUTHZ_SCOPE_REQUESTED,
    ACTORSCOPE_AUTHZ_SCOPE_GRANTED,
    ACTORSCOPE_AUTHZ_SCOPE_USED,
    ACTORSCOPE_APPROVAL_ID,
    ACTORSCOPE_APPROVAL_STATUS,
    ACTORSCOPE_ACTION_INPUT_DIGEST,
    ACTORSCOPE_ACTION_IDEMPOTENCY_DIGEST,
    ACTORSCOPE_ACTION_SIDE_EFFECT,
    ACTORSCOPE_EXECUTION_ID,
    ACTORSCOPE_EXECUTION_ATTEMPT,
    ACTORSCOPE_EXECUTION_TRIGGER,
    ACTORSCOPE_COST_AMOUNT,
    ACTORSCOPE_COST_CURRENCY,
)

#: What travels from process to process as W3C baggage and is copied to every span on the way.
BAGGAGE: Final = (
    ACTORSCOPE_EXECUTION_ID,
    ACTORSCOPE_DELEGATION_ID,
    ACTORSCOPE_DELEGATION_DEPTH,
    ACTORSCOPE_DELEGATION_ROOT_ID,
    ACTORSCOPE_DELEGATION_CHAIN,
    ACTORSCOPE_DELEGATION_TASK_ID,
)
