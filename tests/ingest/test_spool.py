"""The write-ahead log: what was forced to disk is read back, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actorscope.ingest.spool import Record, Segment, Spool, Unreadable, digest_of, read, record_of, scan

_FEW = settings(max_examples=60, deadline=None)
_RECORDS = [Record("traces" if i % 3 else "logs", bytes([i]) * (i * 7), 10**18 + i, bytes([i]) * 16) for i in range(6)]


def _segment(folder: Path, *batches: list[Record]) -> Path:
    segment = Segment(folder / "000000000001.wal")
    for batch in batches:
        segment.append(batch)
    segment.close()
    return segment.path


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return _segment(tmp_path_factory.mktemp("whole"), _RECORDS).read_bytes()


@_FEW
@given(bodies=st.lists(st.tuples(st.sampled_from(["traces", "logs"]), st.binary(max_size=300)), max_size=12))
def test_what_is_appended_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[tuple[str, bytes]]
) -> None:
    records = [record_of(signal, body) for signal, body in bodies]
    path = _segment(tmp_path_factory.mktemp("log"), records[:3], records[3:])
    assert list(read(path)) == records
    assert path.stat().st_size == sum(record.size for record in records)


def _ends() -> list[int]:
    return [sum(record.size for record in _RECORDS[: n + 1]) for n in range(len(_RECORDS))]


@_FEW
@given(data=st.data())
def test_reading_stops_at_a_cut(tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.mktemp("cut") / "1.wal"
    path.write_bytes(whole[:cut])
    assert list(read(path)) == [record for record, end in zip(_RECORDS, _ends(), strict=True) if end <= cut]


@_FEW
@given(data=st.data())
def test_a_flipped_bit_costs_the_record_it_is_in(
    tmp_path_factory: pytest.TempPathFactory, whole: bytes, data: st.DataObject
) -> None:
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    damaged = bytearray(whole)
    damaged[at] ^= 1 << bit
    path = tmp_path_factory.mktemp("flip") / "1.wal"
    path.write_bytes(damaged)
    whole_ones, found = [record for record, end in zip(_RECORDS, _ends(), strict=True) if end <= at], list(read(path))
    hit = len(whole_ones)
    assert found[:hit] == whole_ones and _RECORDS[hit] not in found
    start = _ends()[hit] - _RECORDS[hit].size
    if at - start >= 4:  # its length is right: what follows is read as well
        assert found == [*whole_ones, *_RECORDS[hit + 1 :]]
    unread = [one.data for one in scan(path) if isinstance(one, Unreadable)]
    assert sum(map(len, unread)) + sum(record.size for record in found) == len(whole), "no byte is passed over in silence"


def test_zeros_after_the_end_are_no_record(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "1.wal"
    path.write_bytes(whole + bytes(4096))
    assert list(read(path)) == _RECORDS


def test_segment_numbers_rise_over_restarts(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    numbers = [first.open_segment().number, first.open_segment().number]
    second = Spool(tmp_path)
    numbers.append(second.open_segment().number)
    assert numbers == [1, 2, 3]
    assert second.ingester == first.ingester


def test_a_stored_segment_s_number_is_not_used_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    full = spool.open_segment()
    full.append(_RECORDS)
    spool.open_segment()
    spool.remove(full.path)
    again = Spool(tmp_path)
    assert again.left_over == []
    assert again.open_segment().number == 3


@pytest.mark.parametrize("deleted", ["files", "folder", "root"])
def test_a_spool_deleted_by_hand_goes_on_as_another_ingester(tmp_path: Path, deleted: str) -> None:
    root = tmp_path / "spool"
    spool = Spool(root)
    spool.open_segment().append(_RECORDS)
    if deleted == "files":
        for path in spool.folder.glob("*.wal"):
            path.unlink()
    else:
        shutil.rmtree(root if deleted == "root" else spool.folder)
    assert Spool(root).ingester != spool.ingester


def test_left_over_segments_are_found_beside_a_folder_without_any(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    segment = spool.open_segment()
    segment.append(_RECORDS)
    for name in ("000000000000", "ffffffffffff"):
        (tmp_path / name).mkdir()
    again = Spool(tmp_path)
    assert (again.ingester, again.left_over) == (spool.ingester, [segment.path])
    assert list(read(segment.path)) == _RECORDS
    assert again.bytes_on_disk() == segment.size


def _full_disk(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_segment_whose_sync_failed_is_trusted_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment(tmp_path / "1.wal")
    segment.append(_RECORDS[:2])
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fdatasync", _full_disk)
        segment.append(_RECORDS[2:4])
    with pytest.raises(OSError, match="takes no more"):
        segment.append(_RECORDS[4:])
    assert list(read(segment.path)) == _RECORDS[:2]
    assert segment.size == segment.path.stat().st_size


def test_a_failed_write_leaves_nothing_to_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment(tmp_path / "1.wal")
    segment.append(_RECORDS[:2])
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "write", _full_disk)
        segment.append(_RECORDS[2:4])
    assert list(read(segment.path)) == _RECORDS[:2]
    segment.append(_RECORDS[4:])
    assert list(read(segment.path)) == _RECORDS[:2] + _RECORDS[4:]
    assert segment.size == segment.path.stat().st_size


def test_half_a_write_is_cut_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment(tmp_path / "1.wal")
    real, calls = os.write, iter([20, 0])

    def short(fd: int, data: memoryview) -> int:
        return real(fd, data[:20]) if next(calls) else _full_disk()

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "write", short)
        segment.append(_RECORDS)
    assert segment.path.stat().st_size == 0
    segment.append(_RECORDS)
    assert list(read(segment.path)) == _RECORDS


def test_a_segment_that_cannot_be_cut_back_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment = Segment(tmp_path / "1.wal")
    segment.append(_RECORDS[:1])
    real = os.write
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "write", lambda fd, data: real(fd, data[:20]) and _full_disk() or 0)
        patch.setattr(os, "ftruncate", _full_disk)
        segment.append(_RECORDS[1:2])
    with pytest.raises(OSError, match="takes no more"):
        segment.append(_RECORDS[2:])
    assert list(read(segment.path)) == _RECORDS[:1]
    assert segment.size == segment.path.stat().st_size


def test_a_segment_that_cannot_be_made_costs_a_number_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = Spool(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(os, "fsync", _full_disk)
        spool.open_segment()
    assert spool.open_segment().number == 2


def test_the_label_of_a_sender_is_kept_with_the_request_and_old_records_are_still_read(tmp_path: Path) -> None:
    segment = Segment(tmp_path / "1.wal")
    records = [
        record_of("traces", b"plain"), record_of("traces", b"body", 3, "acme", "düsk"), record_of("logs", b"", 0, "", "batch")
    ]  # fmt: skip
    segment.append(records)
    assert list(read(segment.path)) == records
    assert segment.size == sum(record.size for record in records) == segment.path.stat().st_size


@_FEW
@given(content=st.binary(max_size=40), signal=st.integers(0, 255))
def test_any_content_behind_a_right_checksum_is_read_or_ends_the_reading(content: bytes, signal: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "1.wal"
        head = struct.pack("<IIBQ16s", len(content), 0, signal, 1, bytes(16))
        crc = zlib.crc32(content, zlib.crc32(head))
        path.write_bytes(head[:4] + struct.pack("<I", crc) + head[8:] + content)
        assert len(list(read(path))) <= 1


def test_what_another_tenant_sends_is_another_request() -> None:
    assert digest_of("traces", b"abc", "acme") != digest_of("traces", b"abc", "zeta") != digest_of("traces", b"abc")


def test_the_digest_of_a_request_never_changes() -> None:
    assert digest_of("traces", b"abc").hex() == "b09190c6b8c28629dae4ed7cae7740c2"
    assert digest_of("traces", b"abc") != digest_of("logs", b"abc") != digest_of("logs", b"abd")
