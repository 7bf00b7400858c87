"""Records that the Collector plugin normalised say the same as before, and no dialect is asked about them again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.conftest import RECORDINGS
from tests.ingest import otlp
from tests.ingest.edge import marked
from tests.ingest.test_native_normalise import _PAIRS, _SCOPES, _span
from tests.semconv.test_vectors import FILES, sent, vectors

from actorscope.cli.replay import read
from actorscope.ingest import normalise
from actorscope.ingest.decode import decode_logs, decode_traces
from actorscope.ingest.explain import explain
from actorscope.ingest.mask import ORIGINAL, Mask, is_content
from actorscope.ingest.policy import Policy
from actorscope.semconv.dialects import MARK, columns, dialects, edge
from actorscope.semconv.generated import attributes as words
from actorscope.settings import LimitSettings

_READERS: dict[str, tuple[Callable[..., pa.RecordBatch], tuple[Callable[..., pa.Table], ...]]] = {
    "traces": (decode_traces, (normalise.normalise, normalise.reference)),
    "logs": (decode_logs, (normalise.normalise_logs, normalise.reference_logs)),
}
_MARKED = {MARK: "traceloop"}


def _say_the_same(signal: str, bodies: list[bytes], keep_originals: bool) -> None:
    decode, readers = _READERS[signal]
    body = b"".join(bodies)  # requests behind each other are one request
    before, after = decode([body]), decode([marked(signal, body, keep_originals)])
    assert before.num_rows == after.num_rows
    for normal in readers:
        expected, found = normal(before), normal(after)
        for name in expected.schema.names:
            pairs = zip(expected.column(name).to_pylist(), found.column(name).to_pylist(), strict=True)
            assert [(name, row, *pair) for row, pair in enumerate(pairs) if pair[0] != pair[1]] == []


@pytest.mark.parametrize("keep_originals", [True, False])
@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.binpb.gz")), ids=lambda path: path.name.removesuffix(".binpb.gz"))
def test_recordings_say_the_same_after_the_plugin(path: Path, keep_originals: bool) -> None:
    signal = "logs" if ".logs." in path.name else "traces"
    _say_the_same(signal, [recorded.body for recorded in read(path)], keep_originals)


@pytest.mark.parametrize("keep_originals", [True, False])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_vectors_say_the_same_after_the_plugin(path: Path, keep_originals: bool) -> None:
    for signal in _READERS:
        bodies = [body for at, body in map(sent, vectors(path)) if at == signal]
        if bodies:
            _say_the_same(signal, bodies, keep_originals)


@settings(max_examples=60, deadline=None)
@given(_span(), _SCOPES, _PAIRS)
def test_any_span_says_the_same_after_the_plugin(span: Any, scope: str, resource: dict[str, str]) -> None:
    for keep_originals in (True, False):
        _say_the_same("traces", [otlp.traces(span, scope=scope, resource=resource)], keep_originals)


def _facts(attributes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The facts of a span that are there, which both normalisers must agree on."""
    batch = decode_traces([otlp.traces(otlp.span(1, attributes, **fields), scope="openinference.instrumentation.x")])
    [row], [other] = normalise.normalise(batch).to_pylist(), normalise.reference(batch).to_pylist()
    assert row == other
    return {key: value for key, value in row.items() if value is not None}


def test_the_mark_decides_over_every_dialect() -> None:
    sent = {"openinference.span.kind": "TOOL", "tool.name": "delete_user", "input.value": '{"id": 7}', "gen_ai.usage.prompt_tokens": 7}
    assert _facts(sent)["operation"] == "execute_tool"
    assert _facts({**sent, **_MARKED}) == {"dialect": "traceloop"}
    assert _facts({MARK: ""}) == {"dialect": ""}


def test_nothing_is_concluded_a_second_time() -> None:
    call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "transfer_to_billing", "gen_ai.tool.call.arguments": "{}"}
    later = {"delegate_name", "delegation_mode", "input_digest", "side_effect", "side_effect_basis"}
    assert later <= set(_facts(call))
    assert not later & set(_facts({**call, **_MARKED}))
    given = {words.ACTORSCOPE_ACTION_SIDE_EFFECT: "write", words.ACTORSCOPE_ACTION_INPUT_DIGEST: "sha256:1"}
    assert _facts({**call, **_MARKED, **given})["input_digest"] == "sha256:1"


@pytest.mark.parametrize("basis", ["declared", "derived", "inferred"])
def test_a_basis_is_what_the_mark_says(basis: str) -> None:
    found = _facts(
        {
            **_MARKED, "gen_ai.operation.name": "chat", "gen_ai.agent.name": "planner", words.ACTORSCOPE_ACTION_SIDE_EFFECT: "read",
            words.ACTORSCOPE_EDGE_OPERATION_BASIS: basis, words.ACTORSCOPE_EDGE_AGENT_BASIS: basis,
            words.ACTORSCOPE_EDGE_SIDE_EFFECT_BASIS: basis,
        }
    )  # fmt: skip
    assert (found["operation_basis"], found["agent_basis"], found["side_effect_basis"]) == (basis,) * 3


def test_the_usual_basis_goes_without_saying() -> None:
    call = {"gen_ai.operation.name": "execute_tool", "gen_ai.agent.name": "planner", words.ACTORSCOPE_ACTION_SIDE_EFFECT: "read"}
    found = _facts({**_MARKED, **call})
    assert (found["operation_basis"], found["agent_basis"], found["side_effect_basis"]) == ("declared", "declared", "inferred")
    assert {"operation_basis", "agent_basis", "side_effect_basis"} & set(_facts(_MARKED)) == set()
    [row] = decode_traces([marked("traces", otlp.traces(otlp.span(1, {**call, "gen_ai.tool.name": "find"})))]).to_pylist()
    found = {key: value for key, value in row["attributes"] if key.endswith(".basis")}
    assert found == {words.ACTORSCOPE_EDGE_SIDE_EFFECT_BASIS: "declared"}


