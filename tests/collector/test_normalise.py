"""The normaliser of the collector says what the reference says, of every record and every column."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collector import read_marks
from tests.collector.conftest import Replay
from tests.conftest import RECORDINGS
from tests.ingest import otlp
from tests.ingest.edge import marked
from tests.ingest.test_native_normalise import _KEYS, _PAIRS, _SCOPES, _VALUES, _WHERE, _span

from actorscope.cli.replay import read
from actorscope.ingest import decode_python, normalise
from actorscope.semconv.dialects import columns

Replays = tuple[Replay, Replay]
_FILES = sorted(RECORDINGS.glob("*.binpb.gz"))
_CANONICAL = {column.attribute for column in columns()}


def expected(signal: str, body: bytes) -> list[dict[str, Any]]:
    """What the reference says of what came."""
    if signal == "logs":
        return normalise.reference_logs(decode_python.decode_logs([body])).to_pylist()
    return normalise.reference(decode_python.decode_traces([body])).to_pylist()


def agree(replays: Replays, signal: str, body: bytes) -> None:
    """Both ways of writing give back what the reference says, and what is written agrees with the contract."""
    wanted = expected(signal, body)
    for keeps, replay in zip((True, False), replays, strict=True):
        made = replay(signal, body)
        for number, (row, right) in enumerate(zip(read_marks.rows(signal, made), wanted, strict=True)):
            wrong = {name: (row[name], right[name]) for name in right if _told(row[name]) != _told(right[name])}
            assert not wrong, (number, keeps, wrong)
        for came, after in zip(read_marks.records(signal, body), read_marks.records(signal, made), strict=True):
            originals_are_kept(came, after, keeps)


def _told(value: Any) -> Any:
    """A value as it is compared: among names, Python prints letters as escapes that are younger than its tables, but not Go's."""
    if not isinstance(value, list):
        return value
    return ["".join(c.encode("unicode_escape").decode() if category(c) == "Cn" else c for c in name) for name in value]


def originals_are_kept(before: dict[str, Any], after: dict[str, Any], keeps: bool) -> None:
    """Nothing that came is lost where originals are kept; where not, nothing is kept beside the canonical attributes."""
    if read_marks.keys.ACTORSCOPE_EDGE_DIALECT not in after:
        assert _raw(after) == _raw(before)
        return
    if not keeps:
        assert not {key for key in after if key.startswith(read_marks.ORIGINAL)} - set(before)
        return
    found = _raw(after)
    for key, value in _raw(before).items():
        kept = value in (found.get(key), found.get(read_marks.ORIGINAL + key))
        assert kept or key.startswith("actorscope.edge."), key
        assert (read_marks.ORIGINAL + key not in after) or key in _CANONICAL


def _raw(attributes: dict[str, Any]) -> dict[str, bytes]:
    """Values as bytes, by which what is no number is equal to itself."""
    return {key: value.SerializeToString() for key, value in attributes.items()}


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_recordings_mean_the_same(path: Path, replays: Replays) -> None:
    for recorded in read(path):
        agree(replays, recorded.signal, recorded.body)


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_both_writers_write_the_same(path: Path, replays: Replays) -> None:
    """Also what goes: without originals, attributes that became a fact as a whole, and no others."""
    for recorded in read(path):
        for keeps, replay in zip((True, False), replays, strict=True):
            made, other = replay(recorded.signal, recorded.body), marked(recorded.signal, recorded.body, keeps)
            for one, two in zip(read_marks.records(recorded.signal, made), read_marks.records(recorded.signal, other), strict=True):
                assert _raw(one) == _raw(two)


@settings(max_examples=200, deadline=None)
@given(spans=st.lists(st.tuples(_span(), _SCOPES), min_size=1, max_size=4), resource=_PAIRS)
def test_spans_with_any_attributes_mean_the_same(
    replays: Replays, spans: list[tuple[Any, str]], resource: dict[str, str]
) -> None:
    # Requests one after the other are one request with all that is in them.
    agree(replays, "traces", b"".join(otlp.traces(span, scope=scope, resource=resource) for span, scope in spans))


@settings(max_examples=100, deadline=None)
@given(records=st.lists(st.tuples(_PAIRS, _VALUES, st.sampled_from(["", *_WHERE])), min_size=1, max_size=4))
def test_log_records_with_any_attributes_mean_the_same(
    replays: Replays, records: list[tuple[dict[str, str], str, str]]
) -> None:
    agree(replays, "logs", otlp.logs(*(otlp.record(body, pairs, event_name=event) for pairs, body, event in records)))


_PLAIN = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(0, 9), st.floats(), st.booleans(), st.binary(max_size=5), st.none(), _VALUES
)
_TYPED = st.recursive(
    _PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "é", "role", "content"]), inner), max_leaves=6
)


@settings(max_examples=200, deadline=None)
@given(spans=st.lists(st.lists(st.tuples(st.sampled_from(_KEYS), _TYPED), max_size=9), min_size=1, max_size=4))
def test_values_of_any_type_mean_the_same(replays: Replays, spans: list[list[tuple[str, Any]]]) -> None:
    # A key may be there twice: its last value counts.
    made = [[(key, value) for key, value in pairs if not key.startswith("@")] for pairs in spans]
    agree(replays, "traces", otlp.traces(*(otlp.span(number, pairs) for number, pairs in enumerate(made, 1))))
