"""The Go side of `actorscope.ingest.policy`, as a process that answers one request after the other."""

from __future__ import annotations

import json
import subprocess
from base64 import b64encode
from pathlib import Path
from typing import IO, Any

from tests.conftest import ROOT

from actorscope.ingest.policy import Changes


def build(folder: Path) -> Path:
    """The command, built into this folder."""
    made = folder / "privacy"
    subprocess.run(["go", "build", "-o", str(made), "./cmd/privacy"], cwd=ROOT / "collector", check=True, timeout=600)
    return made


class Filter:
    """One process with one policy."""

    def __init__(self, command: Path, policy: dict[str, Any]) -> None:
        said = json.dumps({k: b64encode(v).decode() if isinstance(v, bytes) else v for k, v in policy.items()})
        self._process = subprocess.Popen([command, "-policy", said], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def apply(self, signal: str, body: bytes) -> tuple[bytes, Changes]:
        """As `Policy.apply`."""
        to, answer = self._process.stdin, self._process.stdout
        assert to is not None and answer is not None
        to.write(_varint(len(body)) + signal[:1].encode() + body)
        to.flush()
        changes = Changes(*(_read_varint(answer) for _ in range(4)))
        return answer.read(_read_varint(answer)), changes

    def close(self) -> None:
        self._process.communicate(timeout=30)


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 127:
        made.append(number & 127 | 128)
        number >>= 7
    return bytes([*made, number])


def _read_varint(source: IO[bytes]) -> int:
    number = shift = 0
    while True:
        byte = source.read(1)
        assert byte, "the process ended"
        number |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return number
        shift += 7
