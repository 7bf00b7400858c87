"""The generator: what it writes is right, stays the same, and is only written when it differs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from actorscope.errors import DefinitionError
from actorscope.semconv import generate as generator
from actorscope.semconv.generated import attributes, enums, events
from actorscope.semconv.load import load

Write = Callable[..., Path]


@pytest.fixture
def room(write: Write) -> Path:
    """A room with the small registry, beside an empty docs folder."""
    folder = write().parent
    shutil.copytree(generator.ROOM / "templates", folder / "semconv" / "templates")
    shutil.move(folder / "registry", folder / "semconv" / "registry")
    (folder / "semconv" / "generated").mkdir()
    (folder / "docs").mkdir()
    return folder / "semconv"


def run(path: Path) -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": path.stem}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), scope)
    return scope


def test_everything_is_written_once_and_then_left_alone(room: Path) -> None:
    written = generator.generate(room=room)
    assert sorted(path.name for path in written) == ["attributes.py", "enums.py", "events.py", "semconv.md"]
    before = {path: path.read_bytes() for path in written}
    assert generator.generate(room=room) == []
    assert generator.generate(check=True, room=room) == []
    assert {path: path.read_bytes() for path in written} == before


def test_a_check_names_what_differs_and_writes_nothing(room: Path) -> None:
    assert len(generator.generate(check=True, room=room)) == 4
    assert list((room / "generated").iterdir()) == []
    generator.generate(room=room)
    edited = room / "generated" / "enums.py"
    edited.write_text("# by hand\n", encoding="utf-8")
    assert generator.generate(check=True, room=room) == [edited]
    assert edited.read_text(encoding="utf-8") == "# by hand\n"


def test_only_what_depends_on_a_change_is_rewritten(room: Path) -> None:
    generator.generate(room=room)
    words = room / "registry" / "words.yaml"
    words.write_text(words.read_text().replace("The delegator waits.", "The delegator stands still."))
    assert [path.name for path in generator.generate(room=room)] == ["enums.py", "semconv.md"]


def test_an_installed_package_has_no_docs_to_write(room: Path) -> None:
    (room.parent / "docs").rmdir()
    assert "semconv.md" not in [path.name for path in generator.generate(room=room)]
    assert not (room.parent / "docs").exists()


def test_a_registry_that_breaks_a_law_generates_nothing(room: Path) -> None:
    words = room / "registry" / "words.yaml"
    words.write_text(words.read_text().replace('examples: ["dlg_1"]', "examples: [1]"))
    assert [problem.where for problem in generator.check(room)] == ["registry/words.yaml:3"]
    with pytest.raises(DefinitionError, match="is not string"):
        generator.generate(room=room)
    assert list((room / "generated").iterdir()) == []


def test_check_reports_unreadable_files_too(room: Path) -> None:
    (room / "registry" / "words.yaml").write_text("attributes: [", encoding="utf-8")
    assert any("is not YAML" in problem.message for problem in generator.check(room))


def test_generated_modules_carry_the_names(room: Path) -> None:
    generator.generate(room=room)
    constants = run(room / "generated" / "attributes.py")
    assert constants["ACME_DELEGATION_ID"] == "acme.delegation.id"
    assert constants["CORE"] == ("acme.delegation.id",)
    assert run(room / "generated" / "events.py")["ACME_DELEGATION_ACCEPTED"] == "acme.delegation.accepted"
    mode = run(room / "generated" / "enums.py")["DelegationMode"]
    assert issubclass(mode, StrEnum)
    assert [(member.name, member.value) for member in mode] == [("WAIT", "wait"), ("DETACHED", "detached")]


def test_the_document_has_tables_that_hold_their_shape(room: Path) -> None:
    generator.generate(room=room)
    text = (room.parent / "docs" / "semconv.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert "DO NOT EDIT" in lines[0] and "actorscope semconv generate" in lines[0]
    assert "| `acme.delegation.mode` | enum | What the delegator does \\| meanwhile. | `wait`, `detached` |" in lines
    assert "| `acme.delegation.id` | required, *at start* |" in lines
    assert "| `acme.delegation.mode` | required if it is known |" in lines
    for before, line in zip(lines, lines[1:], strict=False):
        if before.startswith("|") and line.startswith("|"):
            assert before.replace("\\|", "").count("|") == line.replace("\\|", "").count("|"), line


def test_quotes_and_backslashes_in_a_brief_do_not_break_the_code(room: Path) -> None:
    words = room / "registry" / "words.yaml"
    nasty = r'brief: A "quoted" \ """ and very ' + "long " * 60 + "brief."
    words.write_text(words.read_text().replace("brief: The delegator waits.", nasty))
    generator.generate(room=room)
    text = (room / "generated" / "enums.py").read_text(encoding="utf-8")
    assert run(room / "generated" / "enums.py")["DelegationMode"].WAIT == "wait"
    assert max(map(len, text.splitlines())) <= 120


def test_what_is_generated_agrees_with_our_registry() -> None:
    registry = load()
    constants = {value for name, value in vars(attributes).items() if name.startswith("ACTORSCOPE_")}
    assert constants == set(registry.attribute_by_key)
    names = {value for name, value in vars(events).items() if name.startswith("ACTORSCOPE_")}
    assert names == {event.name for event in registry.events}
    classes = {c for c in vars(enums).values() if isinstance(c, type) and issubclass(c, StrEnum) and c is not StrEnum}
    assert len(classes) == sum(bool(attribute.members) for attribute in registry.attributes)
    assert enums.DelegationMode("return_to_caller") is enums.DelegationMode.RETURN_TO_CALLER
    assert attributes.BAGGAGE == (
        "actorscope.execution.id",
        "actorscope.delegation.id",
        "actorscope.delegation.depth",
        "actorscope.delegation.root.id",
        "actorscope.delegation.chain",
        "actorscope.delegation.task.id",
    )
