"""A few rounds of the torture in every run of the tests; `make torture` does two hundred."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.torture.__main__ import embedded, is_fine, server

pytestmark = pytest.mark.e2e


def _check(report: dict[str, Any]) -> None:
    enough = len(report.pop("acknowledged"))
    assert is_fine(report), report
    assert enough > 100, report


def test_a_few_faults_of_the_process_and_its_disk_lose_and_double_nothing(tmp_path: Path) -> None:
    _check(embedded(4, 3, 4, tmp_path))


def test_a_few_faults_of_a_store_behind_http_lose_and_double_nothing(tmp_path: Path) -> None:
    _check(server(6, 3, 4, tmp_path))
