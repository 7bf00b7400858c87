"""Bytes that are nearly right: seeded changes to a corpus, so that any find can be made again from its seed."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from actorscope.cli.replay import read

_CORPUS = Path(__file__).parent / "corpus"
_NASTY = (
    b"\x00", b"\xff", b"\x80", b"\xff" * 9 + b"\x01", b"\xff\xff\xff\xff\x0f", b"\x0a", b"\x12", b'"', b"\\", b"\xed\xa0\x80", b"1e999"
)  # fmt: skip


def corpus(signal: str) -> list[bytes]:
    """Small real requests of every framework, kept beside this file."""
    return [recorded.body for recorded in read(_CORPUS / f"real.{'logs.' if signal == 'logs' else ''}binpb.gz")]


def mutations(bodies: Sequence[bytes], seed: int) -> Iterator[bytes]:
    """Endless changed bodies; the same for the same seed."""
    rng = random.Random(seed)
    while True:
        data = bytearray(rng.choice(bodies))
        for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
            rng.choice(_CHANGES)(rng, data, bodies)
        yield bytes(data)


def _flip(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _replace(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.randrange(256)


def _nasty(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.choice((0, 1, 4))] = rng.choice(_NASTY)


def _cut(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _remove(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.randrange(1, 40)]


def _repeat(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = data[at : at + rng.randrange(1, 60)] * rng.randrange(1, 4)


def _splice(rng: random.Random, data: bytearray, bodies: Sequence[bytes]) -> None:
    other = rng.choice(bodies)
    at, start = rng.randrange(len(data) + 1), rng.randrange(len(other) + 1)
    data[at : at + rng.randrange(60)] = other[start : start + rng.randrange(200)]


_CHANGES: tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...] = (
    _flip, _flip, _replace, _replace, _nasty, _cut, _remove, _repeat, _splice
)  # fmt: skip


def write_corpus(recordings: Path, most: int = 6000) -> None:
    """Make the corpus anew: the smallest distinct requests of each recording."""
    for signal, suffix in (("traces", "real.binpb.gz"), ("logs", "real.logs.binpb.gz")):
        chosen: list[bytes] = []
        for path in sorted(recordings.glob(f"*.{signal}.binpb.gz")):
            bodies = sorted({recorded.body for recorded in read(path)}, key=len)
            chosen += [body for body in (bodies[:1] + bodies[len(bodies) // 2 :][:1]) if len(body) <= most]
        with gzip.GzipFile(_CORPUS / suffix, "wb", mtime=0) as file:
            for body in chosen:
                file.write(_length(len(body)) + body)


def _length(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
