"""A few rounds of `make torture`: nothing acknowledged is lost, nothing is stored twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.torture.__main__ import embedded, is_fine, server

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("play", [embedded, server])
def test_a_few_rounds(play: object, tmp_path: Path) -> None:
    report = play(6, 20261125, 6, tmp_path)  # type: ignore[operator]
    assert is_fine(report), {key: value for key, value in report.items() if key != "acknowledged"}
    assert len(report["acknowledged"]) > 500, "the test must have acknowledged enough to mean something"
