"""A few rounds of the torture in every run of the tests; `make torture` does two hundred."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.torture.__main__ import embedded, is_fine, server

pytestmark = pytest.mark.e2e


def test_a_few_faults_of_the_process_and_its_disk_lose_and_double_nothing(tmp_path: Path) -> None:
    report = embedded(4, 3, 4, tmp_path)
    assert is_fine(report) and len(report["acknowledged"]) > 100, {**report, "acknowledged": len(report["acknowledged"])}


def test_a_few_faults_of_a_store_behind_http_lose_and_double_nothing(tmp_path: Path) -> None:
    report = server(6, 3, 4, tmp_path)
    assert is_fine(report) and len(report["acknowledged"]) > 100, {**report, "acknowledged": len(report["acknowledged"])}
