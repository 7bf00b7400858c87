"""What was said too early gives way: spans that come in a later batch change what earlier ones mean."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import TABLES
from tests.make import Made, spans

from actorscope.analysis.runner import Pass, Runner
from actorscope.ingest.store.client import Store, in_worker


def part(made: Made, *names: str) -> list[dict[str, Any]]:
    """The rows of these spans."""
    ids = {made.places[name] for name in names}
    return [row for row in made.rows if (row["trace_id"].hex(), row["span_id"].hex()) in ids]


def after(store: Store, made: Made, batches: list[tuple[str, ...]], sql: str) -> list[dict[str, Any]]:
    """The rows of a query after these spans came batch by batch; the last batch is the rest."""

    def act() -> list[dict[str, Any]]:
        for table in TABLES:
            store.command(f"TRUNCATE TABLE {table}")
        analyst = Analyst(store)
        early = {name for names in batches for name in names}
        for names in (*batches, tuple(set(made.places) - early)):
            analyst.look(made, part(made, *names))
        return store.frame(sql).to_dicts()

    return in_worker(act)


ALONE = """
- trace: t
  spans: [{op: invoke_workflow, workflow_name: desk, as: flow, children: [{chat: x, tokens: [9, 1]}, {agent: clerk}]}]
"""


def test_a_workflow_is_no_run_any_more_when_an_agent_comes_to_light_in_it(store: Store) -> None:
    rows = after(store, spans(ALONE), [("t/flow", "t/chat")], "SELECT actor_name FROM agent_runs")
    assert [row["actor_name"] for row in rows] == ["clerk"]


def test_the_rollup_of_runs_forgets_what_is_no_run_any_more(store: Store) -> None:
    rows = after(store, spans(ALONE), [("t/flow", "t/chat")], "SELECT actor_id FROM runs FINAL WHERE NOT is_void")
    assert [row["actor_id"] for row in rows] == ["desk/clerk"]


ECHO = """
- trace: t
  spans:
    - agent: bot
      request: Tell Ann
      children:
        - {tool: send_email, effect: write, args: {to: ann}, children: [{tool: send_email, as: server, effect: write, args: {to: ann}}]}
"""
WAIT = """
- trace: t
  spans: [{agent: bot, request: Tell Ann, user: ann, children: [{tool: send_email, effect: write, tool_call_id: k, args: {to: ann}}]}]
- trace: u
  at: 5m
  spans:
    - agent: bot
      request: Tell Ann
      user: ann
      children: [{tool: send_email, effect: write, tool_call_id: k, args: {to: ann}, result: ok}]
