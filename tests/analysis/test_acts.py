"""Acts of delegation beyond the plain ones: seen in answers, messages, names, order - and what is none."""

from __future__ import annotations

import json

import pytest
from tests.analysis.test_delegations import edges


def who(text: str) -> list[tuple[str, str, str, str]]:
    """The edges as act, parties, mode and basis."""
    return [(e["act"], e["who"], e["mode"], e["basis"]) for e in edges(text)]


def test_a_tool_call_that_runs_its_agent_twice_is_one_act() -> None:
    assert who("""
    - {trace: t, spans: [{agent: boss, children: [{tool: ask, children: [{agent: clerk}, {agent: clerk}, {agent: other}]}]}]}
    """) == [("t/ask", f"boss -> {other}", "return_to_caller", "derived") for other in ("clerk", "other")]  # fmt: skip


def test_a_run_that_is_resumed_is_no_new_delegation() -> None:
    assert who("""
    - {trace: t, spans: [{agent: boss, children: [{agent: clerk, trigger: resume}]}, {agent: solo, by: boss, trigger: resume}]}
    """) == []  # fmt: skip


def test_a_wrapped_run_of_the_same_agent_is_no_delegation() -> None:
    assert who("- {trace: t, spans: [{agent: boss, children: [{agent: Boss}]}]}") == []


@pytest.mark.parametrize(
    ("tool", "argument"),
    [("transfer_to_agent", "agent_name"), ("handoff", "to_agent"), ("hand_off_to_agent", "target_agent")],
)
def test_a_hand_off_that_only_the_answer_of_the_model_tells_is_inferred(tool: str, argument: str) -> None:
    calls = json.dumps([{"id": "k", "name": tool, "arguments": json.dumps({argument: "billing"})}])
    tree = [{"agent": "triage", "children": [{"chat": "x", "tool_calls": calls}]}, {"agent": "billing"}]
    assert who(json.dumps([{"trace": "t", "spans": tree}])) == [
        ("t/chat", "triage -> billing", "pass_control", "inferred")
    ]


@pytest.mark.parametrize(
    ("more", "acts"),
    [
        ({"tool": "transfer_to_billing", "to": "billing"}, ["t/transfer_to_billing"]),
        ({"handoff": "billing"}, ["t/handoff"]),
        ({"tool": "other", "tool_call_id": "k"}, []),
    ],
)
def test_a_call_that_a_span_carried_out_is_no_act_of_its_own(more: dict[str, str], acts: list[str]) -> None:
    calls = json.dumps([{"id": "k", "name": "transfer_to_billing", "arguments": "{}"}])
    tree = [{"agent": "triage", "children": [{"chat": "x", "tool_calls": calls}, more]}, {"agent": "billing"}]
    assert [act for act, *_ in who(json.dumps([{"trace": "t", "spans": tree}]))] == acts


def test_work_that_should_come_back_and_that_nobody_did_was_refused() -> None:
    assert who("""
    - {trace: t, spans: [{agent: boss, children: [{tool: task, to: clerk, delegation_mode: return_to_caller}]}]}
    """) == []  # fmt: skip


def test_a_hand_off_names_its_giver_itself() -> None:
    found = who("""
    - {trace: t, spans: [{agent: runner, children: [{handoff: b, by: a}]}, {agent: b}]}
    """)
    assert found == [("t/handoff", "a -> b", "pass_control", "declared")]


def test_a_hand_off_back_to_the_same_run_is_not_its_own_start() -> None:
    assert [(e["who"], e["run"]) for e in edges("- {trace: t, spans: [{agent: a, children: [{handoff: a}]}]}")] == [
        ("a -> a", None)
    ]


def test_a_message_after_which_the_other_ran_passes_work_on() -> None:
    text = """
    - trace: t
      spans: [{{agent: A}}, {{op: message, by: a, to: b}}, {{agent: {ran}}}]
    """
    assert who(text.format(ran="B")) == [("t/message", "a -> B", "pass_control", "derived")]
    assert who(text.format(ran="C")) == []


def test_a_message_says_nothing_new_about_a_run_that_was_handed_work_already() -> None:
    found = who("- {trace: t, spans: [{agent: a, children: [{handoff: b}]}, {op: message, by: a, to: b}, {agent: b}]}")
    assert [act for act, *_ in found] == ["t/handoff"]


def test_a_message_of_an_agent_that_never_ran_is_no_delegation() -> None:
    assert who("- {trace: t, spans: [{op: message, by: ghost, to: b}, {agent: b}]}") == []


BESIDE = "- {{trace: t, spans: [{{agent: boss, for: 9, children: [{{tool: {tool}, at: 1, for: 5}}]}}, {{agent: Clerk, at: {at}, for: 1}}]}}"


def test_a_tool_with_the_name_of_an_agent_that_ran_beside_it_called_it() -> None:
    assert who(BESIDE.format(tool="ask_clerk", at=-7)) == [
        ("t/ask_clerk", "boss -> Clerk", "return_to_caller", "inferred")
    ]


@pytest.mark.parametrize(("tool", "at"), [("ask_other", -7), ("ask_clerk", 3), ("ask_clerk", -9)])
def test_a_tool_of_another_name_or_at_another_time_did_not(tool: str, at: int) -> None:
    assert who(BESIDE.format(tool=tool, at=at)) == []


def test_agents_in_turn_pass_control_only_where_the_framework_means_that() -> None:
    text = "- {{trace: t, spans: [{{op: step, children: [{{agent: a}}, {{agent: b{mode}}}, {{agent: b{mode}, as: b2}}]}}]}}"
    assert who(text.format(mode="")) == []
    assert who(text.format(mode=", delegation_mode: pass_control")) == [("t/a", "a -> b", "pass_control", "inferred")]


def test_agents_at_the_same_time_are_not_in_turn() -> None:
    assert who("""
    - trace: t
      spans: [{op: step, children: [{agent: a, at: 0, for: 5}, {agent: b, at: 1, for: 5, delegation_mode: pass_control}]}]
    """) == []  # fmt: skip


def test_a_service_hands_no_work_over() -> None:
    assert who("- {trace: t, spans: [{tool: task, to: clerk, delegation_mode: pass_control}]}") == []


def test_work_that_a_person_got_is_not_that_of_the_agent_that_ran_next() -> None:
    assert who("""
    - {trace: t, spans: [{agent: triage, children: [{tool: transfer_to_human, delegation_mode: pass_control}]}, {agent: billing}]}
    """) == []  # fmt: skip
