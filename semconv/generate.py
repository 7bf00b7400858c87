"""Turns the registry into the files that others use: constants, enums, event names and the document."""

from __future__ import annotations

import re
import textwrap
from itertools import groupby
from pathlib import Path

import jinja2

from actorscope.errors import DefinitionError, Problem
from actorscope.semconv.load import load
from actorscope.semconv.model import ENUM, Attribute, AttributeRef, Example, Owner, Registry, Span
from actorscope.semconv.rules import broken

ROOM = Path(__file__).resolve().parent
# Template -> generated file, seen from the room. The document lies outside the package.
OUTPUTS = {
    "attributes.py.j2": "generated/attributes.py",
    "enums.py.j2": "generated/enums.py",
    "events.py.j2": "generated/events.py",
    "semconv.md.j2": "../docs/semconv.md",
    "attributes.go.j2": "../collector/semconv/attributes.go",
}
_WIDTH = 116
_LEVELS = {"required": "required", "recommended": "recommended", "opt_in": "opt-in"}


def check(room: Path = ROOM) -> list[Problem]:
    """Everything wrong with the registry; the laws are only asked once all files can be read."""
    try:
        return broken(load(room / "registry"))
    except DefinitionError as error:
        return error.problems


def generate(check: bool = False, room: Path = ROOM) -> list[Path]:
    """Writes what differs and returns it; with `check` only says what would be written.

    Raises DefinitionError if the registry breaks a law. A target folder that is not there is left out: an installed
    package has no `docs/` beside it.
    """
    registry = load(room / "registry")
    if problems := broken(registry):
        raise DefinitionError(problems)
    changed = []
    for template, target in OUTPUTS.items():
        path = (room / target).resolve()
        if not path.parent.is_dir():
            continue
        text = render(registry, template, room / "templates")
        if not path.is_file() or path.read_bytes() != text.encode():
            changed.append(path)
            if not check:
                path.write_bytes(text.encode())
    return changed


def render(registry: Registry, template: str, templates: Path = ROOM / "templates") -> str:
    """The text of one generated file."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # the output is Python and Markdown, and the input is our own
    )
    environment.filters.update(
        constant=_constant, go_name=_go_name, class_name=_class_name, comment=_comment, docstring=_docstring, cell=_cell, level=_level
    )
    attributes = sorted(registry.attributes, key=lambda attribute: attribute.key)
    return environment.get_template(template).render(
        registry=registry,
        attributes=attributes,
        enums=[attribute for attribute in attributes if attribute.type == ENUM],
        namespaces=[(name, list(members)) for name, members in groupby(attributes, _namespace)],
        sets=[group for group in registry.groups if group.is_public],
        events=sorted(registry.events, key=lambda event: event.name),
        values=_values,
        refs=lambda owner: _refs(registry, owner),
        span_title=_span_title,
    )


def _constant(name: str) -> str:
    return name.replace(".", "_").upper()


def _go_name(key: str) -> str:
    """`actorscope.agent.principal.id` -> `AgentPrincipalID`."""
    words = re.split(r"[._]", key.partition(".")[2])
    return "".join("ID" if word == "id" else word.capitalize() for word in words)


def _class_name(key: str) -> str:
    """`actorscope.delegation.mode` -> `DelegationMode`."""
    words = key.replace("_", ".").split(".")[1:]
    return "".join(word.capitalize() for word in words)


def _comment(text: str, prefix: str = "#: ") -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False)


def _docstring(text: str, indent: int = 4) -> str:
    safe = text.replace("\\", "\\\\").replace('"', "'")
    margin = " " * indent
    body = textwrap.wrap(safe, _WIDTH - indent, break_on_hyphens=False)
    if len(body) == 1:
        return f'{margin}"""{body[0]}"""'
    return "\n".join([f'{margin}"""{body[0]}', *(f"{margin}{line}" for line in body[1:]), f'{margin}"""'])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _namespace(attribute: Attribute) -> str:
    return ".".join(attribute.key.split(".")[:2])


def _values(attribute: Attribute) -> str:
    """What the last column shows: the members of an enum, or the examples."""
    if attribute.members:
        return ", ".join(f"`{member.value}`" for member in attribute.members)
    return ", ".join(f"`{_literal(example)}`" for example in attribute.examples)


def _literal(example: Example) -> str:
    if isinstance(example, tuple):
        return "[" + ", ".join(_literal(value) for value in example) + "]"
    return str(example)


def _level(ref: AttributeRef) -> str:
    if ref.level == "conditionally_required":
        return f"required {ref.condition}"
    return f"{_LEVELS[ref.level]} {ref.condition}".rstrip()


def _refs(registry: Registry, owner: Owner) -> list[AttributeRef]:
    """Required ones first, otherwise in the order of the registry."""
    order = ("required", "conditionally_required", "recommended", "opt_in")
    return sorted(registry.refs_of(owner), key=lambda ref: order.index(ref.level))


def _span_title(span: Span) -> str:
    return f"`{span.refines}` (what we add)" if span.refines else f"`{span.type}`"
