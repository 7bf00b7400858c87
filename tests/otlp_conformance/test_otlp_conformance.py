"""Every row holds, or is listed with the reason; the document says what came out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.otlp_conformance import document
from tests.otlp_conformance.inside import open_peer
from tests.otlp_conformance.peer import Peer
from tests.otlp_conformance.rows import ROWS, Result, Row

from actorscope.ingest.store.client import Store

_FOUND: dict[str, Result] = {}


@pytest.fixture(scope="module")
def peer(chdb: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with open_peer(chdb, tmp_path_factory.mktemp("room")) as opened:
        yield opened


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_row_holds_or_is_excused(peer: Peer, row: Row) -> None:
    found = _FOUND[row.id] = row.run(peer)
    assert found.verdict == ("not met" if row.id in document.NOT_MET else "met"), f"{row.sentence}: {found.note}"


def test_no_row_of_the_checklist_is_left_out() -> None:
    wanted = {"G": 18, "H": 16, "J": 5, "D": 5, "C": 7}
    assert len({row.id for row in ROWS}) == len(ROWS)
    assert {row.id for row in ROWS} == {f"{letter}{n}" for letter, most in wanted.items() for n in range(1, most + 1)}
    assert document.NOT_MET.keys() <= {row.id for row in ROWS}


def test_the_document_says_what_was_measured() -> None:
    if len(_FOUND) < len(ROWS):
        pytest.skip("not all rows were run")
    assert document.PATH.read_text() == document.text(_FOUND), "run `python -m tests.otlp_conformance`"
