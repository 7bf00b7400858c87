"""The Collector plugin keeps, redacts and fingerprints what the ingester would, to the byte."""

from __future__ import annotations

import difflib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.collector.hostile import KEYS, NAMES, ODD, PARTS
from tests.collector.privacy_filter import Filter, build
from tests.conftest import RECORDINGS
from tests.ingest import otlp

from actorscope.cli.replay import read
from actorscope.ingest.decode_python import holders, parse
from actorscope.ingest.mask import Mask
from actorscope.ingest.policy import CUT_KEY, Policy
from actorscope.ingest.redact import Redactor
from actorscope.semconv.dialects import dialects
from actorscope.settings import LimitSettings

pytestmark = pytest.mark.skipif(shutil.which("go") is None, reason="no Go toolchain")
_KEY = bytes(range(32))
_GLOBS = ["*password*", "http.request.header.?ookie", "se[a-cr]ret*", "[!x]-token", "ſtraße", "k[", "*.ı?"]
_PATTERNS = [r"ada\d+", r"(?i)\bgeheim\w*\b", r"\bü\b|\Bz\b", r"[\d\s]{6,}#"]
_PRESETS = ["secrets", "emails", "cards"]
_CONFIGS: dict[str, dict[str, Any]] = {
    "limits": {"MaxAttributes": 8, "MaxValueBytes": 1024},
    "redact": {"RedactKeys": _GLOBS, "RedactPatterns": _PATTERNS, "RedactPresets": _PRESETS},
    "fingerprints": {"FingerprintKey": _KEY},
    "all": {"MaxAttributes": 9, "MaxValueBytes": 1024, "RedactKeys": _GLOBS, "RedactPresets": _PRESETS, "FingerprintKey": b"k"},
}


def _policy(config: dict[str, Any]) -> Policy:
    limits = LimitSettings(max_attributes=config.get("MaxAttributes", 10_000), max_value_kib=config.get("MaxValueBytes", 1 << 20) // 1024)
    redactor = Redactor(config.get("RedactKeys", ()), config.get("RedactPatterns", ()), config.get("RedactPresets", ()))
    return Policy(limits, redactor, Mask(config["FingerprintKey"]) if "FingerprintKey" in config else None)


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("privacy"))


@pytest.fixture(scope="module", params=list(_CONFIGS))
def pair(command: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Policy, Filter]]:
    """One policy on either side."""
    config = _CONFIGS[request.param]
    made = Filter(command, config)
    yield _policy(config), made
    made.close()


def _plain(signal: str, body: bytes) -> Any:
    """A request in which nothing depends on how messages without content are written, and of several `CUT_KEY` the last counts."""
    request = parse(signal, body)
    for holder in holders(signal, request):
        for index in [i for i, pair in enumerate(holder.attributes) if pair.key == CUT_KEY][-2::-1]:
            del holder.attributes[index]
        for pair in holder.attributes:
            pair.value.SetInParent()
        for name in ("status", "body"):
            if name in holder.DESCRIPTOR.fields_by_name:
                getattr(holder, name).SetInParent()
    for outer in getattr(request, f"resource_{'logs' if signal == 'logs' else 'spans'}"):
        outer.resource.SetInParent()
        for inner in getattr(outer, f"scope_{'logs' if signal == 'logs' else 'spans'}"):
            inner.scope.SetInParent()
    return request


def _agree(pair: tuple[Policy, Filter], signal: str, body: bytes) -> None:
    policy, other = pair
    made, changes = other.apply(signal, body)
    expected, counted = policy.apply(signal, body)
    mine, theirs = _plain(signal, made), _plain(signal, expected)
    assert mine == theirs, "\n".join(difflib.unified_diff(str(theirs).splitlines(), str(mine).splitlines(), "expected", "made", n=2))
    assert changes == counted


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.binpb.gz")), ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_recordings_come_out_alike(pair: tuple[Policy, Filter], path: Path) -> None:
    for recorded in read(path):
        _agree(pair, "logs" if ".logs." in path.name else "traces", recorded.body)


