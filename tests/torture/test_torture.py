"""A few rounds of the torture in every run of the tests; `make torture` does two hundred."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("rounds", [8])
def test_a_few_faults_of_process_disk_and_store_lose_and_double_nothing(rounds: int) -> None:
    # A process of its own: the embedded engine opens one store for the life of a process, and here the tests' is open.
    command = [sys.executable, "-m", "tests.torture", "--rounds", str(rounds), "--seed", "3", "--senders", "4"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=540, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count(" fine") == 2, run.stdout
