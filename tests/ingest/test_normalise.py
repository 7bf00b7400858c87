"""Dialects applied: many vocabularies in, the same facts out, with the basis of what is said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from importlib import import_module
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tests.ingest import otlp

from actorscope.ingest.columns import BASIS, FACTS
from actorscope.ingest.decode import decode_traces
from actorscope.ingest.normalise import normalise
from actorscope.semconv.dialects import load

normaliser, wide = import_module("actorscope.ingest.normalise"), import_module("actorscope.ingest.wide")

_OPENINFERENCE, _AGENTS_SDK = "openinference.instrumentation.x", "openinference.instrumentation.openai_agents"


def _facts(attributes: dict[str, Any], name: str = "step", scope: str = "", kind: int = 0) -> dict[str, Any]:
    """The facts of one span that are not null; `dialect` when it is not empty."""
    [row] = normalise(
        decode_traces([otlp.traces(otlp.span(1, attributes, name=name, kind=kind), scope=scope)])
    ).to_pylist()
    return {key: value for key, value in row.items() if value is not None and value != ""}


_MESSAGES = '[{"role":"system","content":"be kind"},{"role":"user","parts":[{"type":"text","content":"Refund 7"}]}]'
_CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    # name: (attributes, expected facts, span name and scope)
    "otel_genai agent": (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner", "gen_ai.agent.id": "a1",
         "gen_ai.conversation.id": "c1", "user.id": "u1", "gen_ai.input.messages": _MESSAGES},
        {"operation": "invoke_agent", "operation_basis": "declared", "agent_name": "Planner", "agent_basis": "declared",
         "agent_id": "a1", "conversation_id": "c1", "user_id": "u1", "request": "Refund 7"},
        {},
    ),
    "otel_genai agent named by its span only": (
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "agent"},
        {"operation": "invoke_agent", "operation_basis": "declared", "agent_name": "Planner", "agent_basis": "inferred"},
        {"name": "invoke_agent Planner"},
    ),
    "otel_genai chat, new names": (
        {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-x",
         "gen_ai.response.model": "gpt-x-1", "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 5,
         "gen_ai.usage.cache_read.input_tokens": 4, "gen_ai.usage.cache_write.input_tokens": 3,
         "gen_ai.usage.reasoning.output_tokens": 2, "gen_ai.response.id": "r1", "error.type": "timeout"},
        {"operation": "chat", "operation_basis": "declared", "provider": "openai", "model": "gpt-x-1",
         "input_tokens": 10, "output_tokens": 5, "cached_tokens": 4, "cache_write_tokens": 3, "reasoning_tokens": 2,
         "response_id": "r1", "error_type": "timeout"},
        {},
    ),
    "otel_genai chat, old names": (
        {"gen_ai.system": "Vertex_AI", "gen_ai.request.model": "gemini", "gen_ai.response.id": "r1",
         "gen_ai.usage.prompt_tokens": 10, "gen_ai.usage.completion_tokens": 5,
         "gen_ai.usage.cache_read_input_tokens": 4, "gen_ai.usage.cache_creation_input_tokens": 3},
        {"operation": "chat", "operation_basis": "derived", "provider": "gcp.vertex_ai", "model": "gemini",
         "input_tokens": 10, "output_tokens": 5, "cached_tokens": 4, "cache_write_tokens": 3, "response_id": "r1"},
        {},
    ),
    "otel_genai tool": (
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "send_mail", "gen_ai.tool.call.id": "t1",
         "gen_ai.tool.call.arguments": '{"to":"x"}', "gen_ai.tool.call.result": "ok"},
        {"operation": "execute_tool", "operation_basis": "declared", "tool_name": "send_mail", "tool_call_id": "t1",
         "arguments": '{"to":"x"}', "result": "ok", "side_effect": "write", "side_effect_basis": "inferred",
         "input_digest": "sha256:" + sha256(b'{"to":"x"}').hexdigest()},
        {},
    ),
    "otel_genai over MCP": (
        {"mcp.method.name": "tools/call"},
        {"operation": "execute_tool", "operation_basis": "declared", "tool_name": "get_order", "side_effect": "read",
         "side_effect_basis": "inferred"},
        {"name": "tools/call get_order"},
    ),
    "otel_genai handoff tool": (
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "transfer_to_refunds"},
        {"operation": "execute_tool", "operation_basis": "declared", "tool_name": "transfer_to_refunds",
         "delegate_name": "refunds", "delegation_mode": "pass_control", "side_effect": "none", "side_effect_basis": "inferred"},
        {},
    ),
    "openinference agent": (
        {"openinference.span.kind": "AGENT", "agent.name": "Planner", "session.id": "c1", "user.id": "u1",
         "input.value": '{"task": "Refund 7"}'},
        {"operation": "invoke_agent", "operation_basis": "derived", "agent_name": "Planner", "agent_basis": "derived",
         "conversation_id": "c1", "user_id": "u1", "request": "Refund 7"},
        {},
    ),
    "openinference agent named by its span only": (
        {"openinference.span.kind": "AGENT"},
        {"operation": "invoke_agent", "operation_basis": "derived", "agent_name": "Planner", "agent_basis": "inferred"},
        {"name": "Planner.run", "scope": _OPENINFERENCE},
    ),
    "openai_agents run": (
        {"openinference.span.kind": "AGENT"},
        {"operation": "invoke_workflow", "operation_basis": "derived", "workflow_name": "step"},
        {"scope": _AGENTS_SDK},
    ),
    "openinference chain that is an agent": (
        {"openinference.span.kind": "CHAIN", "metadata": '{"lc_agent_name": "Planner", "thread_id": "c1"}'},
        {"operation": "invoke_agent", "operation_basis": "inferred", "agent_name": "Planner", "agent_basis": "derived",
         "conversation_id": "c1"},
        {"name": "Planner"},
    ),
    "openinference model call": (
        {"openinference.span.kind": "LLM", "llm.provider": "Azure", "llm.model_name": "gpt-x",
         "llm.token_count.prompt": 10, "llm.token_count.completion": 5, "llm.token_count.prompt_details.cache_read": 4,
         "llm.token_count.completion_details.reasoning": 2, "llm.cost.total": 0.5},
        {"operation": "chat", "operation_basis": "derived", "provider": "azure.ai.openai", "model": "gpt-x",
         "input_tokens": 10, "output_tokens": 5, "cached_tokens": 4, "reasoning_tokens": 2, "cost_amount": 0.5},
        {},
    ),
    "openai_agents handoff": (
        {"openinference.span.kind": "TOOL", "input.value": "Planner", "output.value": "Refunds"},
        {"operation": "handoff", "operation_basis": "derived", "delegator_name": "Planner", "delegate_name": "Refunds"},
        {"name": "handoff to Refunds", "scope": _AGENTS_SDK},
    ),
    "traceloop workflow": (
        {"traceloop.span.kind": "workflow", "traceloop.workflow.name": "desk",
         "traceloop.association.properties.session_id": "c1", "traceloop.association.properties.user_id": "u1",
         "traceloop.entity.input": '{"inputs": {"question": "Refund 7"}}'},
        {"operation": "invoke_workflow", "operation_basis": "derived", "workflow_name": "desk", "conversation_id": "c1",
         "user_id": "u1", "request": "Refund 7"},
        {},
    ),
    "traceloop agent": (
        {"traceloop.span.kind": "agent", "traceloop.entity.name": "Planner"},
        {"operation": "invoke_agent", "operation_basis": "derived", "agent_name": "Planner", "agent_basis": "derived"},
        {},
    ),
    "traceloop model call": (
        {"llm.request.type": "chat", "llm.request.model": "gpt-x", "llm.usage.prompt_tokens": 10,
         "llm.usage.completion_tokens": "5"},
        {"operation": "chat", "operation_basis": "derived", "model": "gpt-x", "input_tokens": 10, "output_tokens": 5},
        {},
    ),
    "actorscope": (
        {"actorscope.delegation.id": "d1", "actorscope.execution.attempt": 2, "actorscope.action.replayed": True,
         "actorscope.authz.scope.used": ["mail:send", "mail:read"], "actorscope.authz.scope.granted": "mail:read, x",
         "actorscope.budget.limit": 2.5, "actorscope.action.side_effect": "write", "actorscope.task.kind": "refund"},
        {"delegation_id": "d1", "execution_attempt": 2, "replayed": True, "scope_used": ["mail:send", "mail:read"],
         "scope_authorized": ["mail:read", "x"], "budget_limit": 2.5, "side_effect": "write",
         "side_effect_basis": "declared", "task_kind": "refund"},
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", _CASES)
def test_a_span_of_each_dialect_tells_its_facts(case: str) -> None:
    attributes, expected, where = _CASES[case]
    found = _facts(attributes, **where)
    assert found == {"dialect": case.split()[0].rstrip(","), **expected}


@pytest.mark.parametrize(
    ("other", "theirs"),
    [
        ({"openinference.span.kind": "LLM", "llm.model_name": "other", "llm.token_count.prompt": 99}, "openinference"),
        ({"llm.request.type": "chat", "llm.request.model": "other", "llm.usage.prompt_tokens": 99}, "traceloop"),
    ],
)
def test_the_official_attributes_win_over_another_dialect(other: dict[str, Any], theirs: str) -> None:
    alone = _facts(other)
    assert (alone["dialect"], alone["model"], alone["input_tokens"]) == (theirs, "other", 99)
    official = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 1}
    for attributes in ({**other, **official}, {**official, **other}):
        both = _facts(attributes)
        assert (both["operation"], both["operation_basis"]) == ("embeddings", "declared")
        assert (both["model"], both["input_tokens"]) == ("m", 1)


def test_our_own_attributes_count_on_a_span_of_any_dialect() -> None:
    found = _facts({"gen_ai.operation.name": "chat", "actorscope.cost.amount": 0.25, "gen_ai.usage.cost": 9})
    assert (found["cost_amount"], found["operation"]) == (0.25, "chat")


def test_the_decorated_workflow_keeps_its_kind_beside_official_attributes() -> None:
    found = _facts({"traceloop.span.kind": "workflow", "gen_ai.operation.name": "invoke_agent"})
    assert found["operation"] == "invoke_workflow"


def test_an_unknown_span_yields_no_facts() -> None:
    assert _facts({"http.request.method": "GET", "model": "m", "operation": "chat", "session.id": "s"}) == {}
    assert _facts({}) == {}


def test_no_spans_give_no_rows_and_all_columns() -> None:
    table = normalise(decode_traces([]))
    assert table.num_rows == 0
    assert table.schema.names == ["dialect", *(name for name, _ in FACTS), *(name for name, _ in BASIS)]


@pytest.mark.parametrize(
    "value", ["many", -1, 2**63 - 1, float("inf"), float("nan"), True, [1], {"a": 1}, b"x", None, ""]
)
def test_a_value_of_the_wrong_type_is_left_out(value: Any) -> None:
    keys = ["gen_ai.usage.input_tokens", "actorscope.execution.attempt", "llm.token_count.prompt"]
    found = _facts({"openinference.span.kind": "LLM", **dict.fromkeys(keys, value)})
    assert "input_tokens" not in found and "execution_attempt" not in found
    assert "replayed" not in _facts({"actorscope.action.replayed": "perhaps"})
    assert "cost_amount" not in _facts({"actorscope.cost.amount": "free"})


def test_a_wrong_value_does_not_hide_the_next_rule_s() -> None:
    found = _facts({"gen_ai.usage.input_tokens": "many", "gen_ai.usage.prompt_tokens": 7})
    assert found["input_tokens"] == 7


def test_facts_of_a_span_do_not_depend_on_its_neighbours() -> None:
    spans = [
        (otlp.span(n, attributes, name=where.get("name", "step")), where.get("scope", ""))
        for n, (attributes, _, where) in enumerate(_CASES.values(), 1)
    ]
    bodies = [otlp.traces(span, scope=scope) for span, scope in spans] + [otlp.traces(otlp.span(99, {"x": "y"}))]

    def facts(order: list[bytes]) -> dict[bytes, Any]:
        decoded = decode_traces(order)
        return dict(zip(decoded["span_id"].to_pylist(), normalise(decoded).to_pylist(), strict=True))

    alone = {key: row for body in bodies for key, row in facts([body]).items()}
    for seed in range(5):
        shuffled = random.Random(seed).sample(bodies, len(bodies))
        assert facts(shuffled) == alone


@pytest.mark.parametrize(
    ("tool", "effect"),
    [("get_weather", "read"), ("sendMail", "write"), ("deleteUser", "destructive"), ("crm.booking-cancel", "destructive"),
     ("list_deleted", "read"), ("getaway", "unknown"), ("frobnicate", "unknown"), ("SEARCH", "read")],
)  # fmt: skip
def test_a_tool_s_name_tells_its_effect_where_nobody_declared_one(tool: str, effect: str) -> None:
    found = _facts({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool})
    assert (found["side_effect"], found["side_effect_basis"]) == (effect, "inferred")
    declared = _facts(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool, "actorscope.action.side_effect": "none"}
    )
    assert (declared["side_effect"], declared["side_effect_basis"]) == ("none", "declared")


def test_no_effect_is_guessed_for_what_is_no_tool_call() -> None:
    assert "side_effect" not in _facts({"gen_ai.operation.name": "chat", "gen_ai.tool.name": "delete_all"})


def test_a_stated_digest_is_kept_and_a_missing_one_made() -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.call.arguments": '{"b":1,"a":2.0}'}
    made = _facts(tool)["input_digest"]
    assert made == _facts({**tool, "gen_ai.tool.call.arguments": '{ "a": 2, "b": 1 }'})["input_digest"]
    assert _facts({**tool, "actorscope.action.input.digest": "sha256:x"})["input_digest"] == "sha256:x"


def test_a_surrogate_half_spoils_neither_its_span_nor_its_neighbour() -> None:
    bad = otlp.span(1, {"openinference.span.kind": "AGENT", "input.value": '{"input": "go \\ud800!"}'})
    bad.attributes.extend(otlp.pairs({"actorscope.authz.scope.used": '["a\\udfff"]'}))
    good = otlp.span(2, {"openinference.span.kind": "AGENT", "input.value": "go"})
    first, second = normalise(decode_traces([otlp.traces(bad, good)])).to_pylist()
    assert (first["request"], first["scope_used"], second["request"]) == ("go ?!", ["a?"], "go")


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Replaces the dialects by ones given as their rules: `speak(one={...}, two={...})`, the first the preferred one."""

    def forget() -> None:
        for module in (normaliser, wide):
            for function in vars(module).values():
                if hasattr(function, "cache_clear") and getattr(function, "__module__", "") == module.__name__:
                    function.cache_clear()

    def use(**rules: dict[str, list[Any]]) -> None:
        documents = {
            name: {"dialect": name, "order": n, "detect": {"prefixes": [f"{name}."]}, "columns": columns}
            for n, (name, columns) in enumerate(rules.items())
        }
        loaded = load(documents)
        monkeypatch.setattr(normaliser, "dialects", lambda: loaded)
        monkeypatch.setattr(wide, "dialects", lambda: loaded)
        forget()

    yield use
    monkeypatch.undo()
    forget()