_KEYS = sorted(
    {r.source for d in dialects() for r in d.rules if r.source and r.column in ("request", "arguments", "result", "tool_calls")} | {*KEYS}
)
_TEXTS = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=5).map(" ".join), st.lists(st.sampled_from(PARTS), max_size=4).map("".join),
    st.text(max_size=40), st.sampled_from(["true", "None", "{}", "[]", "null", "N/A", "<REDACTED>", "False"]),
)  # fmt: skip
_NAMES = st.sampled_from(NAMES)
_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.integers(-9, 9), st.floats(), _TEXTS, _TEXTS,
    st.sampled_from([1e16, 1e21, 1e-7, 1e-6, 123456789012345680.0, 5e-324, -0.0, 1e22, 1.5e300, 2**53, 2**53 + 1, 9.5e-5]),
    st.sampled_from(["\ud800", "x\udfff@y.z www.a\ud83dbc", "\ud83d\ude00"]),
)  # fmt: skip


def _more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4) | inner.map(json.dumps)


_JSON = st.recursive(_LEAF, _more, max_leaves=14)


def _whole(text: str) -> str:
    """Without halves of surrogate pairs, which protobuf does not carry."""
    return text.encode("utf-8", "replace").decode()


_STRINGS = st.one_of(
    _TEXTS, _JSON.map(json.dumps), _JSON.map(lambda value: _whole(json.dumps(value, ensure_ascii=False))),
    _JSON.map(lambda value: _whole(repr(value))), st.sampled_from(ODD),
    st.builds(lambda text, times: text * times, _TEXTS, st.sampled_from([1, 30, 300])),
)  # fmt: skip
_LEAVES = st.one_of(_STRINGS, st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=1100))
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=4
)
_PAIRS = st.lists(st.tuples(st.sampled_from(_KEYS), _VALUES), max_size=12)
_EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def _spans(draw: st.DrawFn) -> bytes:
    span = otlp.span(1, draw(_PAIRS), name=draw(_TEXTS), dropped_attributes_count=draw(st.sampled_from([0, 4, 2**32 - 1])))
    for _ in range(draw(st.integers(0, 2))):
        span.events.add(name=draw(_TEXTS)).attributes.extend(otlp.pairs(draw(_PAIRS)))
    for _ in range(draw(st.integers(0, 1))):
        span.links.add().attributes.extend(otlp.pairs(draw(_PAIRS)))
    if draw(st.booleans()):
        span.status.message = draw(_TEXTS)
    return otlp.traces(span, resource=draw(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=10)))


@_EXAMPLES
@given(_spans())
def test_spans_come_out_alike(pair: tuple[Policy, Filter], body: bytes) -> None:
    _agree(pair, "traces", body)


_EVENTS = st.sampled_from(["", "gen_ai.user.message", "gen_ai.x\n", "codex.tool_result", "tool_result", "actorscope.wait", "gen_ai"])


@_EXAMPLES
@given(_VALUES, _PAIRS, _EVENTS, _EVENTS)
@example("ada1 said", [("event.name", 5)], "", "")
def test_log_records_come_out_alike(pair: tuple[Policy, Filter], body: Any, pairs: Any, event: str, named: str) -> None:
    pairs = [*pairs, ("event.name", named)] if named else pairs
    _agree(pair, "logs", otlp.logs(otlp.record(body, pairs, event_name=event)))


_SAID = st.builds(str.join, st.sampled_from([" ", "", ", "]), st.lists(st.sampled_from(PARTS), min_size=2, max_size=8))
_ARGUMENTS = st.dictionaries(_NAMES, _SAID | st.lists(_SAID, max_size=2), max_size=4).map(json.dumps)


@_EXAMPLES
@given(st.lists(_SAID | _ARGUMENTS, min_size=8, max_size=16))
def test_parties_instructions_and_secrets_come_out_alike(pair: tuple[Policy, Filter], texts: list[str]) -> None:
    for key in ("gen_ai.tool.call.result", "gen_ai.tool.call.arguments", "n"):
        _agree(pair, "traces", otlp.traces(*(otlp.span(1, {key: text}) for text in texts)))


@pytest.mark.parametrize("text", ["ann@example.org", "you", "ada"])
def test_every_character_is_taken_alike_next_to_a_match(pair: tuple[Policy, Filter], text: str) -> None:
    """Words, spaces, digits and lower case; of what is common only, since others depend on the version of Unicode."""
    points = [*range(0x590), *range(0x2000, 0x2070), 0x212A, 0x2160, 0x24B6, 0x3000, 0x3042, 0x4E2D, 0xAC00, 0xFF11, 0x1D7D8, 0x1F600]
    for key in ("gen_ai.tool.call.result", "gen_ai.tool.call.arguments", "n"):
        said = [f"{chr(p)}{text}{chr(p)} must {text}{chr(p)}x" for p in points]
        _agree(pair, "traces", otlp.traces(*(otlp.span(1, {key: one}) for one in said)))
