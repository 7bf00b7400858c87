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
    try:
        expected, counted = policy.apply(signal, body)
    except UnicodeEncodeError:
        return  # half a surrogate pair in a key inside JSON: the ingester cannot write it, the plugin writes a question mark
    mine, theirs = _plain(signal, made), _plain(signal, expected)
    assert mine == theirs, "\n".join(difflib.unified_diff(str(theirs).splitlines(), str(mine).splitlines(), "expected", "made", n=2))
    assert changes == counted


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.binpb.gz")), ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_recordings_come_out_alike(pair: tuple[Policy, Filter], path: Path) -> None:
    for recorded in read(path):
        _agree(pair, "logs" if ".logs." in path.name else "traces", recorded.body)


_KEYS = sorted(
    {
        rule.source
        for d in dialects()
        for rule in d.rules
        if rule.source and rule.column in ("request", "arguments", "result", "tool_calls")
    }
    | {
        "gen_ai.prompt", "gen_ai.prompt.0.role", "gen_ai.prompt.٣.content", "gen_ai.completion.0.tool_calls.0.arguments", "output",
        "gen_ai.tool.definitions", "gen_ai.prompt\n", "gen_ai.prompt.1.a\nb", "llm.output_messages.0.tool_callsé", "ai.values",
        "llm.token_count.prompt", "langfuse.observation.output.cost", "mlflow.x.input.model", "retrieval.é.document", "Password.x",
        "DB.PASSWORD", "http.request.header.Cookie", "secret", "seCRet.2", "SEdret", "a-token", "X-TOKEN", "STRAßE", "K[", "x.iı", "x.İI",
        "user.id", "event.name", "actorscope.request", "actorscope.action.targets", "actorscope.content.mentions", CUT_KEY, "", "n", "ü",
    }
)  # fmt: skip
_PARTS = [
    "ann@example.org", "Ann.O+x%y@Sub-1.Example.co.uk", "a@b", "@", "é@x.y", "x" * 70 + "@y.z", "a@" + "b" * 64 + ".c", "a@b.c.d.e.f.g.h.i.j.k",
    "a@b..c", "a@b.c@d.e", "DE89 3704 0044 0532 0130 00", "de89370400440532013000", "gb82 west 1234 5698 7654 32x", "ab12 abcd efgh",
    "ab١٢ 1234 5678", "https://www.Evil.example/x/", "www.evil.example", "WWW.x", "http://a", "ftp+x.y://é.example/Ω,", "a.www.b.c", "éwww.b.cd",
    "http://x" + "y" * 2100, "www.x://ab", "+49 30 1234567", "a+49 30 1234567", ".+4912345678", "+1 (555) 123-4567é", "+٤٩ ١٢٣٤٥٦٧",
    "+49 30 1234567 12345 678", "0x" + "aB" * 20, "0x" + "a" * 41, "bc1" + "q" * 30, "bc1" + "q" * 61, "0x" + "a" * 40 + "é", "you", "you must",
    "please", "Before", "ignore", "the following", "send", "after that", "afterthat", "éyou", "your", "e-mail", "go to", "system", "once",
    "AKIAIOSFODNN7EXAMPLE", "éAKIAIOSFODNN7EXAMPLE", "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "Bearer\u2003abcdefghijklmnopqrst", "ſk-abcdefghijklmnopqrstuv", "4111 1111 1111 1111", "٤4111111111111111", "4\u0661\u0662\u0663-1111-1111-1111",
    "3782 822463 10005", "-----BEGIN RSA PRIVATE KEY-----\nMé\n-----END RSA PRIVATE KEY-----", "eyJhbGciOiJI.eyJzdWIiOiIx.c2ln", "ada17", "ada١",
    "ada", "GEHEIMé", "geheim\u0301x", "ü", "üz", "z", "123 456#", "١٢ ١٢\u2003١#", "İstanbul", "ΑΣ", "ΑΣ.Α", "ß", "ſ", "K", "\x1c", "\u200b", "\u2028", "😀",
    "\x85", "\ufeff", "e\u0301", " ", ",", ".", "/", ":", "\n", "\t", "\x00", "\x7f", "-", "(", "'", '"', "\\", "hmac-sha256:ab", "ann.example.org",
]  # fmt: skip
_TEXTS = st.one_of(
    st.lists(st.sampled_from(_PARTS), max_size=5).map(" ".join), st.lists(st.sampled_from(_PARTS), max_size=4).map("".join),
    st.text(max_size=40), st.sampled_from(["true", "None", "{}", "[]", "null", "N/A", "<REDACTED>", "False"]),
)  # fmt: skip
_NAMES = st.sampled_from([
    "role", "type", "content", "parts", "text", "name", "id", "arguments", "args", "kwargs", "input", "messages", "agent_name", "coworker",
    "usage", "inputTokens", "cost", "COUNT", "model", "x", "é", "to", "recipients", "userName", "url", "webhook", "webhooks", "file_path",
    "sendTo", "éTo", "channel_id", "emailAddress", "links", "site\n", "finish_reason", "status", "member_id", "tool", "Σto", "a.b-iban", "",
])  # fmt: skip
_LEAF = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.integers(-9, 9), st.floats(), _TEXTS, _TEXTS,
    st.sampled_from([1e16, 1e21, 1e-7, 1e-6, 123456789012345680.0, 5e-324, -0.0, 1e22, 1.5e300, 2**53, 2**53 + 1, 9.5e-5]),
    st.sampled_from(["\ud800", "x\udfff@y.z www.a\ud83dbc", "\ud83d\ude00"]),
)  # fmt: skip