class TestRules:
    """Each key of a rule, with dialects made for it."""

    def test_only_dialects_that_are_spoken_are_asked(self, speak: Callable[..., None]) -> None:
        speak(one={"model": ["shared"]}, two={"model": ["shared"]})
        assert "model" not in _facts({"shared": "m"})
        assert _facts({"shared": "m", "two.x": 1}) == {"dialect": "two", "model": "m"}

    def test_a_first_rule_is_asked_before_those_of_every_other_dialect(self, speak: Callable[..., None]) -> None:
        speak(one={"model": ["one.m"]}, two={"model": [{"from": "two.m", "first": True}]})
        assert _facts({"one.m": "a", "two.m": "b"})["model"] == "b"
        assert _facts({"one.m": "a", "two.x": "b"})["model"] == "a"

    def test_nothing_ends_the_search(self, speak: Callable[..., None]) -> None:
        speak(
            one={"agent_name": [{"nothing": True, "where": {"one.kind": "runner"}}, "one.name"]},
            two={"agent_name": ["two.name"]},
        )
        named = {"one.name": "a", "two.name": "b"}
        assert _facts({**named, "one.kind": "agent"})["agent_name"] == "a"
        found = _facts({**named, "one.kind": "runner"})
        assert "agent_name" not in found

    def test_what_is_nothing_has_no_basis(self, speak: Callable[..., None]) -> None:
        speak(one={"agent_name": [{"nothing": True, "basis": "declared"}], "operation": [{"nothing": True}]})
        assert _facts({"one.x": 1}) == {"dialect": "one"}

    def test_plus_adds_what_is_there_and_is_numbers(self, speak: Callable[..., None]) -> None:
        speak(one={"input_tokens": [{"from": "one.in", "plus": ["one.cache", "one.more"]}, "one.rest"]})
        assert _facts({"one.in": 5, "one.cache": 7})["input_tokens"] == 12
        assert _facts({"one.in": 5, "one.cache": "many", "one.more": "1"})["input_tokens"] == 6
        assert "input_tokens" not in _facts({"one.cache": 7})
        assert _facts({"one.cache": 7, "one.rest": 3})["input_tokens"] == 3

    def test_plus_adds_other_paths_of_the_same_json(self, speak: Callable[..., None]) -> None:
        speak(one={"input_tokens": [{"from": "one.usage", "json": "$.input", "plus": ["$.cache"]}]})
        assert _facts({"one.usage": '{"input": 5, "cache": 7}'})["input_tokens"] == 12
        assert _facts({"one.usage": '{"input": 5}'})["input_tokens"] == 5
        assert "input_tokens" not in _facts({"one.usage": '{"cache": 7}'})

    def test_an_attribute_named_like_a_column_is_read_by_from_and_the_column_by_where(
        self, speak: Callable[..., None]
    ) -> None:
        speak(
            one={
                "tool_name": [{"from": "model", "where": {"operation": "chat"}}],
                "operation": ["one.op"],
                "model": ["one.model"],
            }
        )
        found = _facts({"one.op": "chat", "one.model": "column", "model": "attribute"})
        assert (found["tool_name"], found["model"]) == ("attribute", "column")

    def test_the_last_event_of_a_name_counts(self, speak: Callable[..., None]) -> None:
        speak(one={"error_type": [{"from": "type", "event": "exception"}]})
        events = [
            Span.Event(name=n, attributes=otlp.pairs({"type": t}))
            for n, t in (("exception", "A"), ("other", "X"), ("exception", "B"))
        ]
        [row] = normalise(
            decode_traces([otlp.traces(otlp.span(1, {"one.x": 1, "type": "own"}, events=events))])
        ).to_pylist()
        assert row["error_type"] == "B"

    def test_events_of_one_span_are_not_those_of_its_neighbour(self, speak: Callable[..., None]) -> None:
        speak(one={"error_type": [{"from": "type", "event": "exception"}]})
        event = Span.Event(name="exception", attributes=otlp.pairs({"type": "A"}))
        spans = [otlp.span(n, {"one.x": 1}, events=[event] if n == 2 else []) for n in (1, 2, 3)]
        rows = normalise(decode_traces([otlp.traces(*spans)])).to_pylist()
        assert [row["error_type"] for row in rows] == [None, "A", None]

    def test_resource_reads_the_resource_and_not_the_span(self, speak: Callable[..., None]) -> None:
        speak(one={"agent_id": [{"from": "one.id", "resource": True}]})
        body = otlp.traces(otlp.span(1, {"one.x": 1}), resource={"one.id": "a"})
        assert normalise(decode_traces([body])).to_pylist()[0]["agent_id"] == "a"
        assert "agent_id" not in _facts({"one.id": "of the span"})

    def test_keys_gather_attributes_in_any_order(self, speak: Callable[..., None]) -> None:
        speak(one={"tool_calls": [{"keys": r"one\.call\.\d+\.tool_calls\b", "content": "tool_calls"}]})
        given = {
            "one.call.0.tool_calls.0.name": "a",
            "one.call.0.tool_calls.0.arguments": "{}",
            "one.call.0.tool_calls.1.name": "b",
        }
        found = _facts(given)["tool_calls"]
        assert [call["name"] for call in json.loads(found)] == ["a", "b"]
        assert _facts(dict(reversed(given.items())))["tool_calls"] == found
        assert "tool_calls" not in _facts({"one.call.x.tool_calls.0.name": "a"})

    @pytest.mark.parametrize(("rule", "attributes", "model"), [
        ({"from": "m", "present": ["one.p", "operation"]}, {"one.p": "x", "one.op": "chat"}, "m"),
        ({"from": "m", "present": ["one.p", "operation"]}, {"one.p": "x"}, None),
        ({"from": "m", "absent": ["one.p"]}, {}, "m"), ({"from": "m", "absent": ["one.p"]}, {"one.p": "x"}, None),
        ({"from": "m", "same": ["@name", "one.p"]}, {"one.p": "step"}, "m"),
        ({"from": "m", "same": ["@name", "one.p"]}, {"one.p": "x"}, None),
        ({"from": "m", "where": {"@kind": "internal", "one.p": ["x", "y"]}}, {"one.p": "y"}, "m"),
        ({"from": "m", "where": {"one.p": ["x", "y"]}}, {}, None),
        ({"from": "m", "where": {"one.p": "true"}}, {"one.p": True}, "m"),
    ])  # fmt: skip
    def test_conditions(
        self, speak: Callable[..., None], rule: Any, attributes: dict[str, Any], model: str | None
    ) -> None:
        speak(one={"operation": ["one.op"], "model": [rule]})
        assert _facts({"one.x": 1, "m": "m", **attributes}, kind=1).get("model") == model
