// Code generated from semconv/registry by `actorscope semconv generate`. DO NOT EDIT.

package semconv

// SchemaURL names the registry.
const SchemaURL = "https://actorscope.example/schemas/actorscope/0.1.0"

// Attribute keys of the convention.
const (
	// ActionExternal: Whether it reaches systems that nobody here controls.
	ActionExternal = "actorscope.action.external"
	// ActionID: Identifier of the intended action; each attempt at it carries the same one.
	ActionID = "actorscope.action.id"
	// ActionIdempotencyDigest: Digest of the idempotency key that was sent; never the key.
	ActionIdempotencyDigest = "actorscope.action.idempotency.digest"
	// ActionIdempotent: Whether doing it twice has the effect of doing it once.
	ActionIdempotent = "actorscope.action.idempotent"
	// ActionInputDigest: Digest of the arguments in their canonical form.
	ActionInputDigest = "actorscope.action.input.digest"
	// ActionReplayed: Whether the result came from a journal or a cache, so that the effect did not happen again.
	ActionReplayed = "actorscope.action.replayed"
	// ActionSideEffect: What the action can change.
	ActionSideEffect = "actorscope.action.side_effect"
	// ActionTargetID: Which thing the action changes or reads.
	ActionTargetID = "actorscope.action.target.id"
	// ActionTargetType: Kind of thing that the action changes or reads.
	ActionTargetType = "actorscope.action.target.type"
	// ActionTargets: Fingerprints of what the arguments say the action acts on, for telemetry without content.
	ActionTargets = "actorscope.action.targets"
	// AgentBlueprintID: Template from which the agent was made, or the digest of its definition.
	AgentBlueprintID = "actorscope.agent.blueprint.id"
	// AgentInstanceID: Identifier of the running instance of the agent.
	AgentInstanceID = "actorscope.agent.instance.id"
	// AgentKind: How the agent comes to work.
	AgentKind = "actorscope.agent.kind"
	// AgentOwnerID: Who answers for the agent.
	AgentOwnerID = "actorscope.agent.owner.id"
	// AgentOwnerType: Kind of owner given in `actorscope.agent.owner.id`.
	AgentOwnerType = "actorscope.agent.owner.type"
	// AgentPrincipalID: Identity with which the agent proves itself to others.
	AgentPrincipalID = "actorscope.agent.principal.id"
	// AgentPrincipalIssuer: Authority that vouches for the identity.
	AgentPrincipalIssuer = "actorscope.agent.principal.issuer"
	// AgentPrincipalType: Kind of identity given in `actorscope.agent.principal.id`.
	AgentPrincipalType = "actorscope.agent.principal.type"
	// ApprovalActionDigest: Digest of exactly what the approver was shown.
	ApprovalActionDigest = "actorscope.approval.action.digest"
	// ApprovalApproverID: Who answered the request.
	ApprovalApproverID = "actorscope.approval.approver.id"
	// ApprovalApproverType: Kind of approver.
	ApprovalApproverType = "actorscope.approval.approver.type"
	// ApprovalExpiresAt: Moment after which the approval no longer covers the action, as RFC 3339.
	ApprovalExpiresAt = "actorscope.approval.expires_at"
	// ApprovalGrant: How long the approval lasts.
	ApprovalGrant = "actorscope.approval.grant"
	// ApprovalID: Identifier of one request for approval.
	ApprovalID = "actorscope.approval.id"
	// ApprovalStatus: Where the request stands.
	ApprovalStatus = "actorscope.approval.status"
	// AuthzAction: Name of the action as the policy knows it.
	AuthzAction = "actorscope.authz.action"
	// AuthzDecisionID: Identifier under which the decision point logged the decision.
	AuthzDecisionID = "actorscope.authz.decision.id"
	// AuthzMode: Whether the outcome had consequences.
	AuthzMode = "actorscope.authz.mode"
	// AuthzOutcome: What the policy decided about the action.
	AuthzOutcome = "actorscope.authz.outcome"
	// AuthzPolicyEngine: Program that evaluated the policy.
	AuthzPolicyEngine = "actorscope.authz.policy.engine"
	// AuthzPolicyID: Policy that settled the matter.
	AuthzPolicyID = "actorscope.authz.policy.id"
	// AuthzPolicyVersion: Revision of that policy.
	AuthzPolicyVersion = "actorscope.authz.policy.version"
	// AuthzReason: Why it was decided so, as a code with few distinct values.
	AuthzReason = "actorscope.authz.reason"
	// AuthzResourceID: Which thing the action is about.
	AuthzResourceID = "actorscope.authz.resource.id"
	// AuthzResourceType: Kind of thing that the action is about.
	AuthzResourceType = "actorscope.authz.resource.type"
	// AuthzScopeGranted: Permissions that the decision or the credential gives.
	AuthzScopeGranted = "actorscope.authz.scope.granted"
	// AuthzScopeRequested: Permissions that were asked for.
	AuthzScopeRequested = "actorscope.authz.scope.requested"
	// AuthzScopeUsed: Permissions that the action really made use of.
	AuthzScopeUsed = "actorscope.authz.scope.used"
	// BudgetConsumed: What was spent by the time of the record, in `actorscope.budget.unit`.
	BudgetConsumed = "actorscope.budget.consumed"
	// BudgetID: Budget that the step counts against.
	BudgetID = "actorscope.budget.id"
	// BudgetLimit: Most that may be spent, in `actorscope.budget.unit`.
	BudgetLimit = "actorscope.budget.limit"
	// BudgetOutcome: What the check of the budget led to.
	BudgetOutcome = "actorscope.budget.outcome"
	// BudgetScope: Whose spending the budget limits.
	BudgetScope = "actorscope.budget.scope"
	// BudgetUnit: In what the budget is counted.
	BudgetUnit = "actorscope.budget.unit"
	// ContentMentions: Fingerprints of the addresses, accounts, links and numbers that a request or a result names, for telemetry without content.
	ContentMentions = "actorscope.content.mentions"
	// CostAmount: What this step cost, without the steps below it.
	CostAmount = "actorscope.cost.amount"
	// CostBasis: What the amount covers; absent means `self`.
	CostBasis = "actorscope.cost.basis"
	// CostCurrency: Currency of the amount, as ISO 4217.
	CostCurrency = "actorscope.cost.currency"
	// CostPhase: What kind of work the money went into.
	CostPhase = "actorscope.cost.phase"
	// CostSource: Who worked the amount out.
	CostSource = "actorscope.cost.source"
	// CredentialExpiresAt: Moment after which the credential is void, as RFC 3339.
	CredentialExpiresAt = "actorscope.credential.expires_at"
	// CredentialID: Identifier or digest of the credential that was used; never the credential itself.
	CredentialID = "actorscope.credential.id"
	// CredentialIssuedAt: Moment of issue, as RFC 3339.
	CredentialIssuedAt = "actorscope.credential.issued_at"
	// CredentialIssuer: Who issued the credential.
	CredentialIssuer = "actorscope.credential.issuer"
	// CredentialSenderConstrained: Whether a stolen copy is useless without a key, as with DPoP, mutual TLS or a WIMSE proof token.
	CredentialSenderConstrained = "actorscope.credential.sender_constrained"
	// CredentialType: Kind of credential.
	CredentialType = "actorscope.credential.type"
	// DecisionAlternatives: What else could have been chosen.
	DecisionAlternatives = "actorscope.decision.alternatives"
	// DecisionCallList: Tool calls that the model asked for, as a JSON list of objects with `id`, `name` and `arguments`.
	DecisionCallList = "actorscope.decision.call_list"
	// DecisionChosen: What was chosen.
	DecisionChosen = "actorscope.decision.chosen"
	// DecisionConfidence: How sure the decider was, from 0 to 1.
	DecisionConfidence = "actorscope.decision.confidence"
	// DecisionID: Identifier of one decision; the action or delegation that follows carries it too.
	DecisionID = "actorscope.decision.id"
	// DecisionKind: What was decided about.
	DecisionKind = "actorscope.decision.kind"
	// DecisionRationale: Why it was chosen, in words.
	DecisionRationale = "actorscope.decision.rationale"
	// DecisionSource: Who decided.
	DecisionSource = "actorscope.decision.source"
	// DelegationChain: Everybody through whose hands the work went, originator first, present actor last.
	DelegationChain = "actorscope.delegation.chain"
	// DelegationDelegateID: Who received the work.
	DelegationDelegateID = "actorscope.delegation.delegate.id"
	// DelegationDelegateName: Readable name of who received the work.
	DelegationDelegateName = "actorscope.delegation.delegate.name"
	// DelegationDelegateType: Kind of who received the work.
	DelegationDelegateType = "actorscope.delegation.delegate.type"
	// DelegationDelegatorID: Who gave the work away.
	DelegationDelegatorID = "actorscope.delegation.delegator.id"
	// DelegationDelegatorName: Readable name of who gave the work away.
	DelegationDelegatorName = "actorscope.delegation.delegator.name"
	// DelegationDelegatorType: Kind of who gave the work away.
	DelegationDelegatorType = "actorscope.delegation.delegator.type"
	// DelegationDepth: Number of delegations between the originator and the present actor; 0 where there is none.
	DelegationDepth = "actorscope.delegation.depth"
	// DelegationExpiresAt: Moment after which the delegation no longer holds, as RFC 3339.
	DelegationExpiresAt = "actorscope.delegation.expires_at"
	// DelegationID: Identifier of one act of delegation; the delegator makes it up.
	DelegationID = "actorscope.delegation.id"
	// DelegationMaxDepth: Number of delegations beyond which further ones are refused.
	DelegationMaxDepth = "actorscope.delegation.max_depth"
	// DelegationMode: What the delegator does while the delegate works.
	DelegationMode = "actorscope.delegation.mode"
	// DelegationParentID: Act of delegation under which this one was made.
	DelegationParentID = "actorscope.delegation.parent.id"
	// DelegationPurpose: What the authority was given for, as a code with few distinct values.
	DelegationPurpose = "actorscope.delegation.purpose"
	// DelegationRootID: Principal with whom the chain began; the `sub` of the token.
	DelegationRootID = "actorscope.delegation.root.id"
	// DelegationScopeGranted: Permissions that the delegate received with the work.
	DelegationScopeGranted = "actorscope.delegation.scope.granted"
	// DelegationStatus: How the delegation stood when the span ended.
	DelegationStatus = "actorscope.delegation.status"
	// DelegationTaskID: Task that was handed over, under the identifier that both sides know.
	DelegationTaskID = "actorscope.delegation.task.id"
	// EdgeAgentBasis: How the agent's name of this record is known.
	EdgeAgentBasis = "actorscope.edge.agent.basis"
	// EdgeContent: What became of the content of the record; absent where it was kept.
	EdgeContent = "actorscope.edge.content"
	// EdgeDialect: Vocabulary in which the record was sent; says that its facts were already brought into canonical attributes.
	EdgeDialect = "actorscope.edge.dialect"
	// EdgeOperationBasis: How the operation of this record is known.
	EdgeOperationBasis = "actorscope.edge.operation.basis"
	// EdgeRedactedCount: Number of values of the record in which something was redacted.
	EdgeRedactedCount = "actorscope.edge.redacted.count"
	// EdgeSideEffectBasis: How the effect class of the action of this record is known.
	EdgeSideEffectBasis = "actorscope.edge.side_effect.basis"
	// EdgeVersion: Version of the rules that were applied.
	EdgeVersion = "actorscope.edge.version"
	// ExecutionAttempt: Number of this attempt; absent means 1.
	ExecutionAttempt = "actorscope.execution.attempt"
	// ExecutionCause: What made the repetition necessary, as a code with few distinct values.
	ExecutionCause = "actorscope.execution.cause"
	// ExecutionDeadline: Moment by which the run must have ended, as RFC 3339.
	ExecutionDeadline = "actorscope.execution.deadline"
	// ExecutionFinishReason: Why the run ended.
	ExecutionFinishReason = "actorscope.execution.finish_reason"
	// ExecutionID: Identifier of the logical run, kept over retries, resumes and changes of process.
	ExecutionID = "actorscope.execution.id"
	// ExecutionIteration: Number of the turn of the agent loop.
	ExecutionIteration = "actorscope.execution.iteration"
	// ExecutionMaxAttempts: Number of attempts after which the run is given up.
	ExecutionMaxAttempts = "actorscope.execution.max_attempts"
	// ExecutionMaxIterations: Number of turns after which the loop is stopped.
	ExecutionMaxIterations = "actorscope.execution.max_iterations"
	// ExecutionOriginalID: Run that this one repeats, continues or undoes.
	ExecutionOriginalID = "actorscope.execution.original.id"
	// ExecutionTrigger: What started the run.
	ExecutionTrigger = "actorscope.execution.trigger"
	// IntakeCutKeys: Keys of this record of which something was cut because it was over a limit of the intake.
	IntakeCutKeys = "actorscope.intake.cut.keys"
	// OperationName: What kind of step the span is, where no official operation name says so.
	OperationName = "actorscope.operation.name"
	// Request: Text of the task as it was given to the agent.
	Request = "actorscope.request"
	// SpanElapsed: Seconds since the span started.
	SpanElapsed = "actorscope.span.elapsed"
	// SpanKind: Kind of the span.
	SpanKind = "actorscope.span.kind"
	// SpanName: Name of the span when it started.
	SpanName = "actorscope.span.name"
	// SpanParentID: Span id of the parent, in lowercase hexadecimal; absent at the root of a trace.
	SpanParentID = "actorscope.span.parent.id"
	// SpanState: Whether the span stands for work that was done; absent means that it does.
	SpanState = "actorscope.span.state"
	// TaskKind: Kind of work, as a code with few distinct values.
	TaskKind = "actorscope.task.kind"
	// WaitTargetID: Which one is waited for.
	WaitTargetID = "actorscope.wait.target.id"
	// WaitTargetType: Kind of thing that is waited for.
	WaitTargetType = "actorscope.wait.target.type"
)
