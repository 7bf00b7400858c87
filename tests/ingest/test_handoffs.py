"""Tools that hand work to another agent: who gets it, whether control comes back, and who is nobody."""

from __future__ import annotations

import json

import polars as pl
import pytest

from actorscope.ingest import handoffs


def read(tool: str | None, arguments: str | None = None) -> tuple[str | None, str | None, str | None]:
    """Target, mode and the agent that the tool may be."""
    frame = pl.DataFrame({"tool": [tool], "arguments": [arguments]}, schema={"tool": pl.String, "arguments": pl.String})
    name, said = pl.col("tool"), pl.col("arguments")
    row = frame.select(
        handoffs.target(name, said).alias("target"),
        handoffs.mode(name).alias("mode"),
        handoffs.agent_in(name).alias("agent"),
    ).row(0)
    return row[0], row[1], row[2]


@pytest.mark.parametrize(
    ("tool", "arguments", "target", "mode"),
    [
        ("transfer_to_agent", {"agent_name": "billing"}, "billing", "pass_control"),
        ("handoff_to_agent", {"to_agent": "billing", "agent": "x"}, "billing", "pass_control"),
        ("hand_off", {"target_agent": "billing"}, "billing", "pass_control"),
        ("transfer_to_billing", None, "billing", "pass_control"),
        ("transfer_back_to_triage", None, "triage", "pass_control"),
        ("hand_off_to_Refund Agent", None, "Refund Agent", "pass_control"),
        ("Delegate work to coworker", {"coworker": "Writer"}, "Writer", "return_to_caller"),
        ("ask_question_to_coworker", {"coworker": "Writer"}, "Writer", "return_to_caller"),
        ("delegate_task_to_member", {"member_id": "writer"}, "writer", "return_to_caller"),
        ("delegate_task_to_members", None, None, "return_to_caller"),
        ("Task", {"subagent_type": "Explore"}, "Explore", "return_to_caller"),
        ("task", {"description": "x"}, None, "return_to_caller"),
    ],
)
def test_known_tools_tell_who_gets_the_work_and_whether_it_comes_back(
    tool: str, arguments: dict[str, str] | None, target: str | None, mode: str
) -> None:
    assert read(tool, json.dumps(arguments) if arguments is not None else None)[:2] == (target, mode)


@pytest.mark.parametrize(
    "tool", [None, "", "send_mail", "transfer_money", "tasks", "my_task", "Subtask", "handoffs", "transfer_to_"]
)
def test_other_tools_give_nothing_away(tool: str | None) -> None:
    assert read(tool, '{"agent_name": "billing", "subagent_type": "x", "coworker": "y"}')[:2] == (None, None)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("transfer_to_human", None), ("transfer_to_Human", None), ("handoff_to_user", None),
        ("transfer_to_agent", '{"agent_name": "USER"}'),
        ("transfer_to_agent", "{}"), ("transfer_to_agent", "no json"), ("transfer_to_agent", '{"agent_name": null}'),
        ("handoff", '{"agent": "unknown"}'),
    ],
)  # fmt: skip
def test_people_and_empty_words_get_no_delegation(tool: str, arguments: str | None) -> None:
    assert read(tool, arguments)[0] is None


@pytest.mark.parametrize(
    ("tool", "agent"),
    [
        ("ask_clerk", "clerk"), ("ask_clerk_agent", "clerk"), ("clerk_agent", "clerk"), ("run_the_desk", "the_desk"), ("ask_user", None),
        ("human_agent", None), ("ask_agent", None), ("_agent", None), ("ask", None), ("asked_clerk", None), ("clerkagent", None),
        (None, None),
        ("ask_User", None),
    ],
)  # fmt: skip
def test_a_tool_may_be_an_agent_by_its_name(tool: str | None, agent: str | None) -> None:
    assert read(tool)[2] == agent
