"""The demo fleet through real exporters into a sink: what misbehaves is there, and the rest is sound."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from actorscope.demo import main
from actorscope.demo.fleet import Fleet
from actorscope.demo.run import SECOND
from actorscope.demo.stories import SHOPS

NOW = 1_790_000_000 * SECOND
PRICES = {
    "gpt-4.1": (2.0, 8.0),
    "gpt-4o-mini": (0.15, 0.6),
    "claude-sonnet-4-5": (3.0, 15.0),
    "gemini-2.5-flash": (0.3, 2.5),
}
Span = dict[str, Any]


@pytest.fixture(scope="module")
def sink(open_sink: Callable[[], Any]) -> Any:
    """A sink that has heard one hour of history."""
    sink = open_sink()
    doors = ["--endpoint", sink.endpoint, "--http-endpoint", sink.http_endpoint]
    assert main([*doors, "--history-hours", "1", "--history-seconds", "0", "--no-live"]) == 0
    return sink


@pytest.fixture(scope="module")
def spans(sink: Any) -> list[Span]:
    """The spans of that history; those of the shops are told by stories (`test_stories.py`)."""
    return [span for span in sink.spans if span["service"] not in SHOPS.values()]


def tool(span: Span) -> str:
    """The tool that a span of any dialect is a call of."""
    a = span["a"]
    if a.get("traceloop.span.kind") == "tool":
        return str(a["traceloop.entity.name"])
    return str(a.get("gen_ai.tool.name") or a.get("tool.name") or "") if "await_approval" not in span["name"] else ""


def given(span: Span) -> str:
    """The arguments of a tool call, as they were sent."""
    a = span["a"]
    return str(a.get("gen_ai.tool.call.arguments") or a.get("traceloop.entity.input") or a.get("input.value"))


def tokens(span: Span) -> tuple[int, int, str]:
    """Input tokens, output tokens and model of a call of a model."""
    a = span["a"]
    read = a.get("gen_ai.usage.input_tokens") or a.get("llm.token_count.prompt") or a.get("gen_ai.usage.prompt_tokens")
    wrote = (
        a.get("gen_ai.usage.output_tokens")
        or a.get("llm.token_count.completion")
        or a.get("gen_ai.usage.completion_tokens")
    )
    return int(read or 0), int(wrote or 0), str(a.get("gen_ai.request.model") or a.get("llm.model_name") or "")


def calls(spans: list[Span], name: str) -> list[Span]:
    """The calls of one tool in order of time."""
    return sorted((span for span in spans if tool(span) == name), key=lambda span: int(span["start"]))


def test_responses_are_answered_once(spans: list[Span]) -> None:
    ids = [span["a"]["gen_ai.response.id"] for span in spans if "gen_ai.response.id" in span["a"]]
    assert len(ids) == len(set(ids)) > 300


def test_parents_resolve_and_ids_are_unique(sink: Any) -> None:
    spans = sink.spans
    known = {(span["trace"], span["span"]): span for span in spans}
    assert len(known) == len(spans)
    for span in spans:
        assert span["start"] < span["end"] <= time.time_ns()
        if span["parent"]:
            parent = known[span["trace"], span["parent"]]
            assert parent["start"] <= span["start"]
            assert span["end"] <= parent["end"]


def test_history_covers_the_hours_and_ends_now(sink: Any) -> None:
    spans = sink.spans
    first, last = min(span["start"] for span in spans), max(span["end"] for span in spans)
    assert 0.9 * 3600 < (last - first) / SECOND < 3600
    assert (time.time_ns() - last) / SECOND < 180


def test_services_dialects_and_doors(spans: list[Span]) -> None:
    seen = {(span["service"], span["door"]) for span in spans}
    assert seen == {("support-desk", "grpc"), ("billing", "grpc"), ("research", "http"), ("ops", "http")}
    for span in spans:
        a = span["a"]
        if span["service"] == "research":
            assert a["openinference.span.kind"] in {"AGENT", "LLM", "TOOL"}
            assert span["scope"].startswith("openinference.instrumentation.")
        elif span["service"] == "billing":
            assert "traceloop.span.kind" in a or a["llm.request.type"] == "chat"
            assert span["scope"] == "opentelemetry.instrumentation.langchain"
        else:
            assert "gen_ai.operation.name" in a or span["name"].startswith("await_approval")
        if span["service"] != "support-desk":
            assert not [k for k in a if k.startswith("actorscope.") and k.split(".")[1] not in ("execution", "task")]
    ops = [span["a"] for span in spans if span["service"] == "ops" and "invoke_agent" in span["name"]]
    assert ops and all(a["actorscope.execution.trigger"] == "schedule" and "user.id" not in a for a in ops)
    assert {model for _, _, model in map(tokens, spans) if model} == set(PRICES)


def test_numbers_follow_from_the_seed(sink: Any) -> None:
    def shape(seed: int, now: int) -> Counter[str]:
        takes = Fleet(seed, now).history(1)
        return Counter(f"{take.service} {node.name}" for take in takes for node in take.root.walk())

    assert shape(7, NOW) == shape(7, NOW + 12_345 * SECOND)
    assert shape(7, NOW) == Counter(f"{span['service']} {span['name']}" for span in sink.spans)
    assert shape(7, NOW) != shape(8, NOW)


def test_delegation_cycle_is_open_and_nested(spans: list[Span]) -> None:
    by_id = {span["span"]: span for span in spans}
    revolutions: dict[str, int] = defaultdict(int)
    for span in spans:
        if span["service"] != "support-desk" or not span["name"].startswith("invoke_agent"):
            continue
        names, at = [], by_id.get(span["parent"])
        while at:
            if at["name"].startswith("invoke_agent"):
                names.append((at["a"]["gen_ai.agent.name"], at["a"]["gen_ai.input.messages"]))
            at = by_id.get(at["parent"])
        repeats = names.count((span["a"]["gen_ai.agent.name"], span["a"]["gen_ai.input.messages"]))
        revolutions[span["trace"]] = max(revolutions[span["trace"]], repeats)
    assert sorted(count for count in revolutions.values() if count) == [2, 3]


def test_scopes_are_kept_but_for_transfers(spans: list[Span]) -> None:
    outside = []
    for span in spans:
        a = span["a"]
        used = set(a.get("actorscope.authz.scope.used", []))
        if used - set(a.get("actorscope.authz.scope.granted", [])):
            outside.append(span)
    assert [tool(span) for span in outside] == ["transfer_funds"] * 2
    by_id = {span["span"]: span for span in spans}
    for span in outside:
        agent = by_id[span["parent"]]["a"]
        assert agent["gen_ai.agent.name"] == "billing-specialist"
        assert agent["actorscope.delegation.scope.granted"] == ["invoice:read", "ticket:write"]
        assert span["a"]["actorscope.authz.scope.used"] == ["payment:write"]


def test_delegates_hold_no_more_than_their_delegators(spans: list[Span]) -> None:
    by_id = {span["span"]: span for span in spans}
    key = "actorscope.delegation.scope.granted"
    for span in spans:
        at = by_id.get(span["parent"])
        if span["name"].startswith("invoke_agent") and at and at["name"].startswith("execute_tool"):
            assert set(span["a"][key]) <= set(by_id[at["parent"]]["a"][key])


def test_email_is_new_to_kb_answers_and_late(spans: list[Span]) -> None:
    (letter,) = calls(spans, "send_email")
    assert letter["a"]["actorscope.task.kind"] == "kb.answer"
    assert letter["a"]["actorscope.authz.scope.used"] == ["email:send"]
    before = [
        span
        for span in spans
        if span["name"] == "invoke_agent kb-assistant" and span["end"] < letter["start"] and span["status"] != 2
    ]
    assert len(before) >= 12
    (article,) = [span for span in calls(spans, "search_kb") if span["trace"] == letter["trace"]]
    assert json.loads(given(letter))["to"] in article["a"]["gen_ai.tool.call.result"]


def test_one_brief_runs_away(spans: list[Span]) -> None:
    used: dict[str, int] = defaultdict(int)
    begun = {span["trace"]: span["start"] for span in spans if span["name"] == "market-researcher.run"}
    for span in spans:
        if span["trace"] in begun:
            used[span["trace"]] += sum(tokens(span)[:2])
    median = statistics.median(used.values())
    worst, *rest = sorted(used, key=lambda trace: used[trace], reverse=True)
    assert 80 * median < used[worst] < 220 * median
    assert used[rest[0]] < 2 * median
    assert sum(begun[trace] < begun[worst] for trace in rest) >= 30


def test_healthy_runs_cost_alike(spans: list[Span]) -> None:
    cost: dict[str, float] = defaultdict(float)
    kind: dict[str, str] = {}
    for span in spans:
        read, wrote, model = tokens(span)
        if model:
            cost[span["trace"]] += (read * PRICES[model][0] + wrote * PRICES[model][1]) / 1e6
        if not span["parent"]:
            kind[span["trace"]] = f"{span['name']} {span['a'].get('actorscope.task.kind', '')}"
    groups: dict[str, list[float]] = defaultdict(list)
    for trace, name in kind.items():
        groups[name].append(math.log(cost[trace]))
    high = {name: sum(x - statistics.median(xs) > 0.75 for x in xs) for name, xs in groups.items()}
    assert {name: count for name, count in high.items() if count} == {
        "market-researcher.run ": 1,
        "invoke_agent insights report.weekly": 1,
        "invoke_agent triage refund.request": 2,
    }


def test_one_report_breaks_its_budget(spans: list[Span], sink: Any) -> None:
    shares = sorted(
        span["a"]["actorscope.budget.consumed"] / span["a"]["actorscope.budget.limit"]
        for span in spans
        if "actorscope.budget.limit" in span["a"]
    )
    assert shares[-1] > 1
    assert shares[-2] < 0.5
    checks = [log for log in sink.logs if log["event"] == "actorscope.budget.check"]
    assert [log["a"]["actorscope.budget.outcome"] for log in checks] == ["exceeded"]


def test_refunds_paid_twice_and_refused_once(spans: list[Span]) -> None:
    attempts: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for span in calls(spans, "issue_refund"):
        attempts[span["trace"], given(span)].append(span)
    doubles = [pair for pair in attempts.values() if len(pair) > 1]
    paid = [pair for pair in doubles if all(span["status"] != 2 for span in pair)]
    refused = [pair for pair in doubles if pair[0]["status"] == 2]
    assert len(paid) == 2 and len(refused) >= 2 and len(doubles) == len(paid) + len(refused)
    for first, second in refused:
        assert first["a"]["error.type"] == "ConnectError" and second["status"] != 2
        assert first["a"]["actorscope.action.id"] == second["a"]["actorscope.action.id"]
        assert second["a"]["actorscope.execution.attempt"] == 2


def test_one_invoice_is_created_again_without_a_cause(spans: list[Span]) -> None:
    made: dict[str, list[Span]] = defaultdict(list)
    for span in calls(spans, "create_invoice"):
        made[given(span)].append(span)
    (pair,) = [found for found in made.values() if len(found) > 1]
    first, again = pair
    session = "traceloop.association.properties.session_id"
    assert first["trace"] != again["trace"] and first["a"][session] == again["a"][session]
    assert (again["start"] - first["start"]) / SECOND > 1800
    asked = {
        span["a"]["traceloop.entity.input"]
        for span in spans
        if span["trace"] in (first["trace"], again["trace"]) and span["a"].get("traceloop.span.kind") == "workflow"
    }
    assert len(asked) == 1


def test_no_other_write_repeats(spans: list[Span]) -> None:
    reads = {"search", "get", "lookup", "list", "run", "fetch", "compare", "delegate", "transfer"}
    repeated = Counter(
        (tool(span), given(span))
        for span in spans
        if tool(span) and span["status"] != 2 and tool(span).split("_")[0] not in reads
    )
    assert {name for (name, _), count in repeated.items() if count > 1} == {
        "issue_refund",
        "create_invoice",
        "apply_credit",
    }
    credits = calls(spans, "apply_credit")
    assert len({span["a"]["gen_ai.conversation.id"] for span in credits}) == len(credits) > 3


def test_lookalikes_are_there(spans: list[Span]) -> None:
    by_id = {span["span"]: span for span in spans}
    planners = [span for span in spans if span["name"] == "invoke_agent planner" and span["parent"]]
    assert planners
    for span in planners:
        above = by_id[by_id[span["parent"]]["parent"]]
        assert above["name"] == span["name"]
        assert len(span["a"]["gen_ai.input.messages"]) < len(above["a"]["gen_ai.input.messages"])
    polls = [span["a"]["gen_ai.tool.call.result"] for span in calls(spans, "get_shipment_status")]
    assert len(polls) > 8 and len(set(polls)) == len(polls)
    handed = [span for span in spans if span["name"] == "invoke_agent account-manager"]
    assert handed and all(by_id[span["parent"]]["name"] == "invoke_workflow support" for span in handed)


def test_approvals_come_before_the_approved_action(spans: list[Span], sink: Any) -> None:
    approved = [span for span in calls(spans, "issue_refund") if "actorscope.approval.id" in span["a"]]
    waits = {s["a"]["actorscope.approval.id"]: s for s in spans if s["name"] == "await_approval issue_refund"}
    assert approved
    for span in approved:
        wait = waits[span["a"]["actorscope.approval.id"]]
        assert wait["end"] <= span["start"]
        assert wait["a"]["actorscope.approval.action.digest"] == span["a"]["actorscope.action.input.digest"]
        events = [log["event"] for log in sink.logs if log["span"] == wait["span"]]
        assert events == ["actorscope.approval.request", "actorscope.approval.resolution"]
    dear = [s for s in calls(spans, "issue_refund") if json.loads(given(s))["amount"] >= 90]
    assert all("actorscope.approval.id" in span["a"] for span in dear)
