"""What is generated equals what the registry says: nobody edits it, nobody forgets to make it anew."""

from __future__ import annotations

from actorscope.semconv.generate import OUTPUTS, ROOM, check, generate


def test_the_registry_keeps_its_laws() -> None:
    assert [str(problem) for problem in check()] == []


def test_generated_files_equal_the_registry() -> None:
    assert generate(check=True) == [], "run `actorscope semconv generate`"


def test_every_generated_file_says_so() -> None:
    for target in OUTPUTS.values():
        head = (ROOM / target).read_text(encoding="utf-8")[:400]
        assert "DO NOT EDIT" in head and "actorscope semconv generate" in head, target
