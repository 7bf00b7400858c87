"""The loader: what it understands, and that it reports everything it does not, with the line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from actorscope.errors import DefinitionError
from actorscope.semconv.load import load
from actorscope.semconv.model import AttributeRef, Registry

Write = Callable[..., Path]


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(DefinitionError) as caught:
        load(folder)
    return [str(problem) for problem in caught.value.problems]


def test_a_sound_registry_becomes_a_model(write: Write) -> None:
    registry = load(write())
    mode = registry.attribute_by_key["acme.delegation.mode"]
    assert (mode.type, [member.value for member in mode.members]) == ("enum", ["wait", "detached"])
    scopes = registry.attribute_by_key["acme.delegation.scopes"]
    assert scopes.examples == (("a:read", "a:write"),)
    assert scopes.note == "First line and second line."
    assert [group.id for group in registry.groups if group.is_public] == ["acme.core"]
    assert [(span.type, span.refines) for span in registry.spans] == [
        ("acme.delegate.internal", ""),
        ("acme.invoke_agent.internal", "gen_ai.invoke_agent.internal"),
    ]
    assert registry.manifest.upstream_namespaces == ("gen_ai",)


def ref(registry: Registry, span: str, key: str) -> AttributeRef:
    owner = next(s for s in registry.spans if s.type == span)
    return next(r for r in registry.refs_of(owner) if r.ref == key)


def test_own_references_override_those_of_groups(write: Write) -> None:
    registry = load(write())
    own = ref(registry, "acme.delegate.internal", "acme.delegation.id")
    assert (own.level, own.sampling_relevant) == ("required", True)
    assert ref(registry, "acme.invoke_agent.internal", "acme.delegation.id").level == "recommended"
    shared = ref(registry, "acme.delegate.internal", "acme.delegation.mode")
    assert (shared.level, shared.condition) == ("conditionally_required", "if it is known")


def test_places_name_file_and_line(write: Write) -> None:
    attributes = load(write()).attributes
    assert [attribute.where for attribute in attributes] == [f"registry/words.yaml:{n}" for n in (3, 8, 21)]


def test_all_problems_of_all_files_are_reported_at_once(write: Write, words: str) -> None:
    spoilt = words.replace("    type: string\n", "    type: strnig\n", 1).replace("kind: internal", "kind: sideways")
    folder = write(spoilt.replace("visibility: public", "visibility: secret"), "schema_url: https://x\n")
    (folder / "broken.yaml").write_text("file_format: definition/2\nattributes: [\n", encoding="utf-8")
    (folder / "old.yaml").write_text("file_format: definition/1\n", encoding="utf-8")
    found = problems_of(folder)
    assert [place.split(": ")[0] for place in found] == [
        "registry/manifest.yaml:1",
        "registry/broken.yaml:3",
        "registry/old.yaml:1",
        "registry/words.yaml:3",
        "registry/words.yaml:38",
        "registry/words.yaml:45",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("    brief: Identifier of a delegation.\n", "", "words.yaml:3: `brief` is missing"),
        ("    brief: Identifier of a delegation.\n", "    breif: x\n", "unknown key `breif`"),
        ("    type: string\n", "    type: strnig\n", "unknown type `strnig`"),
        ("    type: string\n", "", "`type` is missing"),
        ("    stability: development\n", "    stability: experimental\n", "`stability` is `experimental`"),
        ("    stability: development\n", "", "`stability` is missing"),
        ("  - key: acme.delegation.id", "  - key: 7", "`key` must be text, not int"),
        ("  - key: acme.delegation.id", "  - acme.delegation.id\n  - key: acme.x", "entry 1 of `attributes`"),
        ("    type: string\n", "    type: string\n    type: int\n", "words.yaml:5: key `type` is given twice"),
        ('          value: "wait"', "          value: [1]", "`value` must be text"),
        ("          brief: The delegator waits.\n", "", "words.yaml:11: `brief` is missing"),
        ("visibility: internal", "visibility: secret", "`visibility` is `secret`"),
        ("          conditionally_required: if it is known", "          conditionally_required:", "is missing"),
        ("          conditionally_required: if it is known", "          required: always", "`requirement_level` takes"),
        ("requirement_level: opt_in", "requirement_level: conditionally_required", "needs the condition"),
        ("requirement_level: opt_in", "requirement_level: maybe", "`requirement_level` is `maybe`"),
        ("sampling_relevant: true", "sampling_relevant: 1", "`sampling_relevant` must be true or false"),
        ("visibility: internal", "visibility: internal\n    brief: X.", "unknown key `brief`"),
        (
            "      - ref: acme.delegation.scopes",
            "      - ref: x\n        sampling_relevant: true",
            "unknown key `sampl",
        ),
        ("kind: internal", "kind: sideways", "`kind` is `sideways`"),
        ("    kind: internal\n", "", "`kind` is missing"),
        ('    name:\n      note: "`delegate {acme.delegation.id}`"\n', "", "`name` must be a mapping"),
        ("    ref: gen_ai.invoke_agent.internal\n", "", "`ref` is missing"),
        ("events:\n", "evnets:\n", "unknown key `evnets`"),
        ("file_format: definition/2\n", "", "`file_format` is missing"),
        ("file_format: definition/2\n", "file_format: definition/1\n", "`file_format` is not"),
        ("    examples:", "    deprecated: yes\n    examples:", "`deprecated` must be a mapping"),
        ("    examples:", "    deprecated: {note: x}\n    examples:", "`reason` is missing"),
        ("    examples:", "    deprecated: {reason: bored}\n    examples:", "`reason` is `bored`"),
        ("    examples:", "    deprecated: {reason: renamed}\n    examples:", "`renamed_to` is missing"),
    ],
)
def test_each_fault_of_shape_is_named(write: Write, words: str, old: str, new: str, message: str) -> None:
    assert old in words
    found = problems_of(write(words.replace(old, new, 1)))
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("key: acme.delegation.id", "key"),
        ("id: wait", "id"),
        ("id: acme.core", "id"),
        ("visibility: public", "visibility"),
        ("name: acme.delegation.accepted", "name"),
        ("brief: The delegate took the work.", "brief"),
        ("type: acme.delegate.internal", "type"),
        ("brief: Handing work over.", "brief"),
        ("id: acme.invoke_agent.internal", "id"),
        ("ref_group: acme.delegation.common", "ref_group"),
        ("ref: acme.delegation.scopes", "ref"),
    ],
)
def test_what_must_be_there_is_missed(write: Write, words: str, line: str, key: str) -> None:
    assert line in words
    found = problems_of(write(words.replace(line, f"{key}:", 1)))
    assert any(f"`{key}` is missing" in problem for problem in found), found


@pytest.mark.parametrize("text", ["", "- a\n", "just text\n", "\x00", "a: &x [*x]\n"])
def test_no_file_content_escapes_as_another_exception(write: Write, text: str) -> None:
    folder = write()
    (folder / "odd.yaml").write_text(text, encoding="utf-8")
    assert any("odd.yaml" in problem for problem in problems_of(folder))


def test_a_missing_manifest_is_a_problem(write: Write) -> None:
    folder = write()
    (folder / "manifest.yaml").unlink()
    assert any("manifest.yaml: cannot be read" in problem for problem in problems_of(folder))


def test_our_own_registry_loads() -> None:
    registry = load()
    assert registry.manifest.namespace == "actorscope"
    assert {"actorscope.span.start", "actorscope.authz.decision"} <= {event.name for event in registry.events}
    assert len(next(group for group in registry.groups if group.id == "actorscope.core").attributes) == 22
