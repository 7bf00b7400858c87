"""What a registry says, as typed values; no reading and no judging here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Level = Literal["required", "conditionally_required", "recommended", "opt_in"]
Stability = Literal["development", "alpha", "beta", "release_candidate", "stable"]
SpanKind = Literal["internal", "server", "client", "producer", "consumer"]
Value = str | int | float | bool
Example = Value | tuple[Value, ...]

ENUM = "enum"


@dataclass(frozen=True)
class Deprecated:
    """Why a name should no longer be used, and what took its place."""

    reason: str
    renamed_to: str = ""
    note: str = ""


@dataclass(frozen=True)
class EnumMember:
    """One known value of an enum; enums are open, so others may occur."""

    id: str
    value: Value
    brief: str
    stability: Stability
    where: str = ""


@dataclass(frozen=True)
class Attribute:
    """One attribute: its key, its type (`enum` if it has members) and what it means."""

    key: str
    type: str
    brief: str
    stability: Stability
    note: str = ""
    examples: tuple[Example, ...] = ()
    members: tuple[EnumMember, ...] = ()
    deprecated: Deprecated | None = None
    where: str = ""

    @property
    def is_array(self) -> bool:
        return self.type.endswith("[]")


@dataclass(frozen=True)
class AttributeRef:
    """The use of an attribute by a signal or a group; `condition` says when, where the level depends."""

    ref: str
    level: Level = "recommended"
    condition: str = ""
    sampling_relevant: bool = False
    where: str = ""


@dataclass(frozen=True)
class GroupRef:
    """The use of all attributes of a group."""

    ref_group: str
    where: str = ""


@dataclass(frozen=True)
class AttributeGroup:
    """Attributes that belong together; only public ones are part of the published convention."""

    id: str
    is_public: bool
    attributes: tuple[AttributeRef, ...] = ()
    groups: tuple[GroupRef, ...] = ()
    brief: str = ""
    note: str = ""
    stability: Stability = "development"
    where: str = ""


@dataclass(frozen=True)
class Event:
    """A log record with an event name."""

    name: str
    brief: str
    stability: Stability
    note: str = ""
    attributes: tuple[AttributeRef, ...] = ()
    groups: tuple[GroupRef, ...] = ()
    where: str = ""


@dataclass(frozen=True)
class Span:
    """A span of our own, or what we add to a foreign one: then `refines` names it and it lends kind and name."""

    type: str
    brief: str
    stability: Stability
    kind: SpanKind | None = None
    name_note: str = ""
    refines: str = ""
    note: str = ""
    attributes: tuple[AttributeRef, ...] = ()
    groups: tuple[GroupRef, ...] = ()
    where: str = ""

    @property
    def name(self) -> str:
        return self.type


Signal = Event | Span
Owner = AttributeGroup | Event | Span


@dataclass(frozen=True)
class Manifest:
    """Whose names these are and which foreign names they may refer to."""

    namespace: str
    schema_url: str
    upstream_namespaces: tuple[str, ...] = ()
    description: str = ""
    where: str = ""


@dataclass(frozen=True)
class Registry:
    """Everything that the files define, in the order of file names and lines."""

    manifest: Manifest
    attributes: tuple[Attribute, ...] = ()
    groups: tuple[AttributeGroup, ...] = ()
    events: tuple[Event, ...] = ()
    spans: tuple[Span, ...] = ()

    @cached_property
    def attribute_by_key(self) -> dict[str, Attribute]:
        return {a.key: a for a in self.attributes}

    @cached_property
    def group_by_id(self) -> dict[str, AttributeGroup]:
        return {g.id: g for g in self.groups}

    @property
    def signals(self) -> tuple[Signal, ...]:
        return (*self.events, *self.spans)

    def refs_of(self, owner: Owner) -> tuple[AttributeRef, ...]:
        """All attributes of a signal or group, those of its groups first; its own references override them."""
        found = {ref.ref: ref for group in self._groups_of(owner, set()) for ref in group.attributes}
        found.update({ref.ref: ref for ref in owner.attributes})
        return tuple(found.values())

    def _groups_of(self, owner: Owner, seen: set[str]) -> Iterator[AttributeGroup]:
        for use in owner.groups:
            group = self.group_by_id.get(use.ref_group)
            if group is not None and group.id not in seen:
                seen.add(group.id)
                yield from self._groups_of(group, seen)
                yield group
