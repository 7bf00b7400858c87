"""Every fact that a recording can show is shown and none is made up; what it cannot show is listed with the reason."""

from __future__ import annotations

import pytest
from tests.conformance import document
from tests.conformance.facts import FACTS, NAMES, Fact, everything

from actorscope.ingest.store.client import Store


@pytest.fixture(scope="module")
def measured(chdb: Store) -> dict[str, dict[str, Fact]]:
    return {name: found for name, (found, _) in everything(chdb).items()}


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_tells_all_that_it_can(measured: dict[str, dict[str, Fact]], name: str) -> None:
    wrong = {}
    for fact, found in measured[name].items():
        said = document.limits().get(name, {}).get(fact, {"shows": found.expected, "wrong": 0})
        if (found.shown, found.wrong) != (said["shows"], said["wrong"]):
            wrong[fact] = (
                f"{found.shown} of {found.expected} and {found.wrong} wrong, not {said}: {found.missing} {found.invented}"
            )
    assert wrong == {}


def test_limits_name_recordings_and_facts_that_exist_and_fall_short(measured: dict[str, dict[str, Fact]]) -> None:
    for name, facts in document.limits().items():
        for fact, said in facts.items():
            found = measured[name][fact]
            assert fact in FACTS and said["why"].strip(), (name, fact)
            assert (said["shows"], said["wrong"]) != (found.expected, 0), f"{name} {fact} is whole and needs no excuse"


def test_the_document_says_what_was_measured(measured: dict[str, dict[str, Fact]]) -> None:
    assert document.PATH.read_text() == document.text(measured), "run `python -m tests.conformance`"
