"""The `actorscope.*` attributes of the well-instrumented team: identity, delegation, permission, approval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import rfc8785

from actorscope.demo.models import FLASH, GPT_4O_MINI, GPT_41, SONNET, Model
from actorscope.demo.run import SECOND, Attributes

DOMAIN = "acme.example"


@dataclass(frozen=True)
class Card:
    """What is known of an agent before it runs: its model, the scope it is granted, and its owner."""

    model: Model
    scope: tuple[str, ...]
    owner: str = "team:support-platform"
    kind: str = "subagent"


@dataclass(frozen=True)
class Effect:
    """What a tool does to the world, which permission it needs, and which argument names its target."""

    side_effect: str
    scope: str
    target_type: str = ""
    target_key: str = ""


AGENTS: dict[str, Card] = {
    "triage": Card(
        GPT_4O_MINI,
        ("ticket:read", "ticket:write", "invoice:read", "order:read", "refund:write", "crm:read", "crm:write"),
        kind="interactive",
    ),
    "billing-specialist": Card(GPT_41, ("invoice:read", "ticket:write"), "team:billing"),
    "refunds": Card(GPT_41, ("order:read", "refund:write", "ticket:write"), "team:payments"),
    "kb-assistant": Card(FLASH, ("kb:read", "email:send"), kind="interactive"),
    "account-manager": Card(SONNET, ("crm:read", "crm:write"), "team:sales"),
    "logistics": Card(GPT_4O_MINI, ("shipment:read",), kind="interactive"),
    "credits": Card(GPT_4O_MINI, ("credit:write",), "team:payments", "interactive"),
    "planner": Card(SONNET, ("docs:read",), "team:web", "interactive"),
    "insights": Card(SONNET, ("warehouse:read",), "team:analytics", "autonomous"),
}

TOOLS: dict[str, Effect] = {
    "search_kb": Effect("read", "kb:read"),
    "send_email": Effect("write", "email:send", "email", "to"),
    "get_ticket": Effect("read", "ticket:read", "ticket", "ticket_id"),
    "update_ticket": Effect("write", "ticket:write", "ticket", "ticket_id"),
    "get_invoice": Effect("read", "invoice:read", "invoice", "invoice_id"),
    "lookup_order": Effect("read", "order:read", "order", "order_id"),
    "issue_refund": Effect("write", "refund:write", "order", "order_id"),
    "transfer_funds": Effect("write", "payment:write", "account", "to_account"),
    "get_account": Effect("read", "crm:read", "account", "account_id"),
    "log_call": Effect("write", "crm:write", "account", "account_id"),
    "get_shipment_status": Effect("read", "shipment:read", "shipment", "shipment_id"),
    "apply_credit": Effect("write", "credit:write"),
    "list_pages": Effect("read", "docs:read"),
    "run_sql": Effect("read", "warehouse:read"),
}


def digest(value: Mapping[str, object]) -> str:
    """The digest of canonical JSON, as conventions ask for arguments."""
    return "sha256:" + hashlib.sha256(rfc8785.dumps(value)).hexdigest()  # type: ignore[arg-type]


def principal(agent: str) -> str:
    """The workload identity of an agent."""
    return f"spiffe://{DOMAIN}/agent/{agent}"


def stamp(nanos: int) -> str:
    """A time as RFC 3339 in UTC."""
    return datetime.fromtimestamp(nanos // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def identity(agent: str, instance: str) -> Attributes:
    """Who runs: the principal, its issuer, the owner and this instance."""
    card = AGENTS[agent]
    return {
        "actorscope.agent.principal.id": principal(agent),
        "actorscope.agent.principal.type": "spiffe",
        "actorscope.agent.principal.issuer": f"spiffe://{DOMAIN}",
        "actorscope.agent.kind": card.kind,
        "actorscope.agent.instance.id": f"{agent}-{instance}",
        "actorscope.agent.owner.id": card.owner,
        "actorscope.agent.owner.type": "team",
    }


def permission(
    agent: str, granted: tuple[str, ...], tool: str, arguments: Mapping[str, object], now: int, call: str
) -> Attributes:
    """What an action may do and does: scopes, credential, digest of its input, side effect and target."""
    effect = TOOLS[tool]
    found: Attributes = {
        "actorscope.authz.outcome": "allow",
        "actorscope.authz.scope.granted": granted,
        "actorscope.authz.scope.used": (effect.scope,),
        "actorscope.authz.action": tool,
        "actorscope.credential.id": "jti-" + hashlib.sha256(principal(agent).encode()).hexdigest()[:12],
        "actorscope.credential.type": "jwt_svid",
        "actorscope.credential.issuer": f"spiffe://{DOMAIN}",
        "actorscope.credential.expires_at": stamp(now + 3600 * SECOND),
        "actorscope.action.id": f"act-{call}",
        "actorscope.action.input.digest": digest(arguments),
        "actorscope.action.side_effect": effect.side_effect,
    }
    if effect.target_key:
        found["actorscope.action.target.type"] = effect.target_type
        found["actorscope.action.target.id"] = str(arguments[effect.target_key])
    return found


def delegation(act: str, parent: str, goal_code: str, scope: Sequence[str], mode: str, root: str) -> Attributes:
    """The facts of a delegation that both of its sides carry."""
    found: Attributes = {
        "actorscope.delegation.id": act,
        "actorscope.delegation.mode": mode,
        "actorscope.delegation.root.id": root,
        "actorscope.delegation.scope.granted": tuple(scope),
        "actorscope.delegation.purpose": goal_code,
    }
    if parent:
        found["actorscope.delegation.parent.id"] = parent
    return found
