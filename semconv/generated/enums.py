"""The known values of enum attributes; enums are open, so readers must expect others.

DO NOT EDIT: made from semconv/registry by `actorscope semconv generate`.
"""

from __future__ import annotations

from enum import StrEnum


class ActionSideEffect(StrEnum):
    """`actorscope.action.side_effect`: What the action can change."""

    NONE = "none"
    """Nothing, and it reads nothing outside either."""
    READ = "read"
    """Nothing; it reads."""
    WRITE = "write"
    """It adds or changes something."""
    DESTRUCTIVE = "destructive"
    """It removes or overwrites something for good."""
    UNKNOWN = "unknown"
    """Nobody has said."""


class AgentKind(StrEnum):
    """`actorscope.agent.kind`: How the agent comes to work."""

    INTERACTIVE = "interactive"
    """A person converses with it."""
    AUTONOMOUS = "autonomous"
    """It works without a person in the loop."""
    SUBAGENT = "subagent"
    """Another agent starts it for part of a task."""
    WORKFLOW = "workflow"
    """A fixed graph of steps decides what happens next."""


class AgentOwnerType(StrEnum):
    """`actorscope.agent.owner.type`: Kind of owner given in `actorscope.agent.owner.id`."""

    USER = "user"
    """A person."""
    TEAM = "team"
    """A group of people."""
    ORGANIZATION = "organization"
    """A company or a part of it."""


class AgentPrincipalType(StrEnum):
    """`actorscope.agent.principal.type`: Kind of identity given in `actorscope.agent.principal.id`."""

    SPIFFE = "spiffe"
    """A SPIFFE ID."""
    OAUTH_CLIENT = "oauth_client"
    """A client registered with an OAuth authorisation server."""
    ENTRA_AGENT = "entra_agent"
    """An agent identity of Microsoft Entra."""
    AWS_WORKLOAD = "aws_workload"
    """A workload identity of AWS."""
    GCP_AGENT = "gcp_agent"
    """An agent identity of Google Cloud."""
    SERVICE_ACCOUNT = "service_account"
    """A technical account, often shared by several programs."""
    USER = "user"
    """The account of a person, borrowed by the agent."""
    API_KEY = "api_key"
    """Whoever holds a certain key; nothing else is known."""
    DID = "did"
    """A decentralised identifier."""
    OTHER = "other"
    """None of the kinds above."""


class ApprovalApproverType(StrEnum):
    """`actorscope.approval.approver.type`: Kind of approver."""

    HUMAN = "human"
    """A person."""
    AGENT = "agent"
    """An agent."""
    POLICY = "policy"
    """A rule that approves without asking anybody."""


class ApprovalGrant(StrEnum):
    """`actorscope.approval.grant`: How long the approval lasts."""

    ONCE = "once"
    """For this one action."""
    SESSION = "session"
    """For the same kind of action until the session ends."""
    PERSISTENT = "persistent"
    """For the same kind of action until somebody takes it back."""


class ApprovalStatus(StrEnum):
    """`actorscope.approval.status`: Where the request stands."""

    PENDING = "pending"
    """Nobody has answered yet."""
    APPROVED = "approved"
    """The action may run as it was shown."""
    REJECTED = "rejected"
    """The action must not run."""
    MODIFIED = "modified"
    """The action may run with the changes that the approver made."""
    EXPIRED = "expired"
    """Nobody answered in time."""
    CANCELLED = "cancelled"
    """The request was withdrawn."""


class AuthzMode(StrEnum):
    """`actorscope.authz.mode`: Whether the outcome had consequences."""

    ENFORCE = "enforce"
    """The outcome is obeyed."""
    MONITOR = "monitor"
    """The outcome is only recorded."""


class AuthzOutcome(StrEnum):
    """`actorscope.authz.outcome`: What the policy decided about the action."""

    ALLOW = "allow"
    """The action may run."""
    DENY = "deny"
    """The action must not run."""
    REQUIRE_APPROVAL = "require_approval"
    """The action may run once somebody has approved it."""
    ERROR = "error"
    """No decision was reached."""


class BudgetOutcome(StrEnum):
    """`actorscope.budget.outcome`: What the check of the budget led to."""

    OK = "ok"
    """Enough is left."""
    WARNED = "warned"
    """A warning threshold was crossed."""
    EXCEEDED = "exceeded"
    """The limit was crossed and the work went on."""
    BLOCKED = "blocked"
    """The limit was reached and the work was stopped."""


class BudgetScope(StrEnum):
    """`actorscope.budget.scope`: Whose spending the budget limits."""

    EXECUTION = "execution"
    """One run."""
    CONVERSATION = "conversation"
    """One conversation."""
    AGENT = "agent"
    """One agent."""
    USER = "user"
    """One user."""
    ORGANIZATION = "organization"
    """One organisation."""


