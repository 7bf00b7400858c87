"""The laws that names, references and stability of a registry must obey; each is one function over the model.

The naming laws are those of OpenTelemetry's general naming document; the rest keeps the registry honest.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from actorscope.errors import Problem
from actorscope.semconv.model import ENUM, Attribute, Example, Owner, Registry

Rule = Callable[[Registry], Iterator[Problem]]

_WORD = r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
_NAME = re.compile(rf"{_WORD}(?:\.{_WORD})+")
_MEMBER = re.compile(_WORD)
_STABILITIES = ("development", "alpha", "beta", "release_candidate", "stable")
_PYTHON: dict[str, type | tuple[type, ...]] = {"string": str, "int": int, "double": (int, float), "boolean": bool}
# Nouns that already mean several things; participles (`granted`) are told by their ending.
_COLLECTIVE = ("chain",)


def broken(registry: Registry) -> list[Problem]:
    """Every breach of every rule, in the order of the rules."""
    return [problem for rule in RULES for problem in rule(registry)]


def well_formed_names(registry: Registry) -> Iterator[Problem]:
    """Lowercase words, `_` inside a word, dots between them, all under the registry's own namespace."""
    for name, where in _all_names(registry):
        if not _NAME.fullmatch(name):
            yield Problem(
                where, f"`{name}` is not a well-formed name", "lowercase, dots, snake_case, at least two parts"
            )
        elif not name.startswith(f"{registry.manifest.namespace}."):
            yield Problem(where, f"`{name}` is outside the namespace `{registry.manifest.namespace}`")


def unique_names(registry: Registry) -> Iterator[Problem]:
    """No name is given twice among things of one kind."""
    for names in _names_by_kind(registry):
        counts = Counter(name for name, _ in names)
        for name, where in names:
            if counts[name] > 1:
                yield Problem(where, f"`{name}` is defined {counts[name]} times")


def no_name_is_a_namespace(registry: Registry) -> Iterator[Problem]:
    """`a.b` must not exist beside `a.b.c`: backends that nest attributes could keep only one of them."""
    for names in ([(a.key, a.where) for a in registry.attributes], [(e.name, e.where) for e in registry.events]):
        keys = sorted(name for name, _ in names)
        for name, where in names:
            below = next((key for key in keys if key.startswith(f"{name}.")), None)
            if below:
                yield Problem(where, f"`{name}` is also the namespace of `{below}`", f"e.g. `{name}.id`")


def distinct_constants(registry: Registry) -> Iterator[Problem]:
    """`a.b_c` and `a.b.c` would become the same constant in generated code."""
    for names in ([(a.key, a.where) for a in registry.attributes], [(e.name, e.where) for e in registry.events]):
        first: dict[str, str] = {}
        for name, where in names:
            other = first.setdefault(name.replace(".", "_"), name)
            if other != name:
                yield Problem(where, f"`{name}` and `{other}` become the same constant")


def plural_means_array(registry: Registry) -> Iterator[Problem]:
    """A plural name promises several values, and several values want a plural name."""
    for attribute in registry.attributes:
        last = attribute.key.rpartition(".")[2]
        is_plural = (
            last.endswith("s") and not last.endswith(("ss", "us", "is")) and not last.startswith(("max_", "min_"))
        )
        says_many = is_plural or last.endswith("ed") or last in _COLLECTIVE
        if is_plural and not attribute.is_array:
            yield Problem(attribute.where, f"`{attribute.key}` is plural but not an array")
        if attribute.is_array and not says_many:
            yield Problem(attribute.where, f"`{attribute.key}` is an array but its name is singular")


def described(registry: Registry) -> Iterator[Problem]:
    """Every brief is a sentence; briefs end up in documents and in editors."""
    briefs = [(a.key, a.brief, a.where) for a in registry.attributes]
    briefs += [(f"{a.key}={m.id}", m.brief, m.where) for a in registry.attributes for m in a.members]
    briefs += [(s.name, s.brief, s.where) for s in registry.signals]
    briefs += [(g.id, g.brief, g.where) for g in registry.groups if g.is_public]
    for name, brief, where in briefs:
        if not brief.endswith("."):
            yield Problem(where, f"the brief of `{name}` is not a sentence", "end it with a full stop")


def exemplified(registry: Registry) -> Iterator[Problem]:
    """Attributes whose values are not obvious show some, and those are of the attribute's type."""
    for attribute in registry.attributes:
        if attribute.type not in (ENUM, "boolean") and not attribute.examples:
            yield Problem(attribute.where, f"`{attribute.key}` has no examples")
        for example in attribute.examples:
            if not _fits(attribute, example):
                yield Problem(attribute.where, f"example {example!r} of `{attribute.key}` is not {attribute.type}")


def sound_enums(registry: Registry) -> Iterator[Problem]:
    """Members have distinct, well-formed ids and distinct text values."""
    for attribute in registry.attributes:
        if attribute.type == ENUM and not attribute.members:
            yield Problem(attribute.where, f"enum `{attribute.key}` has no members")
        ids = Counter(member.id for member in attribute.members)
        values = Counter(str(member.value) for member in attribute.members)
        for member in attribute.members:
            if not _MEMBER.fullmatch(member.id):
                yield Problem(member.where, f"`{member.id}` is not a well-formed member id")
            if ids[member.id] > 1:
                yield Problem(member.where, f"member id `{member.id}` of `{attribute.key}` is given twice")
            if values[str(member.value)] > 1:
                yield Problem(member.where, f"value `{member.value}` of `{attribute.key}` is given twice")
            if not isinstance(member.value, str):
                yield Problem(
                    member.where, f"value {member.value!r} of `{attribute.key}` is not text", "put it in quotes"
                )