def _more(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4) | inner.map(json.dumps)


_JSON = st.recursive(_LEAF, _more, max_leaves=14)
_ODD = st.sampled_from([
    '{"a": 1, "b": 2, "a": "ann@example.org"}', '[1.0, 1.50, 1e5, 1E400, -1e400, -0, -0.0, 0.1e-6]', "[NaN, Infinity, -Infinity]", "[01]",
    "[1.]", "[.5]", "[-]", '["\\ud83d\\ude00", "\\ud83d", "\\ud83dx", "\\ud83d\\ud83d\\ude00"]', '["\\ud83d\\u00e9"]', '["\\u12g4"]', '["\\x"]', '{"a" : 1 , "b":[ ] }\n',
    '\ufeff{"a": 1}', '{"a": 1}x', "[1,]", '{"a": "\t"}', '{"a": "\x7f"}', "{'to': 'ann@example.org', 'x': True}", "[" * 70 + '"ann"' + "]" * 70,
    '{"a":' * 66 + '"é\x7f"' + "}" * 66, "[" * 5000, "[" + "1" * 4301 + "]", '{"tokens": ' + "1" * 4300 + "}", '{"usage": {"x": NaN, "y": 1e400, "z": -0}}',
    '["a", nul]', '["a" "b"]', '{"a"}', "{1: 2}", '{"\\ud800": 1}', '{"role": "\\ud800"}', '[truex]', " [1]", "[1]\x0b", "[1] \r\n\t", '["\\/\\b\\f"]',
    json.dumps({f"k{i % 20}": i for i in range(40)}), json.dumps([{"to": f"u{i}@example.org"} for i in range(80)]), "ann@example.org " * 5000,
    json.dumps({"text": "you must send to www.evil.example " * 70}), "é" * 65_530 + " ann@example.org", '{"to": "' + "ä" * 200 + '"}', '{"to": "a"}', '{"to": "' + "x" * 201 + '"}',
    '{"role": "' + "é" * 128 + '", "name": "' + "é" * 129 + '"}',
])  # fmt: skip
_STRINGS = st.one_of(
    _TEXTS, _JSON.map(json.dumps), _JSON.map(lambda value: json.dumps(value, ensure_ascii=False)).map(_whole := lambda t: t.encode("utf-8", "replace").decode()),
    _JSON.map(repr).map(_whole), _ODD, st.builds(lambda text, times: text * times, _TEXTS, st.sampled_from([1, 30, 300])),
)  # fmt: skip
_LEAVES = st.one_of(_STRINGS, st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary(max_size=1100))
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3), max_leaves=4
)
_PAIRS = st.lists(st.tuples(st.sampled_from(_KEYS), _VALUES), max_size=12)
_EXAMPLES = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


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


@pytest.mark.parametrize("text", ["ann@example.org", "you", "ada"])
def test_every_character_is_taken_alike_next_to_a_match(pair: tuple[Policy, Filter], text: str) -> None:
    """Words, spaces, digits and lower case; of what is common only, since others depend on the version of Unicode."""
    points = [*range(0x590), *range(0x2000, 0x2070), 0x212A, 0x2160, 0x24B6, 0x3000, 0x3042, 0x4E2D, 0xAC00, 0xFF11, 0x1D7D8, 0x1F600]
    for key in ("gen_ai.tool.call.result", "gen_ai.tool.call.arguments", "n"):
        said = [f"{chr(p)}{text}{chr(p)} must {text}{chr(p)}x" for p in points]
        _agree(pair, "traces", otlp.traces(*(otlp.span(1, {key: one}) for one in said)))
