"""The normaliser of the collector as a filter: built once, one process for each way of writing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import ROOT

COLLECTOR = ROOT / "collector"


class Replay:
    """A running `collector/cmd/replay`: requests in, processed requests out."""

    def __init__(self, program: Path, keep_originals: bool) -> None:
        flag = f"-keep-originals={str(keep_originals).lower()}"
        self._process = subprocess.Popen([program, flag], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, signal: str, body: bytes) -> bytes:
        """A request of `traces` or `logs` as the collector sends it on."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        frame = signal[:1].encode() + body
        stdin.write(_varint(len(frame)) + frame)
        stdin.flush()
        answer = stdout.read(_read_varint(stdout))
        assert answer[:1] == frame[:1]
        return answer[1:]

    def close(self) -> None:
        """End the process; it must have ended well."""
        self._process.communicate()
        assert self._process.returncode == 0


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _read_varint(stream: Any) -> int:
    number = shift = 0
    while byte := stream.read(1):
        number |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return number
        shift += 7
    raise EOFError("the filter has ended")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The filter, built."""
    if (go := shutil.which("go")) is None:
        pytest.skip("no Go toolchain")
    made = tmp_path_factory.mktemp("collector") / "replay"
    environment = {**os.environ, "CGO_ENABLED": "0"}
    subprocess.run([go, "build", "-o", made, "./cmd/replay"], cwd=COLLECTOR, check=True, env=environment)
    return made


@pytest.fixture(scope="session")
def replays(program: Path) -> Iterator[tuple[Replay, Replay]]:
    """The filter that keeps originals and the one that does not."""
    both = Replay(program, True), Replay(program, False)
    yield both
    for one in both:
        one.close()
