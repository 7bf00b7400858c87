"""What each dollar went into and who started the work; every dollar of the model calls once."""

from __future__ import annotations

import random
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.analysis.test_batches import dealt, recorded, said
from tests.conftest import RECORDINGS, empty
from tests.make import Made, spans

from actorscope.analysis import frames
from actorscope.analysis.answers.spend import spend
from actorscope.ingest.store.client import Store, in_worker


def told(text: str, column: str) -> dict[str, Any]:
    """A column of the spans that cost something, by what they are called."""
    made = spans(text)
    steps = made.named(frames.touch(made.frame()).steps)
    return {name: row[column] for name, row in steps.items() if row["cost_usd"] is not None}


CHAIN = """
- {trace: a, spans: [{agent: boss, user: ann, children: [{chat: x, cost: 1.0}, {tool: ask, delegation_id: d1}]}]}
- {trace: b, at: 1m, spans: [{agent: clerk, delegation_id: d1, children: [{chat: x, cost: 2.0}, {tool: ask, delegation_id: d2}]}]}
- {trace: c, at: 2m, spans: [{agent: aide, delegation_id: d2, children: [{tool: rent, cost: 4.0}, {tool: ask, delegation_id: d3}]}]}
- {trace: d, at: 3m, spans: [{agent: hand, delegation_id: d3, children: [{chat: x, cost: 8.0}]}]}
"""


def test_the_starter_is_found_across_traces() -> None:
    assert set(told(CHAIN, "starter_id").values()) == {"ann"}
    assert told(CHAIN, "chain")["d/chat"] == ["boss", "clerk", "aide", "hand"]
    assert told(CHAIN, "spend") == {"a/chat": "reasoning", "b/chat": "reasoning", "c/rent": "execution", "d/chat": "reasoning"}


@pytest.mark.parametrize(
    ("run", "starter"),
    [
        ("user: ann", ("ann", "ann", "human")),
        ("trigger: schedule, task: report, user: ann", ("schedule of report", "schedule of report", "schedule")),
        ("delegator_id: ann, delegator_type: user", ("ann", "ann", "human")),
        ("by: planner", ("desk/planner", "planner", "agent")),
        ("task: report", ("desk/bot", "bot", "agent")),
    ],
)
def test_who_started_a_run(run: str, starter: tuple[str, str, str]) -> None:
    below = "[{agent: aide, user: bob, children: [{chat: x, cost: 1.0}]}]"
    text = f"- {{trace: t, spans: [{{agent: bot, {run}, children: {below}}}]}}"
    assert tuple(told(text, c)["t/chat"] for c in ("starter_id", "starter_name", "starter_type")) == starter


def test_a_call_without_a_run_was_started_by_its_user_or_by_its_service() -> None:
    text = "- {trace: t, spans: [{chat: x, cost: 1.0, user: ann}, {chat: x, cost: 1.0}]}"
    assert told(text, "starter_id") == {"t/chat": "ann", "t/chat#2": "desk"}


LOOP = """
- trace: t
  spans:
    - agent: bot
      children:
        - {chat: x, cost: 1.0}
        - {tool: look, args: {n: 1}, result: same, cost: 0.1}
        - {chat: x, cost: 1.0}
        - {tool: look, args: {n: 1}, result: same, cost: 0.1}
        - {chat: x, cost: 1.0}
        - {tool: look, args: {n: 1}, result: same, cost: 0.1}
        - {tool: note, args: {n: 1}, result: new}
        - {chat: x, cost: 1.0}
"""
RETRY = """
- trace: t
  spans:
    - agent: boss
      children:
        - {chat: x, cost: 1.0, error: overloaded}
        - {chat: x, cost: 1.0}
        - {agent: aide, request: Find it, error: crash, children: [{chat: x, cost: 2.0}]}
        - {agent: aide, request: Find it, children: [{chat: x, cost: 2.0}]}
        - {tool: buy, args: {n: 1}, error: timeout, cost: 3.0}
        - {tool: buy, args: {n: 1}, cost: 3.0}
"""
ITSELF = """
- trace: t
  spans: [{agent: bot, request: Go, children: [{agent: aide, children: [{agent: bot, request: Go, children: [{chat: x, cost: 1.0}]}]}]}]
"""
OTHER = ITSELF.replace("children: [{agent: bot, request: Go", "children: [{agent: bot, request: Look")
PHASES = """
- {trace: t, spans: [{agent: bot, children: [{chat: x, cost: 1.0, phase: execution}, {tool: y, cost: 1.0, phase: planning}]}]}
"""


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        (LOOP, "reasoning execution loop loop reasoning loop reasoning"),
        (LOOP.replace("result: same", "result: '{n}'", 1), "reasoning execution reasoning execution reasoning execution reasoning"),
        (RETRY, "retry reasoning retry reasoning retry execution"),
        (ITSELF, "loop"),
        (OTHER, "reasoning"),
        (PHASES, "execution reasoning"),
    ],
    ids=["loop", "another result", "retry", "below itself", "other request", "declared phase"],
)
def test_the_kind_of_spend(text: str, kinds: str) -> None:
    made = spans(text)
    steps = frames.touch(made.frame()).steps.filter(frames.pl.col("cost_usd").is_not_null()).sort("start_time")
    assert [kind.removesuffix(" waste") for kind in steps["spend"]] == kinds.split()


