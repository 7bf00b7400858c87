"""For tests only: one server for the tests of the bridge, and an empty table in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.bridge import Bridge, bridge
from tests.bridge.bridge_samples import TABLE


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridge]:
    with bridge(tmp_path_factory.mktemp("clickhouse")) as running:
        running.client().command("CREATE DATABASE app ENGINE = Atomic")
        yield running


@pytest.fixture
def client(server: Bridge) -> Iterator[Any]:
    opened = server.client(database="app")
    opened.command("DROP TABLE IF EXISTS spans SYNC")
    opened.command(TABLE)
    yield opened
    server.fault("none")
    opened.close()
