"""The registry's YAML files (weaver, `definition/2`) become a model; every problem of shape is reported at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from actorscope.errors import DefinitionError
from actorscope.semconv.model import (
    ENUM,
    Attribute,
    AttributeGroup,
    AttributeRef,
    Deprecated,
    EnumMember,
    Event,
    Example,
    GroupRef,
    Level,
    Manifest,
    Registry,
    Span,
    SpanKind,
    Stability,
)
from actorscope.semconv.source import Block, Source

REGISTRY = Path(__file__).resolve().parent / "registry"
FILE_FORMAT = "definition/2"

_PRIMITIVES = ("string", "int", "double", "boolean")
_TYPES = (*_PRIMITIVES, *(f"{name}[]" for name in _PRIMITIVES), "any")
_REASONS = ("renamed", "obsoleted", "uncategorized")


def load(folder: Path = REGISTRY) -> Registry:
    """Reads all files of a registry folder; raises one DefinitionError with all problems."""
    source = Source()
    manifest = _manifest(source, source.read(folder / "manifest.yaml"))
    found: dict[str, list[Any]] = {section: [] for section in _SECTIONS}
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "manifest.yaml":
            _file(source, path, found)
    if source.problems:
        raise DefinitionError(source.problems)
    return Registry(
        manifest=manifest,
        attributes=tuple(found["attributes"]),
        groups=tuple(found["attribute_groups"]),
        events=tuple(found["events"]),
        spans=(*found["spans"], *found["span_refinements"]),
    )


def _file(source: Source, path: Path, found: dict[str, list[Any]]) -> None:
    block = source.read(path)
    if not block:
        return
    source.only(block, {"file_format", *_SECTIONS})
    if source.text(block, "file_format", required=True) not in ("", FILE_FORMAT):
        source.say(block.where, f"`file_format` is not `{FILE_FORMAT}`")
    for section, build in _SECTIONS.items():
        found[section].extend(build(source, entry) for entry in source.blocks(block, section))


def _manifest(source: Source, block: Block) -> Manifest:
    if block:
        known = {"schema_url", "description", "stability", "dependencies", "namespace", "upstream_namespaces"}
        source.only(block, known)
    upstream = source.items(block, "upstream_namespaces")
    return Manifest(
        namespace=source.text(block, "namespace", required=bool(block)),
        schema_url=source.text(block, "schema_url", required=bool(block)),
        upstream_namespaces=tuple(str(name) for name in upstream),
        description=source.text(block, "description"),
        where=block.where,
    )


def _attribute(source: Source, block: Block) -> Attribute:
    source.only(block, {"key", "type", "brief", "note", "stability", "examples", "deprecated", "annotations"})
    members = _members(source, block["type"]) if isinstance(block.get("type"), Block) else ()
    return Attribute(
        key=source.text(block, "key", required=True),
        type=ENUM if isinstance(block.get("type"), Block) else _type(source, block),
        brief=source.text(block, "brief", required=True),
        stability=source.choice(block, "stability", Stability),
        note=source.text(block, "note"),
        examples=_examples(block),
        members=members,
        deprecated=_deprecated(source, block),
        where=block.where,
    )


def _type(source: Source, block: Block) -> str:
    name = source.text(block, "type", required=True)
    if name and name not in _TYPES:
        source.say(block.where, f"unknown type `{name}`", f"one of {', '.join(_TYPES)}, or a mapping with `members`")
    return name


def _members(source: Source, block: Block) -> tuple[EnumMember, ...]:
    source.only(block, {"members"})
    return tuple(_member(source, entry) for entry in source.blocks(block, "members"))


def _member(source: Source, block: Block) -> EnumMember:
    source.only(block, {"id", "value", "brief", "note", "stability", "annotations"})
    name = source.text(block, "id", required=True)
    value = block.get("value", name)
    if not isinstance(value, str | int):
        source.say(block.where, "`value` must be text, a whole number or a boolean")
        value = name
    return EnumMember(
        id=name,
        value=value,
        brief=source.text(block, "brief", required=True),
        stability=source.choice(block, "stability", Stability),
        where=block.where,
    )


def _examples(block: Block) -> tuple[Example, ...]:
    given = block.get("examples")
    if given is None:
        return ()
    entries = given if isinstance(given, list) else [given]
    return tuple(tuple(entry) if isinstance(entry, list) else entry for entry in entries)


def _deprecated(source: Source, block: Block) -> Deprecated | None:
    given = block.get("deprecated")
    if given is None:
        return None
    if not isinstance(given, Block):
        source.say(block.where, "`deprecated` must be a mapping with a `reason`")
        return None
    source.only(given, {"reason", "renamed_to", "note"})
    reason = source.text(given, "reason", required=True)
    if reason and reason not in _REASONS:
        source.say(given.where, f"`reason` is `{reason}`", f"one of {', '.join(_REASONS)}")
    return Deprecated(reason, source.text(given, "renamed_to", reason == "renamed"), source.text(given, "note"))


def _group(source: Source, block: Block) -> AttributeGroup:
    visibility = source.text(block, "visibility", required=True)
    if visibility not in ("", "public", "internal"):
        source.say(block.where, f"`visibility` is `{visibility}`", "public or internal")
    is_public = visibility == "public"
    # weaver refuses a text that it would never publish.
    published = set() if visibility == "internal" else {"brief", "note", "stability", "annotations"}
    source.only(block, {"id", "visibility", "attributes"} | published)
    attributes, groups = _refs(source, block)
    return AttributeGroup(
        id=source.text(block, "id", required=True),
        is_public=is_public,
        attributes=attributes,
        groups=groups,
        brief=source.text(block, "brief", required=is_public),
        note=source.text(block, "note"),
        stability=source.choice(block, "stability", Stability, "" if is_public else "development"),
        where=block.where,
    )


def _event(source: Source, block: Block) -> Event:
    source.only(block, {"name", "brief", "note", "stability", "attributes", "annotations"})
    attributes, groups = _refs(source, block)
    return Event(
        name=source.text(block, "name", required=True),
        brief=source.text(block, "brief", required=True),
        stability=source.choice(block, "stability", Stability),
        note=source.text(block, "note"),
        attributes=attributes,
        groups=groups,
        where=block.where,
    )


def _span(source: Source, block: Block) -> Span:
    source.only(block, {"type", "kind", "name", "brief", "note", "stability", "attributes", "annotations"})
    name = block.get("name")
    if not isinstance(name, Block):
        source.say(block.where, "`name` must be a mapping with a `note`")
        name = Block()
    attributes, groups = _refs(source, block, on_span=True)
    return Span(
        type=source.text(block, "type", required=True),
        brief=source.text(block, "brief", required=True),
        stability=source.choice(block, "stability", Stability),
        kind=source.choice(block, "kind", SpanKind),
        name_note=source.text(name, "note", required=bool(name)),
        note=source.text(block, "note"),
        attributes=attributes,
        groups=groups,
        where=block.where,
    )


def _refinement(source: Source, block: Block) -> Span:
    source.only(block, {"id", "ref", "brief", "note", "stability", "attributes", "annotations"})
    attributes, groups = _refs(source, block, on_span=True)
    return Span(
        type=source.text(block, "id", required=True),
        brief=source.text(block, "brief"),
        stability=source.choice(block, "stability", Stability, "development"),
        refines=source.text(block, "ref", required=True),
        note=source.text(block, "note"),
        attributes=attributes,
        groups=groups,
        where=block.where,
    )


def _refs(source: Source, block: Block, on_span: bool = False) -> tuple[tuple[AttributeRef, ...], tuple[GroupRef, ...]]:
    attributes: list[AttributeRef] = []
    groups: list[GroupRef] = []
    for entry in source.blocks(block, "attributes"):
        if "ref_group" in entry:
            source.only(entry, {"ref_group"})
            groups.append(GroupRef(source.text(entry, "ref_group", required=True), entry.where))
        else:
            attributes.append(_ref(source, entry, on_span))
    return tuple(attributes), tuple(groups)


def _ref(source: Source, block: Block, on_span: bool) -> AttributeRef:
    known = {"ref", "requirement_level", "brief", "note", "annotations"}
    source.only(block, known | ({"sampling_relevant"} if on_span else set()))
    level, condition = _level(source, block)
    return AttributeRef(
        ref=source.text(block, "ref", required=True),
        level=level,
        condition=condition,
        sampling_relevant=source.flag(block, "sampling_relevant"),
        where=block.where,
    )


def _level(source: Source, block: Block) -> tuple[Level, str]:
    """A level is a word, or a mapping from the word to the condition under which it holds."""
    given = block.get("requirement_level", "recommended")
    if not isinstance(given, Block):
        level: Level = source.choice(block, "requirement_level", Level, "recommended")
        if level == "conditionally_required":
            source.say(block.where, "`conditionally_required` needs the condition", "conditionally_required: if ...")
        return level, ""
    word = next(iter(given), "")
    if len(given) != 1 or word not in ("conditionally_required", "recommended"):
        source.say(block.where, "`requirement_level` takes one of `conditionally_required: ...`, `recommended: ...`")
        return "recommended", ""
    condition = source.text(given, word, required=True)
    return ("conditionally_required" if word == "conditionally_required" else "recommended"), condition


_SECTIONS: dict[str, Callable[[Source, Block], Any]] = {
    "attributes": _attribute,
    "attribute_groups": _group,
    "spans": _span,
    "span_refinements": _refinement,
    "events": _event,
}
