"""The words of Actorscope, and the helpers with which agents say them; importing it needs `opentelemetry-api` only."""

from actorscope.semconv.emit.action import act
from actorscope.semconv.emit.approval import approve, resolve_approval
from actorscope.semconv.emit.decision import authorize, decide
from actorscope.semconv.emit.delegation import delegate
from actorscope.semconv.emit.digest import digest
from actorscope.semconv.emit.identity import Credential, Principal
from actorscope.semconv.emit.processor import ActorscopeSpanProcessor
from actorscope.semconv.emit.propagation import (
    attached,
    bound,
    extract,
    extract_a2a,
    extract_mcp,
    inject,
    inject_a2a,
    inject_mcp,
    outside,
)
from actorscope.semconv.emit.run import agent, execution
from actorscope.semconv.emit.setup import Handle, SetupError, setup
from actorscope.semconv.emit.spending import budget

__all__ = [
    "ActorscopeSpanProcessor",
    "Credential",
    "Handle",
    "Principal",
    "SetupError",
    "act",
    "agent",
    "approve",
    "attached",
    "authorize",
    "bound",
    "budget",
    "decide",
    "delegate",
    "digest",
    "execution",
    "extract",
    "extract_a2a",
    "extract_mcp",
    "inject",
    "inject_a2a",
    "inject_mcp",
    "outside",
    "resolve_approval",
    "setup",
]