class BudgetUnit(StrEnum):
    """`actorscope.budget.unit`: In what the budget is counted."""

    CURRENCY = "currency"
    """Money, in `actorscope.cost.currency`."""
    TOKEN = "token"
    """Tokens."""
    CALL = "call"
    """Calls."""


class CostBasis(StrEnum):
    """`actorscope.cost.basis`: What the amount covers; absent means `self`."""

    SELF = "self"
    """This step alone."""
    AGGREGATE = "aggregate"
    """This step and the steps below it."""


class CostPhase(StrEnum):
    """`actorscope.cost.phase`: What kind of work the money went into."""

    REASONING = "reasoning"
    """Thinking about the task."""
    PLANNING = "planning"
    """Deciding on the steps."""
    RETRIEVAL = "retrieval"
    """Looking things up."""
    EXECUTION = "execution"
    """Doing the task."""
    DELEGATION = "delegation"
    """Handing work over and taking results back."""
    EVALUATION = "evaluation"
    """Judging results."""
    OTHER = "other"
    """None of the phases above."""


class CostSource(StrEnum):
    """`actorscope.cost.source`: Who worked the amount out."""

    PROVIDER = "provider"
    """The provider of the model said so."""
    LOCAL = "local"
    """The instrumented program, from prices that it knows."""
    BACKEND = "backend"
    """The reader of the telemetry, from a table of prices."""


class CredentialType(StrEnum):
    """`actorscope.credential.type`: Kind of credential."""

    JWT_SVID = "jwt_svid"
    """A SPIFFE identity document as a JWT."""
    X509_SVID = "x509_svid"
    """A SPIFFE identity document as an X.509 certificate."""
    WIT = "wit"
    """A WIMSE workload identity token."""
    OAUTH_ACCESS_TOKEN = "oauth_access_token"
    """An OAuth access token."""
    TXN_TOKEN = "txn_token"
    """An OAuth transaction token."""
    API_KEY = "api_key"
    """A long-lived key."""
    IAM_SESSION = "iam_session"
    """Temporary credentials of a cloud's identity service."""
    MTLS_CERTIFICATE = "mtls_certificate"
    """A client certificate that is not an SVID."""
    OTHER = "other"
    """None of the kinds above."""


class DecisionKind(StrEnum):
    """`actorscope.decision.kind`: What was decided about."""

    PLAN = "plan"
    """The steps to take."""
    TOOL_SELECTION = "tool_selection"
    """Which tool to use."""
    DELEGATE = "delegate"
    """Whether and to whom to hand work over."""
    ROUTE = "route"
    """Which way the work goes."""
    RETRY = "retry"
    """Whether to try again."""
    ESCALATE = "escalate"
    """Whether to involve somebody with more authority."""
    RESPOND = "respond"
    """What to answer."""
    STOP = "stop"
    """Whether to end."""


class DecisionSource(StrEnum):
    """`actorscope.decision.source`: Who decided."""

    MODEL = "model"
    """A language model."""
    RULE = "rule"
    """A rule in the program."""
    POLICY = "policy"
    """A policy engine."""
    HUMAN = "human"
    """A person."""


class DelegationDelegateType(StrEnum):
    """`actorscope.delegation.delegate.type`: Kind of who received the work."""

    AGENT = "agent"
    """An agent."""
    WORKFLOW = "workflow"
    """A workflow with fixed steps."""
    HUMAN = "human"
    """A person who takes over a step."""
    SYSTEM = "system"
    """A program that is not an agent."""


class DelegationDelegatorType(StrEnum):
    """`actorscope.delegation.delegator.type`: Kind of who gave the work away."""

    AGENT = "agent"
    """An agent."""
    WORKFLOW = "workflow"
    """A workflow with fixed steps."""
    USER = "user"
    """A person who uses the system."""
    SYSTEM = "system"
    """A program that is not an agent, such as a scheduler."""


class DelegationMode(StrEnum):
    """`actorscope.delegation.mode`: What the delegator does while the delegate works."""

    RETURN_TO_CALLER = "return_to_caller"
    """The delegator waits and goes on with the result."""
    PASS_CONTROL = "pass_control"
    """The delegate takes over and the delegator is done."""
    DETACHED = "detached"
    """The delegator goes on at once and does not wait."""


