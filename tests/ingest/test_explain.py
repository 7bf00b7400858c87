"""Which rule filled which column: never another than the one that normalising used."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from tests.conftest import RECORDINGS
from tests.ingest import otlp

from actorscope.cli.replay import read
from actorscope.ingest.decode import decode_logs, decode_traces
from actorscope.ingest.explain import EXPLAINED, explain, explain_logs, rule_text
from actorscope.ingest.normalise import normalise
from actorscope.semconv.dialects import Rule, columns

_NAMES = sorted(path.name.removesuffix(".traces.binpb.gz") for path in RECORDINGS.glob("*.traces.binpb.gz"))
_BASIS = {"operation": "operation_basis", "agent_name": "agent_basis", "side_effect": "side_effect_basis"}


def _explained(attributes: dict[str, Any], **fields: Any) -> dict[str, tuple[str, str]]:
    """For each filled column of one span its rule and basis."""
    batch = decode_traces([otlp.traces(otlp.span(1, attributes, **fields))])
    return {row["column"]: (row["rule"], row["basis"]) for row in explain(batch).to_dicts()}


def test_a_column_is_explained_by_the_rule_that_counted() -> None:
    found = _explained(
        {
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": "planner",
            "gen_ai.operation.name": "",
            "actorscope.task.kind": "k",
        }
    )
    assert found["agent_name"] == ("traceloop: traceloop.entity.name where traceloop.span.kind=agent", "derived")
    assert found["operation"] == ("traceloop: traceloop.span.kind", "derived")
    assert found["task_kind"] == ("actorscope: actorscope.task.kind", "declared")


def test_of_two_vocabularies_on_a_span_the_one_that_was_asked_first_is_named() -> None:
    both = {"gen_ai.agent.name": "official", "traceloop.span.kind": "agent", "traceloop.entity.name": "other"}
    assert _explained(both)["agent_name"] == ("otel_genai: gen_ai.agent.name", "declared")
    assert _explained({**both, "gen_ai.agent.name": "agent"})["agent_name"][0].startswith("traceloop: "), (
        "a default name says nothing"
    )


def test_what_is_read_from_other_columns_says_so() -> None:
    found = _explained(
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "transfer_to_billing",
            "gen_ai.tool.call.arguments": '{"a":1}',
        }
    )
    assert found["delegate_name"] == ("semconv/handoffs.yaml: name and arguments of the tool", "inferred")
    assert found["delegation_mode"] == ("semconv/handoffs.yaml: name of the tool", "inferred")
    assert found["input_digest"] == ("digest of the arguments", "derived")
    assert found["side_effect"][1] == "inferred"
    own = _explained(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "x", "actorscope.action.side_effect": "write"}
    )
    assert own["side_effect"] == ("actorscope: actorscope.action.side_effect", "declared")


def test_spans_that_nobody_understands_and_no_spans_at_all_have_no_rules() -> None:
    assert _explained({"http.request.method": "GET"}) == {}
    for body in (b"", otlp.traces()):
        assert explain(decode_traces([body])).is_empty()
    assert explain(decode_traces([b""])).schema == EXPLAINED


@pytest.mark.parametrize("name", _NAMES)
def test_every_filled_column_of_a_recording_has_its_rule_and_basis(name: str) -> None:
    batch = decode_traces([r.body for r in read(RECORDINGS / f"{name}.traces.binpb.gz")])
    found, facts = explain(batch), pl.DataFrame(pl.from_arrow(normalise(batch))).with_row_index("row")
    assert found.select("row", "column").is_unique().all()
    assert found.filter((pl.col("rule") == "") | pl.col("rule").is_null() | pl.col("basis").is_null()).is_empty()
    for column in (c.name for c in columns()):
        is_list = isinstance(facts.schema[column], pl.List)
        filled = facts.filter(pl.col(column).list.len() > 0 if is_list else pl.col(column).is_not_null())
        mine = found.filter(pl.col("column") == column).sort("row")
        assert mine["row"].to_list() == filled["row"].to_list(), column
        if column in _BASIS:
            assert mine["basis"].to_list() == filled[_BASIS[column]].to_list(), column


def test_log_records_are_explained_too() -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.trace_id, record.span_id, record.time_unix_nano = b"t" * 16, b"s" * 8, otlp.START
    record.event_name = "actorscope.approval.resolution"
    record.attributes.extend(
        otlp.pairs({"actorscope.approval.status": "approved", "actorscope.approval.approver.type": "human"})
    )
    found = explain_logs(decode_logs([request.SerializeToString()])).to_dicts()
    assert {row["column"]: row["rule"] for row in found} == {
        "approval_status": "actorscope: actorscope.approval.status",
        "approver_type": "actorscope: actorscope.approval.approver.type",
    }


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (Rule("c", "a.b"), "a.b"),
        (Rule("c", constant="chat", present=("x", "y"), absent=("z",)), "'chat' with x, y without z"),
        (Rule("c", "a", where={"k": ("1", "2")}, same=("p", "q")), "a where k=1|2 and p=q"),
        (Rule("c", "a", event="exception", json="$.x"), "a of event exception at $.x"),
        (Rule("c", "a", resource=True, plus=("b",)), "a of the resource + b"),
        (Rule("c", keys="^a[.]", content="request"), "attributes like ^a[.]"),
        (Rule("c", "@name", extract="^run (.+)$"), "@name like ^run (.+)$"),
    ],
)
def test_a_rule_is_told_on_one_line(rule: Rule, text: str) -> None:
    assert rule_text(rule) == text
