"""The migrated store, the Arrow schemas and the contract name the same columns; released migrations are frozen."""

from __future__ import annotations

import json
import re
from functools import cache

import pyarrow as pa
import pytest
from tests.conftest import ROOT

from actorscope.ingest.columns import FACTS, LOGS, SPANS
from actorscope.ingest.store.client import Store, in_worker, query_text
from actorscope.ingest.store.migrate import VIEWS, checksum, migrate, migrations, statements, views
from actorscope.semconv.dialects import columns

RELEASED = ROOT / "tests" / "laws" / "migrations.json"
PROMISED = {
    "spans": "trace_id span_id parent_span_id name kind start_time end_time duration_ns status_code status_message service_name "
    "dialect operation actor_id actor_name conversation_id attributes resource_attributes",
    "agent_runs": "trace_id span_id actor_id actor_name delegator_name trigger start_time end_time status_code input_tokens "
    "output_tokens cost_usd",
    "delegations": "trace_id span_id delegator_id delegator_name delegate_id delegate_name mode start_time basis",
    "actions": "trace_id span_id actor_id actor_name tool_name arguments input_digest side_effect target error_type start_time attempt",
    "model_calls": "trace_id span_id actor_name provider model input_tokens output_tokens cached_tokens reasoning_tokens cost_usd "
    "cost_source phase",
    "costs": "trace_id span_id run_span_id actor_id actor_name starter_id starter_name starter_type chain root_trace_id root_span_id "
    "task_kind tenant phase model spend cost_usd cost_basis start_time",
    "approvals": "approval_id action_span_id requested_at resolved_at status approver_type approver_id",
    "open_spans": "trace_id span_id parent_span_id name actor_name started_at last_heartbeat_at",
    "findings": "id detector family rule severity confidence state title subject opened_at updated_at first_evidence_at count "
    "evidence baseline counterfactual impact basis caveats fingerprint",
}
"""The columns of each documented view, as promised; views may have more and never fewer."""
CLICKHOUSE = {
    "name": "LowCardinality(String)", "text": "String", "int": "Nullable(UInt64)", "double": "Nullable(Float64)",
    "bool": "Nullable(Bool)", "names": "Array(LowCardinality(String))",
}  # fmt: skip
ARROW = {
    "name": pa.string(),
    "text": pa.string(),
    "int": pa.uint64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "names": pa.list_(pa.string()),
}


@cache
def described(store: Store, table: str) -> dict[str, str]:
    """Column names and types of a table or view, in order."""
    rows = in_worker(
        lambda: store.frame(
            "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {t:String} ORDER BY position",
            {"t": table},
        )
    )
    return dict(rows.iter_rows())


@pytest.mark.parametrize(("table", "schema"), [("span_rows", SPANS), ("log_rows", LOGS)], ids=["spans", "logs"])
def test_tables_have_the_columns_of_their_arrow_schema_in_its_order(chdb: Store, table: str, schema: pa.Schema) -> None:
    found = described(chdb, table)
    assert list(found) == schema.names
    wrong = {
        name: (type_, schema.field(name).type)
        for name, type_ in found.items()
        if not _fits(type_, schema.field(name).type)
    }
    assert wrong == {}


def _fits(stored: str, sent: pa.DataType) -> bool:
    """Whether a ClickHouse type holds what an Arrow type sends."""
    plain = re.sub(r"(?:LowCardinality|Nullable)\(([^()]*(?:\([^()]*\))?)\)", r"\1", stored)
    if pa.types.is_list(sent) and plain.startswith("Array("):
        return _fits(plain[6:-1], sent.value_type)
    if pa.types.is_map(sent):
        return plain == "Map(String, String)"
    if pa.types.is_fixed_size_binary(sent):
        return plain == f"FixedString({sent.byte_width})"
    names = {
        pa.string(): "String", pa.uint64(): "UInt64", pa.uint32(): "UInt32", pa.float64(): "Float64", pa.bool_(): "Bool",
        pa.timestamp("ns", "UTC"): "DateTime64(9, 'UTC')",
    }  # fmt: skip
    return plain == names[sent]


def test_fact_columns_follow_their_types(chdb: Store) -> None:
    found = described(chdb, "span_rows")
    assert {c.name: found[c.name] for c in columns()} == {c.name: CLICKHOUSE[c.type] for c in columns()}
    assert FACTS == [(c.name, ARROW[c.type]) for c in columns()]


@pytest.mark.parametrize("view", PROMISED)
def test_documented_views_keep_their_promise(chdb: Store, view: str) -> None:
    found = described(chdb, view)
    assert set(PROMISED[view].split()) <= set(found)
    times = {name: type_ for name, type_ in found.items() if name.endswith(("_at", "_time"))}
    assert all(type_ == "DateTime64(9, 'UTC')" for type_ in times.values()), times
    assert all(found[name] == "String" for name in found if name in ("trace_id", "span_id", "parent_span_id"))


@pytest.mark.parametrize("view", PROMISED)
def test_documented_views_can_be_read_when_empty(store: Store, view: str) -> None:
    assert in_worker(lambda: store.frame(f"SELECT * FROM {view}")).height == 0


def test_released_migrations_are_frozen() -> None:
    released = json.loads(RELEASED.read_text())["released"]
    assert {name: checksum(text) for name, text in migrations()} == released, "see `how` in tests/laws/migrations.json"


def test_migrations_are_numbered_without_a_gap() -> None:
    assert [name[:5] for name, _ in migrations()] == [f"{n:04}_" for n in range(1, len(migrations()) + 1)]


def test_every_statement_may_be_repeated(chdb: Store) -> None:
    assert in_worker(lambda: migrate(chdb)) == []
    starts = (
        "CREATE TABLE IF NOT EXISTS",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS",
        "CREATE OR REPLACE VIEW",
        "ALTER TABLE",
    )
    for name, text in [*migrations(), (VIEWS, views())]:
        assert all(statement.startswith(starts) for statement in statements(text)), name
    newest = statements(migrations()[-1][1])
    assert in_worker(lambda: [chdb.command(statement) for statement in (*newest, *statements(views()))])
    assert all(statement.startswith("CREATE OR REPLACE VIEW") for statement in statements(views()))


def test_queries_take_parameters_and_nothing_else() -> None:
    for path in sorted((ROOT / "ingest" / "store" / "queries").glob("*.sql")):
        text = re.sub(r"--.*", "", query_text(path.stem))
        assert ";" not in text and "%" not in text, path.name
        assert re.findall(r"\{(?!\w+:[A-Z])", text) == [], path.name