class DelegationStatus(StrEnum):
    """`actorscope.delegation.status`: How the delegation stood when the span ended."""

    COMPLETED = "completed"
    """The delegate did the work."""
    FAILED = "failed"
    """The delegate tried and could not."""
    REJECTED = "rejected"
    """The delegate did not accept the work."""
    CANCELLED = "cancelled"
    """The work was called off."""
    EXPIRED = "expired"
    """The delegation ran out before the work was done."""
    INPUT_REQUIRED = "input_required"
    """The delegate stopped because it needs an answer."""


class EdgeAgentBasis(StrEnum):
    """`actorscope.edge.agent.basis`: How the agent's name of this record is known."""

    DECLARED = "declared"
    """An attribute of a convention says so."""
    DERIVED = "derived"
    """It follows from other attributes by a rule."""
    INFERRED = "inferred"
    """Names or structure suggest it."""


class EdgeContent(StrEnum):
    """`actorscope.edge.content`: What became of the content of the record; absent where it was kept."""

    FINGERPRINTED = "fingerprinted"
    """Every text of the content is replaced by its fingerprint."""
    DROPPED = "dropped"
    """Attributes with content are removed."""


class EdgeOperationBasis(StrEnum):
    """`actorscope.edge.operation.basis`: How the operation of this record is known."""

    DECLARED = "declared"
    """An attribute of a convention says so."""
    DERIVED = "derived"
    """It follows from other attributes by a rule."""
    INFERRED = "inferred"
    """Names or structure suggest it."""


class EdgeSideEffectBasis(StrEnum):
    """`actorscope.edge.side_effect.basis`: How the effect class of the action of this record is known."""

    DECLARED = "declared"
    """An attribute of a convention says so."""
    DERIVED = "derived"
    """It follows from other attributes by a rule."""
    INFERRED = "inferred"
    """Names or structure suggest it."""


class ExecutionFinishReason(StrEnum):
    """`actorscope.execution.finish_reason`: Why the run ended."""

    COMPLETED = "completed"
    """The work was done."""
    MAX_ITERATIONS = "max_iterations"
    """The loop reached its last turn."""
    MAX_TOKENS = "max_tokens"
    """The tokens were used up."""
    BUDGET = "budget"
    """The budget was used up."""
    TIMEOUT = "timeout"
    """The time was up."""
    CANCELLED = "cancelled"
    """Somebody called it off."""
    ERROR = "error"
    """Something failed."""
    GUARDRAIL = "guardrail"
    """A guardrail stopped it."""
    REJECTED = "rejected"
    """An approval was refused."""
    TRANSFERRED = "transferred"
    """Another agent took over."""


class ExecutionTrigger(StrEnum):
    """`actorscope.execution.trigger`: What started the run."""

    USER = "user"
    """A person asked for it."""
    AGENT = "agent"
    """Another agent asked for it."""
    SCHEDULE = "schedule"
    """A clock."""
    EVENT = "event"
    """Something happened elsewhere."""
    API = "api"
    """A program called."""
    RETRY = "retry"
    """An earlier attempt failed."""
    REPLAY = "replay"
    """Somebody ran recorded work again."""
    RESUME = "resume"
    """An interrupted run goes on."""
    COMPENSATION = "compensation"
    """It undoes what an earlier run did."""


class OperationName(StrEnum):
    """`actorscope.operation.name`: What kind of step the span is, where no official operation name says so."""

    DELEGATE = "delegate"
    """Work is handed to another agent, workflow or person."""
    AUTHORIZE = "authorize"
    """A remote decision point is asked whether an action may run."""
    AWAIT_APPROVAL = "await_approval"
    """A run stands still until somebody approves or refuses."""


class SpanKind(StrEnum):
    """`actorscope.span.kind`: Kind of the span."""

    INTERNAL = "internal"
    """A step within the process."""
    SERVER = "server"
    """The receiving side of a call."""
    CLIENT = "client"
    """The calling side of a call."""
    PRODUCER = "producer"
    """The sending side of a message."""
    CONSUMER = "consumer"
    """The receiving side of a message."""


class SpanState(StrEnum):
    """`actorscope.span.state`: Whether the span stands for work that was done; absent means that it does."""

    STARTED = "started"
    """A notice that work began; the span itself follows when it ends."""
    WAITING = "waiting"
    """The call stopped for an approval or an answer and was not carried out."""
    CONTROL = "control"
    """The span ended by control flow; its error status is no failure."""


class WaitTargetType(StrEnum):
    """`actorscope.wait.target.type`: Kind of thing that is waited for."""

    DELEGATION = "delegation"
    """A delegate's result."""
    APPROVAL = "approval"
    """Somebody's approval."""
    LOCK = "lock"
    """A lock that another actor holds."""
    MESSAGE = "message"
    """A message."""
    EXTERNAL = "external"
    """Something outside the fleet."""
