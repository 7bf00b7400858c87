"""What is written of a request: limits, redaction, content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.ingest import otlp
from tests.ingest.conftest import Desk

from actorscope.errors import DefinitionError
from actorscope.ingest.decode import Limits, inspect
from actorscope.ingest.mask import PREFIX
from actorscope.ingest.policy import CUT_KEY, Policy, policy_of
from actorscope.ingest.redact import REDACTED
from actorscope.settings import IngestSettings, LimitSettings


def _policy(tmp_path: Path, **settings: Any) -> Policy:
    return policy_of(IngestSettings(**settings), tmp_path)


def _span(body: bytes) -> Any:
    return ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans[0]


def _plain(span: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}


def test_an_ordinary_request_is_not_touched(tmp_path: Path) -> None:
    body = otlp.traces(otlp.span(1, {"a": "x" * 1000, "b": 2}))
    assert not _is_over(body, 2, 1000) and _is_over(body, 1, 1000) and _is_over(body, 2, 999)
    assert not _policy(tmp_path).concerns(False) and _policy(tmp_path).concerns(True)


def test_too_many_attributes_are_dropped_counted_and_named(tmp_path: Path) -> None:
    policy = _policy(tmp_path, limits={"max_attributes": 8})
    body, changes = policy.apply("traces", otlp.traces(otlp.span(1, {f"k{i}": i for i in range(11)}, dropped_attributes_count=4)))
    span = _span(body)
    assert span.dropped_attributes_count == 7 and changes.attributes_dropped == 3
    assert [pair.key for pair in span.attributes] == [*(f"k{i}" for i in range(8)), CUT_KEY]
    assert [v.string_value for v in span.attributes[-1].value.array_value.values] == ["k8", "k9", "k10"]
    assert "3 attributes dropped" in changes.message


@pytest.mark.parametrize("value", ["ä" * 3000, ["ä" * 3000], {"inner": "ä" * 3000}, b"\0" * 3000])
def test_a_long_value_is_cut_between_characters(tmp_path: Path, value: Any) -> None:
    policy = _policy(tmp_path, limits={"max_value_kib": 1})
    whole = otlp.traces(otlp.span(1, {"long": value, "short": "ok"}))
    assert _is_over(whole, 100, 1024)
    body, changes = policy.apply("traces", whole)
    assert changes.attributes_cut == 1 and "1 values cut" in changes.message
    assert not _is_over(body, 100, 1024), "what was cut passes"
    assert _plain(_span(body))["short"] == "ok"
    assert [v.string_value for v in _span(body).attributes[-1].value.array_value.values] == ["long"]
    if isinstance(value, str):
        assert _plain(_span(body))["long"] == "ä" * 512


def _is_over(body: bytes, attributes: int, value_bytes: int) -> bool:
    return inspect("traces", body, Limits(attributes, value_bytes)).is_over


def test_keys_and_patterns_are_redacted_wherever_text_is(tmp_path: Path) -> None:
    policy = _policy(tmp_path, privacy={"redact_keys": ["*password*"], "redact_patterns": ["ada[0-9]+"], "redact_presets": ["emails"]})
    span = otlp.span(1, {"db.PASSWORD.x": 5, "a": "ask ada17 twice ada18", "l": ["x", {"y": "ada1"}], "n": 17}, name="for ada2")
    span.events.add(name="e ada3").attributes.extend(otlp.pairs({"exception.message": "no mail to Bob.S@example.org!"}))
    span.links.add().attributes.extend(otlp.pairs({"via": "ada4"}))
    span.status.message = "ada5"
    body, changes = policy.apply("traces", otlp.traces(span, resource={"host": "ada6"}))
    assert b"ada" not in body and b"Bob" not in body
    plain = _plain(_span(body))
    assert plain["db.PASSWORD.x"] == REDACTED and plain["a"] == f"ask {REDACTED} twice {REDACTED}" and plain["n"] == 17
    assert changes.values_redacted == 9 and changes.message == ""


@pytest.mark.parametrize("secret", [
    "AKIAIOSFODNN7EXAMPLE", "sk-proj-abcdefghijklmnopqrstuvwx", "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "Bearer abcdefghijklmnopqrst",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
])  # fmt: skip
def test_well_known_secrets(tmp_path: Path, secret: str) -> None:
    policy = _policy(tmp_path, privacy={"redact_presets": ["secrets", "cards"]})
    body, _ = policy.apply("traces", otlp.traces(otlp.span(1, {"a": f"x {secret} y", "c": "card 4111 1111 1111 1111"})))
    assert _plain(_span(body)) == {"a": f"x {REDACTED} y", "c": f"card {REDACTED}"}


@pytest.mark.parametrize("pattern", ["(", "a*", r"(?<=x)y"])
def test_a_wrong_pattern_stops_the_start(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(DefinitionError, match="redact_patterns"):
        _policy(tmp_path, privacy={"redact_patterns": [pattern]})


def test_without_content_only_fingerprints_are_written(tmp_path: Path) -> None:
    policy = _policy(tmp_path, privacy={"capture_content": False})
    said = {"gen_ai.tool.call.arguments": '{"order": "Ada-88"}', "gen_ai.prompt": ["Ada"], "output": 7}
    span = otlp.span(1, {**said, "gen_ai.tool.name": "pay"})
    body, changes = policy.apply("traces", otlp.traces(span))
    assert b"Ada" not in body and changes.contents_masked == 3
    plain = _plain(_span(body))
    assert plain["gen_ai.tool.name"] == "pay" and plain["gen_ai.tool.call.arguments"].startswith('{"order": "' + PREFIX)
    again, _ = policy.apply("traces", otlp.traces(span))
    assert again == body, "a retry is the same"
    records = otlp.logs(otlp.record("Ada said", event_name="gen_ai.user.message"), otlp.record("fine", event_name="actorscope.wait"))
    masked = ExportLogsServiceRequest.FromString(policy.apply("logs", records)[0]).resource_logs[0].scope_logs[0].log_records
    assert masked[0].body.string_value.startswith(PREFIX) and masked[1].body.string_value == "fine"


def test_a_key_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "fingerprint.key").write_text("no hex")
    with pytest.raises(DefinitionError, match=r"fingerprint\.key"):
        _policy(tmp_path, privacy={"capture_content": False})


def test_the_intake_writes_what_the_policy_left_and_says_what_was_cut(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(limits=LimitSettings(max_attributes=8))
    body = otlp.traces(otlp.span(1, {f"k{i}": i for i in range(10)}), otlp.span(2))
    receipt = desk.intake.receive("traces", body)
    assert (receipt.accepted, receipt.rejected) == (2, 0) and "2 attributes dropped" in receipt.message
    assert _span(desk.kept()[0].body).dropped_attributes_count == 2
    assert desk.counters.attributes_dropped == 2
    assert desk.intake.receive("traces", body).message == ""
    assert desk.counters.spans_duplicate == 2 and desk.counters.attributes_dropped == 2, "a retry is recognised by what was sent"
