"""The views that join spans with log records: what is open, who approved, who acts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from tests.ingest import otlp

from actorscope.analysis.runner import Runner
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.settings import AnalysisSettings

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "bot"}
TOOL = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "send", "gen_ai.tool.call.id": "k"}


def view(store: Store, name: str, *batches: tuple[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """The rows of a view after requests of spans or logs, each looked at before the next comes."""

    def act() -> pl.DataFrame:
        runner, seq = Runner(store, AnalysisSettings()), 1
        for signal, records in batches:
            body = otlp.traces(*records) if signal == "traces" else otlp.logs(*records)
            rows = (span_rows if signal == "traces" else log_rows)("test", seq, [record_of(signal, body)])
            store.insert("span_rows" if signal == "traces" else "log_rows", rows)
            seq += rows.num_rows
            runner.run_to_end()
        return store.frame(f"SELECT * FROM {name}")

    return in_worker(act).to_dicts()


def log(event: str, at: int = 0, span: int = 1, **attributes: Any) -> Any:
    """A log record about a span of the first trace, so many seconds after its start."""
    named = {f"actorscope.{key.replace('_', '.')}": value for key, value in attributes.items()}
    return otlp.record(
        "",
        named,
        event_name=event,
        trace_id=(1).to_bytes(16, "big"),
        span_id=span.to_bytes(8, "big"),
        time_unix_nano=otlp.START + at * 10**9,
    )


START = log("actorscope.span.start", span_name="invoke_agent bot", span_parent_id="ab")


@pytest.mark.parametrize("order", [1, -1])
def test_a_span_is_open_from_its_start_until_it_comes(store: Store, order: int) -> None:
    beat = log("actorscope.span.heartbeat", at=30)
    [row] = view(store, "open_spans", *[("logs", [START]), ("logs", [beat])][::order])
    assert (row["name"], row["parent_span_id"], row["span_id"]) == ("invoke_agent bot", "ab", f"{1:016x}")
    assert (row["last_heartbeat_at"] - row["started_at"]).total_seconds() == 30


@pytest.mark.parametrize("order", [1, -1])
def test_a_span_that_came_is_not_open_in_any_order(store: Store, order: int) -> None:
    assert view(store, "open_spans", *[("logs", [START]), ("traces", [otlp.span(1, AGENT)])][::order]) == []


def pending(number: int = 2, parent: int = 1) -> Any:
    attributes = {**AGENT, "logfire.span_type": "pending_span", "logfire.pending_parent_id": "0" * 16}
    return otlp.span(number, attributes, name="invoke_agent bot", parent_span_id=parent.to_bytes(8, "big"))


def test_a_pending_span_of_logfire_opens_the_span_above_it_and_is_no_run(store: Store) -> None:
    [row] = view(store, "open_spans", ("traces", [pending()]))
    assert (row["span_id"], row["name"], row["actor_name"], row["parent_span_id"]) == (
        f"{1:016x}",
        "invoke_agent bot",
        "bot",
        "0" * 16,
    )
    assert in_worker(lambda: store.frame("SELECT count() AS n FROM agent_runs"))["n"][0] == 0


@pytest.mark.parametrize("order", [1, -1])
def test_a_pending_span_of_a_span_that_came_opens_nothing_and_counts_nothing(store: Store, order: int) -> None:
    batches = [("traces", [pending()]), ("traces", [otlp.span(1, AGENT)])][::order]
    assert view(store, "open_spans", *batches) == []
    assert in_worker(lambda: store.frame("SELECT span_id FROM agent_runs"))["span_id"].to_list() == [f"{1:016x}"]


ASK, ANSWER = (
    log("actorscope.approval.request", approval_id="ap"),
    log("actorscope.approval.decision", at=9, approval_id="ap", approval_status="rejected", approval_approver_id="ann"),
)


@pytest.mark.parametrize("order", [1, -1])
def test_an_approval_told_by_log_records_has_times_and_approver(store: Store, order: int) -> None:
    [row] = view(store, "approvals", *[("logs", [ASK]), ("logs", [ANSWER])][::order])
    assert (row["approval_id"], row["status"], row["approver_id"], row["trace_id"]) == (
        "ap",
        "rejected",
        "ann",
        f"{1:032x}",
    )
    assert (row["resolved_at"] - row["requested_at"]).total_seconds() == 9


def test_an_approval_that_nobody_answered_is_pending(store: Store) -> None:
    [row] = view(store, "approvals", ("logs", [ASK]))
    assert (row["status"], row["approver_id"]) == ("pending", "")


def test_a_start_that_repeats_an_approval_asks_for_none(store: Store) -> None:
    assert (
        view(store, "approvals", ("logs", [log("actorscope.span.start", approval_id="ap", approval_status="pending")]))
        == []
    )


@pytest.mark.parametrize("order", [1, -1])
def test_an_answer_before_or_after_its_action_is_one_approval(store: Store, order: int) -> None:
    action = otlp.span(1, {**TOOL, "actorscope.approval.id": "ap"})
    [row] = view(store, "approvals", *[("traces", [action]), ("logs", [ANSWER])][::order])
    assert (row["action_span_id"], row["status"], row["approver_id"]) == (f"{1:016x}", "rejected", "ann")


def test_actors_are_agents_people_servers_and_tools(store: Store) -> None:
    agent = otlp.span(1, {**AGENT, "user.id": "ann"})
    tool = otlp.span(2, TOOL, parent_span_id=(1).to_bytes(8, "big"))
    served = otlp.span(3, TOOL, trace=2, kind=2)
    rows = view(store, "actors", ("traces", [agent, tool, served]))
    found = {(row["actor_id"], row["kind"], row["basis"]) for row in rows}
    assert found == {
        ("desk/bot", "agent", "declared"), ("ann", "human", "declared"), ("mcp:desk", "mcp_server", "derived"),
        ("tool:send", "tool", "derived"), ("desk", "service", "inferred"),
    }  # fmt: skip
