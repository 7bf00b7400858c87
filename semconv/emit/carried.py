"""What goes along with the work: baggage from process to process, values of the OpenTelemetry context within one.

Baggage that arrives is a claim of whoever sent it. It is bounded and cleaned here and believed nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, unquote

from opentelemetry import baggage
from opentelemetry.context import Context, create_key, get_current, get_value, set_value
from opentelemetry.trace import get_current_span

from actorscope.semconv.emit.values import Attributes, given
from actorscope.semconv.generated import attributes as a

if TYPE_CHECKING:
    from actorscope.semconv.emit.identity import Principal

_LENGTH, _HOPS, _CHAIN_BYTES = 512, 64, 3000
_ACTOR, _STATED, _HANDED = (create_key(f"actorscope-{name}") for name in ("actor", "stated", "handed"))
_KEYS = {
    "execution_id": a.ACTORSCOPE_EXECUTION_ID,
    "delegation_id": a.ACTORSCOPE_DELEGATION_ID,
    "depth": a.ACTORSCOPE_DELEGATION_DEPTH,
    "root_id": a.ACTORSCOPE_DELEGATION_ROOT_ID,
    "task_id": a.ACTORSCOPE_DELEGATION_TASK_ID,
    "chain": a.ACTORSCOPE_DELEGATION_CHAIN,
}


@dataclass(frozen=True, slots=True)
class Carried:
    """What baggage says about the work in hand."""

    execution_id: str | None = None
    delegation_id: str | None = None
    depth: int | None = None
    root_id: str | None = None
    task_id: str | None = None
    chain: tuple[str, ...] = ()

    def attributes(self) -> Attributes:
        """The same as attributes of a span."""
        return given({_KEYS[field.name]: getattr(self, field.name) for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Actor:
    """The agent at work in this process."""

    name: str
    key: str
    chain: tuple[str, ...]
    delegation_id: str | None
    principal: Principal | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """What the delegator of this process said, beyond what travels in baggage."""

    delegation_id: str | None
    mode: str | None = None
    parent_id: str | None = None
    has_scope: bool = False


@dataclass(frozen=True, slots=True)
class Stated:
    """Attributes for the spans that start directly under one span (0: under none)."""

    attributes: Attributes
    parent_span_id: int


def read(context: Context | None = None) -> Carried:
    """What the baggage of a context says, without what is malformed or too long."""
    found = baggage.get_all(context)
    if not found:
        return Carried()
    depth = str(found.get(_KEYS["depth"], ""))
    return Carried(
        execution_id=_clean(found.get(_KEYS["execution_id"])),
        delegation_id=_clean(found.get(_KEYS["delegation_id"])),
        root_id=_clean(found.get(_KEYS["root_id"])),
        task_id=_clean(found.get(_KEYS["task_id"])),
        depth=int(depth) if depth.isascii() and depth.isdecimal() and len(depth) <= 4 else None,
        chain=_chain(found.get(_KEYS["chain"])),
    )


def write(carried: Carried, context: Context) -> Context:
    """The context with this baggage. A chain that is too long for a header is left out whole: half of one would lie."""
    for name, key in _KEYS.items():
        value = getattr(carried, name)
        if name == "chain":
            value = ",".join(entry.replace("%", "%25").replace(",", "%2C") for entry in value)
            value = value if len(quote_plus(value)) <= _CHAIN_BYTES and len(carried.chain) <= _HOPS else ""
        text = "" if value is None else str(value)
        is_kept = text and (name == "chain" or _clean(text))
        context = baggage.set_baggage(key, text, context) if is_kept else baggage.remove_baggage(key, context)
    return context


def cleared(context: Context) -> Context:
    """The context without our baggage."""
    return write(Carried(), context)


def _clean(value: object) -> str | None:
    text = value if isinstance(value, str) else ""
    return text if 0 < len(text) <= _LENGTH and text.isprintable() else None


def _chain(value: object) -> tuple[str, ...]:
    if not isinstance(value, str) or not value or len(value) > _CHAIN_BYTES:
        return ()
    entries = [_clean(unquote(entry)) for entry in value.split(",")]
    whole = tuple(entry for entry in entries if entry)
    return whole if len(whole) == len(entries) <= _HOPS else ()


def actor(context: Context | None = None) -> Actor | None:
    """The agent that the code runs for, when `agent()` has said so and nothing was handed over since."""
    found = get_value(_ACTOR, context)
    return found if isinstance(found, Actor) and found.delegation_id == read(context).delegation_id else None


def with_actor(found: Actor, context: Context) -> Context:
    """The context in which that agent works."""
    return set_value(_ACTOR, found, context)


def with_handed(found: Handed, context: Context) -> Context:
    """The context in which that delegation is the latest."""
    return set_value(_HANDED, found, context)


def handed(context: Context) -> Handed:
    """What the delegator said of the present delegation; nothing where it was said in another process."""
    found, present = get_value(_HANDED, context), read(context).delegation_id
    return found if isinstance(found, Handed) and found.delegation_id == present else Handed(present)


def stating(attributes: Attributes, context: Context) -> Context:
    """The context in which the next spans directly below the present one carry these attributes."""
    before = get_value(_STATED, context)
    entry = Stated(attributes, get_current_span(context).get_span_context().span_id)
    return set_value(_STATED, (*(before if isinstance(before, tuple) else ()), entry), context)


def inherited(context: Context | None = None) -> Attributes:
    """Attributes that a span starting in this context has from above: baggage, and what was stated for it."""
    context = get_current() if context is None else context
    found = read(context).attributes()
    stated = get_value(_STATED, context)
    if isinstance(stated, tuple):
        parent = get_current_span(context).get_span_context().span_id
        for entry in stated:
            if entry.parent_span_id == parent:
                found.update(entry.attributes)
    return found