def resolved_references(registry: Registry) -> Iterator[Problem]:
    """A reference names an attribute or a group of ours, or something in a namespace of an upstream registry."""
    upstream = registry.manifest.upstream_namespaces
    for owner in _owners(registry):
        for ref in owner.attributes:
            if ref.ref not in registry.attribute_by_key and ref.ref.partition(".")[0] not in upstream:
                yield Problem(ref.where, f"attribute `{ref.ref}` is not defined", "define it or list its namespace")
        for use in owner.groups:
            if use.ref_group not in registry.group_by_id:
                yield Problem(use.where, f"attribute group `{use.ref_group}` is not defined")
    for span in registry.spans:
        if span.refines and span.refines.partition(".")[0] not in upstream:
            yield Problem(span.where, f"span `{span.refines}` does not belong to an upstream registry")


def unambiguous_references(registry: Registry) -> Iterator[Problem]:
    """Nobody names an attribute twice, and two groups of one owner do not share one: weaver cannot resolve that."""
    for owner in _owners(registry):
        for name, count in Counter(ref.ref for ref in owner.attributes).items():
            if count > 1:
                yield Problem(owner.where, f"attribute `{name}` is referred to {count} times")
        groups = {use.ref_group for use in owner.groups} & registry.group_by_id.keys()
        shared = Counter(ref.ref for group in groups for ref in registry.refs_of(registry.group_by_id[group]))
        for name, count in shared.items():
            if count > 1:
                yield Problem(owner.where, f"{count} of its attribute groups contain `{name}`")


def acyclic_groups(registry: Registry) -> Iterator[Problem]:
    """No group contains itself."""
    for group in registry.groups:
        seen: set[str] = set()
        todo = [use.ref_group for use in group.groups]
        while todo:
            name = todo.pop()
            if name in registry.group_by_id and name not in seen:
                seen.add(name)
                todo += [use.ref_group for use in registry.group_by_id[name].groups]
        if group.id in seen:
            yield Problem(group.where, f"attribute group `{group.id}` contains itself")


def honest_deprecation(registry: Registry) -> Iterator[Problem]:
    """A renamed attribute points at a living one of the same type, any other says why, and no signal uses it."""
    for attribute in registry.attributes:
        gone = attribute.deprecated
        if gone is None:
            continue
        if gone.reason != "renamed":
            if not gone.note:
                yield Problem(attribute.where, f"`{attribute.key}` is {gone.reason} without a note")
            continue
        heir = registry.attribute_by_key.get(gone.renamed_to)
        if heir is None:
            yield Problem(attribute.where, f"`{attribute.key}` is renamed to `{gone.renamed_to}`, which is not defined")
        elif heir.deprecated:
            yield Problem(attribute.where, f"`{attribute.key}` is renamed to `{heir.key}`, which is deprecated itself")
        elif heir.type != attribute.type:
            yield Problem(attribute.where, f"`{attribute.key}` is {attribute.type}, but `{heir.key}` is {heir.type}")


def every_attribute_is_used(registry: Registry) -> Iterator[Problem]:
    """What no span and no event carries is not part of a convention; what is deprecated must not be carried."""
    used = {ref.ref: ref.where for signal in registry.signals for ref in registry.refs_of(signal)}
    for attribute in registry.attributes:
        if attribute.deprecated and attribute.key in used:
            yield Problem(used[attribute.key], f"`{attribute.key}` is deprecated but still referred to")
        if not attribute.deprecated and attribute.key not in used:
            yield Problem(attribute.where, f"no event or span uses `{attribute.key}`")


def stability_flows_down(registry: Registry) -> Iterator[Problem]:
    """Nothing promises more than what it is made of, except where the user must opt in."""
    for signal in registry.signals:
        for ref in registry.refs_of(signal):
            attribute = registry.attribute_by_key.get(ref.ref)
            if attribute is None or ref.level == "opt_in":
                continue
            if _STABILITIES.index(attribute.stability) < _STABILITIES.index(signal.stability):
                yield Problem(
                    ref.where, f"{signal.stability} `{signal.name}` relies on {attribute.stability} `{attribute.key}`"
                )


RULES: tuple[Rule, ...] = (
    well_formed_names,
    unique_names,
    no_name_is_a_namespace,
    distinct_constants,
    plural_means_array,
    described,
    exemplified,
    sound_enums,
    resolved_references,
    unambiguous_references,
    acyclic_groups,
    honest_deprecation,
    every_attribute_is_used,
    stability_flows_down,
)


def _names_by_kind(registry: Registry) -> Iterator[list[tuple[str, str]]]:
    yield [(a.key, a.where) for a in registry.attributes]
    yield [(g.id, g.where) for g in registry.groups]
    yield [(e.name, e.where) for e in registry.events]
    yield [(s.type, s.where) for s in registry.spans]


def _all_names(registry: Registry) -> Iterator[tuple[str, str]]:
    for names in _names_by_kind(registry):
        yield from names


def _owners(registry: Registry) -> Iterator[Owner]:
    yield from registry.groups
    yield from registry.signals


def _fits(attribute: Attribute, example: Example) -> bool:
    if attribute.type in (ENUM, "any"):
        return True
    if attribute.is_array:
        return isinstance(example, tuple) and all(_is(attribute.type[:-2], value) for value in example)
    return _is(attribute.type, example)


def _is(primitive: str, value: object) -> bool:
    # To Python a boolean is a whole number; to a reader of telemetry it is not.
    return isinstance(value, _PYTHON[primitive]) and (primitive == "boolean" or not isinstance(value, bool))