"""


@pytest.mark.parametrize(
    ("text", "first"), [(ECHO, ("t/server",)), (WAIT, ("t/bot", "t/send_email"))], ids=["echo", "wait"]
)
@pytest.mark.parametrize("whole", [True, False])
def test_one_write_is_one_effect_and_no_repetition(
    store: Store, text: str, first: tuple[str, ...], whole: bool
) -> None:
    made = spans(text)

    def act() -> tuple[int, list[Any]]:
        analyst = Analyst(store)
        rest = tuple(set(made.places) - set(first))
        for names in [first + rest] if whole else [first, rest]:
            analyst.look(made, part(made, *names))
        effects = store.frame("SELECT span_id FROM effects FINAL WHERE NOT is_void")
        return effects.height, analyst.open("reexecution_duplicate_write")

    assert in_worker(act) == (1, [])


CHAIN = """
- {trace: a, spans: [{op: gone, children: [{agent: one, delegation_id: d1}]}]}
- {trace: b, spans: [{op: gone, children: [{agent: two, delegation_id: d1, children: [{tool: ask, delegation_id: d2}]}]}]}
- {trace: c, spans: [{op: gone, children: [{agent: three, delegation_id: d2}]}]}
"""


def test_related_traces_without_their_tops_are_looked_at_a_few_times_only(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, passes, once = spans(CHAIN), [], Runner.run_once

    def counted(self: Runner, at_end: bool = False) -> Pass:
        passes.append(at_end)
        return once(self, at_end) if len(passes) < 14 else Pass()

    monkeypatch.setattr(Runner, "run_once", counted)

    def act() -> None:
        analyst = Analyst(store)
        analyst.look(made, part(made, "a/one", "b/two", "b/ask", "c/three"))
        analyst.look(made, part(made, "c/three"))

    in_worker(act)
    assert len(passes) < 14


TWINS = """
- {trace: t, spans: [{chat: gpt-4o, as: bare, tokens: [184, 28], for: 2, dialect: openinference}]}
- {trace: u, spans: [{chat: gpt-4o, as: full, tokens: [184, 28], for: 2, response: r1}]}
"""


@pytest.mark.parametrize("batches", [[], [("t/bare",)], [("u/full",)]])
def test_a_nameless_twin_in_another_trace_counts_once_in_any_batches(
    store: Store, batches: list[tuple[str, ...]]
) -> None:
    rows = after(store, spans(TWINS), batches, "SELECT response_id FROM model_calls")
    assert [row["response_id"] for row in rows] == ["r1"]


@pytest.mark.parametrize("batches", [[], [("t/one",)], [("u/two",)]])
def test_a_response_in_two_traces_counts_once_in_any_batches(store: Store, batches: list[tuple[str, ...]]) -> None:
    made = spans("""
    - {trace: t, spans: [{chat: gpt-4o, as: one, tokens: [9, 1], for: 2, response: r1}]}
    - {trace: u, spans: [{chat: gpt-4o, as: two, tokens: [9, 1], for: 2, response: r1}]}
    """)
    assert len(after(store, made, batches, "SELECT span_id FROM model_calls")) == 1


def test_approvals_of_unrelated_calls_are_two(store: Store) -> None:
    made = spans("""
    - {trace: t, service: desk, spans: [{agent: bot, children: [{tool: send, args: {n: 1}, state: waiting}]}]}
    - {trace: u, service: shop, at: 9h, spans: [{agent: clerk, children: [{tool: send, args: {n: 1}, state: waiting}]}]}
    """)
    assert len(after(store, made, [], "SELECT approval_id FROM approvals")) == 2


WAITED = """
- {trace: t, repeat: 6, spans: [{agent: bot, children: [{tool: send, args: {n: 1}, tool_call_id: "k{n}", state: waiting}]}]}
- {trace: u, repeat: 6, at: 5m, spans: [{agent: bot, children: [{tool: send, args: {n: 1}, tool_call_id: "k{n}", result: ok}]}]}
"""


@pytest.mark.parametrize("first", ["", "t", "u"])
def test_an_approval_stands_in_the_trace_where_it_was_asked_for(store: Store, first: str) -> None:
    made = spans(WAITED)
    early = [tuple(name for name in made.places if name.startswith(first))] if first else []
    rows = {row["approval_id"]: row for row in after(store, made, early, "SELECT * FROM approvals")}
    assert len(rows) == 6
    for n in range(1, 7):
        asked, done = made.places[f"t-{n}/send"], made.places[f"u-{n}/send"]
        row = rows[asked[1]]
        assert (row["trace_id"], row["action_span_id"], row["status"]) == (asked[0], done[1], "approved")
        assert row["requested_at"] < row["resolved_at"]


ASKED = json.dumps([{"id": "k", "name": "send", "arguments": '{"n": 1}'}])
LATER = [
    {"trace": "t", "spans": [{"agent": "bot", "conversation": "c", "children": [{"chat": "x", "tool_calls": ASKED}]}]},
    {
        "trace": "u",
        "at": "5m",
        "spans": [
            {"agent": "bot", "conversation": "c", "children": [{"tool": "send", "tool_call_id": "k", "result": "ok"}]}
        ],
    },
]


@pytest.mark.parametrize("first", ["", "t", "u"])
def test_a_call_that_was_asked_for_in_a_run_before_was_approved(store: Store, first: str) -> None:
    made = spans(LATER)
    early = [tuple(name for name in made.places if name.startswith(first))] if first else []
    rows = after(store, made, early, "SELECT approval_id, status, action_span_id FROM approvals")
    asked = made.places["t/chat"][1]
    assert rows == [{"approval_id": asked, "status": "approved", "action_span_id": made.places["u/send"][1]}]


def test_the_agent_of_a_tool_is_known_when_its_model_call_comes_last(store: Store) -> None:
    made = spans(
        "- {trace: t, spans: [{agent: boss, children: [{tool: ask_clerk, children: [{chat: x, tokens: [9, 1]}]}]}]}"
    )
    rows = after(
        store, made, [("t/boss", "t/ask_clerk")], "SELECT actor_name, total_tokens FROM agent_runs ORDER BY actor_name"
    )
    assert [(row["actor_name"], row["total_tokens"]) for row in rows] == [("boss", 10), ("clerk", 10)]
    edges = in_worker(lambda: store.frame("SELECT delegator_name, delegate_name FROM delegations").rows())
    assert edges == [("boss", "clerk")]


def test_arguments_that_only_the_answer_tells_come_to_the_action_when_the_answer_comes_last(store: Store) -> None:
    asked = json.dumps([{"id": "k", "name": "send", "arguments": '{"n": 1}'}])
    made = spans(
        [
            {
                "trace": "t",
                "spans": [
                    {
                        "agent": "bot",
                        "children": [{"chat": "x", "tool_calls": asked}, {"tool": "send", "tool_call_id": "k"}],
                    }
                ],
            }
        ]
    )
    [row] = after(store, made, [("t/bot", "t/send")], "SELECT arguments, arguments_basis FROM actions")
    assert row == {"arguments": '{"n": 1}', "arguments_basis": "derived"}
