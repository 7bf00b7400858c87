"""A short run of every target; `make fuzz` is the long one. What broke one once is tried each time."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from tests.fuzz.mutate import mutations
from tests.fuzz.targets import TARGETS

_FINDS = sorted((Path(__file__).parent / "corpus").glob("*.bin"))
_INPUTS = {"door": 400, "encodings": 3000, "http2": 1000}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_changed_inputs_break_nothing(name: str) -> None:
    target = TARGETS[name]
    try:
        for data in (*target.seeds(), *islice(mutations(target.seeds(), 20261125), _INPUTS.get(name, 2000))):
            target.check(data)
    finally:
        target.close()


@pytest.mark.parametrize("path", _FINDS, ids=lambda path: path.name)
def test_what_broke_something_once_does_so_no_more(path: Path) -> None:
    TARGETS[path.name.partition("-")[0]].check(path.read_bytes())