def totals(store: Store) -> tuple[float, float, float, int, int]:
    costs = store.frame("SELECT sumIf(cost_usd, role = 'model_call') AS calls, sum(cost_usd) AS every, count() AS n FROM costs").row(0)
    calls = store.frame("SELECT sum(cost_usd) AS usd FROM model_calls").item() or 0.0
    spans_ = store.frame("SELECT sum(cost_usd) AS usd, countIf(cost_usd IS NOT NULL) AS n FROM span_facts FINAL").row(0)
    return costs[0], calls, costs[1] - (spans_[0] or 0.0), costs[2], spans_[1]


PRICED = ("strands", "agno", "openai_agents_traceloop", "crewai_openinference", "langgraph_langsmith", "anthropic_openinference")


@pytest.mark.parametrize("name", PRICED)
def test_costs_are_those_of_the_model_calls_whatever_came_first(store: Store, name: str) -> None:
    assert (RECORDINGS / f"{name}.traces.binpb.gz").exists()
    dice = random.Random(name)

    def act() -> tuple[Any, Any]:
        said(store, [recorded(name)])
        whole = store.frame("SELECT * EXCEPT start_time FROM costs ORDER BY trace_id, span_id").to_dicts()
        one = totals(store)
        said(store, dealt(recorded(name, dice), 4, 0.3, dice))
        assert store.frame("SELECT * EXCEPT start_time FROM costs ORDER BY trace_id, span_id").to_dicts() == whole
        return one, totals(store)

    for calls, views, rest, rows, facts in in_worker(act):
        assert calls > 0 and calls == pytest.approx(views) and rest == pytest.approx(0) and rows == facts


def _starters(store: Store, made: Made, order: list[str]) -> dict[str, tuple[str, list[str]]]:
    def act() -> list[dict[str, Any]]:
        empty(store)
        analyst = Analyst(store)
        for trace in order:
            analyst.look(made, [row for row in made.rows if row["trace_id"].hex() == made.places[trace][0]])
        return store.frame("SELECT trace_id, span_id, starter_id, chain FROM costs").to_dicts()

    return {made.name(r["trace_id"], r["span_id"]): (r["starter_id"], r["chain"]) for r in in_worker(act)}


@pytest.mark.parametrize("order", ["abcd", "dcba", "badc", "cdab"])
def test_a_chain_of_traces_has_one_starter_whichever_comes_first(store: Store, order: str) -> None:
    names = {"a": "a/boss", "b": "b/clerk", "c": "c/aide", "d": "d/hand"}
    found = _starters(store, spans(CHAIN), [names[trace] for trace in order])
    assert {starter for starter, _ in found.values()} == {"ann"}
    assert found["d/chat"] == ("ann", ["boss", "clerk", "aide", "hand"])


def test_the_answer_has_each_dollar_in_one_agents_own(store: Store) -> None:
    def act() -> dict[str, Any]:
        analyst = Analyst(store)
        analyst.look(spans(CHAIN + RETRY))
        return spend(store)

    found = in_worker(act)
    ann, boss = found["starters"]
    assert (ann["starter_id"], ann["starter_type"], ann["total_usd"]) == ("ann", "human", 15.0)
    assert (boss["starter_id"], boss["retry_waste_usd"], boss["reasoning_usd"], boss["execution_usd"]) == ("desk/boss", 6.0, 3.0, 3.0)
    names, own, agents = [], 0.0, ann["agents"]
    while agents:
        [agent] = agents
        names.append((agent["name"], agent["total_usd"]))
        own += agent["own_usd"]
        agents = agent["agents"]
    assert names == [("boss", 15.0), ("clerk", 14.0), ("aide", 12.0), ("hand", 8.0)] and own == 15.0
    assert in_worker(lambda: spend(store, starter="boss"))["total_usd"] == 12.0