def test_a_basis_that_is_none_does_not_cost_the_fact() -> None:
    found = _facts({**_MARKED, "gen_ai.operation.name": "chat", words.ACTORSCOPE_EDGE_OPERATION_BASIS: "sworn"})
    assert (found["operation"], found["operation_basis"]) == ("chat", "derived")


def test_the_model_that_was_asked_for_counts_where_no_other_answered() -> None:
    assert _facts({**_MARKED, "gen_ai.request.model": "small"})["model"] == "small"
    assert _facts({**_MARKED, "gen_ai.request.model": "small", "gen_ai.response.model": "small-1"})["model"] == "small-1"


def test_what_was_moved_away_is_no_fact() -> None:
    sent = otlp.span(1, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "agent"}, name="invoke_agent planner")
    for keep_originals, kept in ((True, "agent"), (False, None)):
        [row] = decode_traces([marked("traces", otlp.traces(sent), keep_originals)]).to_pylist()
        found = dict(row["attributes"])
        assert (found["gen_ai.agent.name"], found.get(f"{ORIGINAL}gen_ai.agent.name")) == ("planner", kept)
    assert "agent_name" not in _facts({**_MARKED, f"{ORIGINAL}gen_ai.agent.name": "agent"})


def test_marked_and_other_records_of_one_batch_are_told_apart() -> None:
    call = {"openinference.span.kind": "TOOL", "tool.name": "delete_user"}
    spans = [otlp.span(number, {**call, **(_MARKED if number % 2 else {})}) for number in range(1, 7)]
    for normal in _READERS["traces"][1]:
        assert normal(decode_traces([otlp.traces(*spans)])).column("side_effect").to_pylist() == [None, "destructive"] * 3


def test_explaining_names_the_plugin() -> None:
    found = explain(decode_traces([otlp.traces(otlp.span(1, {**_MARKED, "gen_ai.tool.name": "delete_user"}))])).to_dicts()
    assert [(row["column"], row["rule"]) for row in found] == [("tool_name", "edge: gen_ai.tool.name")]


def test_every_column_is_read_from_where_it_is_written_and_nobody_else_is_called_edge() -> None:
    assert {(column.name, column.attribute) for column in columns()} <= {(rule.column, rule.source) for rule in edge().rules}
    assert edge().name not in {dialect.name for dialect in dialects()}
    assert len(dialects()) < 64, "a dialect is a bit, and the last bit is for what was normalised before"


_TOOL = {
    "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "send", "gen_ai.tool.call.arguments": '{"to": "ann@example.com", "n": 7}',
    "gen_ai.tool.call.result": "please send it to bob@example.com", "gen_ai.tool.description": "sends",
}  # fmt: skip


def _privately(body: bytes) -> bytes:
    return Policy(LimitSettings(), mask=Mask(b"k" * 32)).apply("traces", body)[0]


def test_fingerprints_of_the_plugin_pass_through_unchanged() -> None:
    request = ExportTraceServiceRequest.FromString(marked("traces", _privately(otlp.traces(otlp.span(1, _TOOL)))))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.extend(otlp.pairs({words.ACTORSCOPE_EDGE_CONTENT: "fingerprinted"}))
    body = bytes(request.SerializeToString())
    again = ExportTraceServiceRequest.FromString(_privately(body)).resource_spans[0].scope_spans[0].spans[0]
    assert list(again.attributes) == list(span.attributes)
    [row] = normalise.normalise(decode_traces([body])).to_pylist()
    assert row["target_prints"] and row["mention_prints"] and row["input_digest"].startswith("sha256:")


def test_no_print_is_made_of_a_fingerprint() -> None:
    looks_like_an_account = "hmac-sha256:ab12" + "3456" * 7
    call = {**_MARKED, "gen_ai.tool.call.arguments": f'{{"query": "{looks_like_an_account}"}}'}
    for extra, are_made in (({}, True), ({words.ACTORSCOPE_EDGE_CONTENT: "fingerprinted"}, False)):
        [row] = decode_traces([_privately(otlp.traces(otlp.span(1, {**call, **extra})))]).to_pylist()
        assert (words.ACTORSCOPE_ACTION_TARGETS in dict(row["attributes"])) is are_made


def test_records_without_their_content_keep_digest_and_prints() -> None:
    request = ExportTraceServiceRequest.FromString(marked("traces", _privately(otlp.traces(otlp.span(1, _TOOL)))))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    before = normalise.normalise(decode_traces([bytes(request.SerializeToString())])).to_pylist()[0]
    kept = [pair for pair in span.attributes if not is_content(pair.key)]
    del span.attributes[:]
    span.attributes.extend([*kept, *otlp.pairs({words.ACTORSCOPE_EDGE_CONTENT: "dropped"})])
    [after] = normalise.normalise(decode_traces([bytes(request.SerializeToString())])).to_pylist()
    assert {name for name in after if after[name] != before[name]} == {"arguments", "result"}
    assert after["arguments"] is None and after["input_digest"] and after["target_prints"] and after["mention_prints"]


def test_content_that_was_moved_away_is_still_content() -> None:
    assert is_content(f"{ORIGINAL}gen_ai.tool.call.arguments") and not is_content(f"{ORIGINAL}gen_ai.agent.name")
    body = otlp.traces(otlp.span(1, {**_MARKED, f"{ORIGINAL}gen_ai.tool.call.arguments": '{"to": "ann"}'}))
    assert b"ann" not in _privately(body)
