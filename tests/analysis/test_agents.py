"""Which spans stand for an agent at work, and whose everything else is."""

from __future__ import annotations

import pytest
from tests.analysis.analyst import woven
from tests.make import Row, spans

from actorscope.analysis.weave import weave


def runs(steps: dict[str, Row]) -> dict[str, tuple[str, str]]:
    """The runs by label: who ran and what kind of actor that is."""
    return {
        name.split("/")[1]: (step["actor_name"], step["actor_kind"]) for name, step in steps.items() if step["is_run"]
    }


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Billing Desk", "billing-desk", True), ("billing_desk", " BILLING  DESK ", True), ("billing", "billing2", False),
        ("billing desk", "billingdesk", False), ("planner", "planer", False), ("a.b", "a_b", False),
    ],
)  # fmt: skip
def test_names_that_differ_by_spelling_only_are_one_agent(one: str, other: str, same: bool) -> None:
    made = spans([{"trace": t, "spans": [{"agent": name, "as": "run"}]} for t, name in (("t", one), ("u", other))])
    ids = weave(made.frame())["actor_id"].unique()
    assert (ids.len() == 1) is same


def test_an_id_made_for_each_run_names_no_agent_and_a_stable_one_does() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - {agent: a, id: 0123456789abcdef0123, as: hexed}
        - {agent: a, id: deadbeef, as: short}
        - {agent: b, id: 7a1c0c1e-8a7e-4a55-9d9b-1f2f6b0b7a10, as: uuid}
        - {agent: , id: 7a1c0c1e-8a7e-4a55-9d9b-1f2f6b0b7a10, as: nameless}
    """)
    assert steps["t/hexed"]["actor_id"] == steps["t/short"]["actor_id"] == "desk/deadbeef"
    assert steps["t/uuid"]["actor_id"] == "desk/b"
    assert steps["t/nameless"]["actor_id"] == "desk/7a1c0c1e-8a7e-4a55-9d9b-1f2f6b0b7a10"


def test_a_name_with_two_stable_ids_stands_for_neither() -> None:
    _, steps = woven("""
    - {trace: t, spans: [{agent: a, id: one, as: first}, {agent: a, id: two, as: second}, {agent: a, as: bare}]}
    """)
    assert [steps[f"t/{n}"]["actor_id"] for n in ("first", "second", "bare")] == ["desk/one", "desk/two", "desk/a"]


def test_the_same_name_in_two_services_is_two_agents() -> None:
    _, steps = woven("- {trace: t, spans: [{agent: a, as: x}, {agent: a, service: shop, as: y}]}")
    assert [steps[f"t/{n}"]["actor_id"] for n in "xy"] == ["desk/a", "shop/a"]


@pytest.mark.parametrize("tool", ["ask_clerk", "clerk_agent", "delegate_to_clerk", "run_clerk_agent", "consult_clerk"])
def test_a_tool_named_like_an_agent_that_calls_a_model_is_that_agent(tool: str) -> None:
    _, steps = woven(
        f"- {{trace: t, spans: [{{agent: boss, children: [{{tool: {tool}, children: [{{chat: x}}, {{tool: look}}]}}]}}]}}"
    )
    assert runs(steps) == {"boss": ("boss", "agent"), tool: ("clerk", "agent")}
    assert steps[f"t/{tool}"]["actor_basis"] == "derived"
    assert steps["t/look"]["actor_name"] == "clerk" and steps["t/look"]["caller_name"] == "boss"


@pytest.mark.parametrize(
    "tree",
    [
        "{tool: summarise, children: [{chat: x}]}",  # calls a model, but has no name of an agent
        "{tool: ask_clerk}",  # has the name, but no model
        "{tool: ask_clerk, children: [{tool: look}]}",
        "{tool: ask_user, children: [{chat: x}]}",  # nobody
        "{tool: transfer_to_clerk, delegation_mode: pass_control, to: clerk, children: [{chat: x}]}",  # gives control away
    ],
)
def test_other_tools_stay_actions(tree: str) -> None:
    _, steps = woven(f"- {{trace: t, spans: [{{agent: boss, children: [{tree}]}}]}}")
    assert runs(steps) == {"boss": ("boss", "agent")}
    assert [step["role"] for step in steps.values() if step["operation"] == "execute_tool"][-1] == "action"


def test_a_tool_around_an_agent_is_an_action_and_the_agent_the_run() -> None:
    _, steps = woven(
        "- {trace: t, spans: [{agent: boss, children: [{tool: ask_clerk, children: [{agent: Clerk, children: [{chat: x}]}]}]}]}"
    )
    assert runs(steps) == {"boss": ("boss", "agent"), "Clerk": ("Clerk", "agent")}


def test_a_tool_through_which_a_named_agent_got_work_is_that_agent_if_it_holds_the_calls() -> None:
    _, steps = woven("- {trace: t, spans: [{agent: boss, children: [{tool: task, to: Clerk, children: [{chat: x}]}]}]}")
    assert runs(steps)["task"] == ("Clerk", "agent")


def test_a_workflow_that_works_alone_is_the_actor() -> None:
    _, steps = woven("""
    - trace: t
      spans: [{op: invoke_workflow, as: flow, workflow_name: Desk, children: [{op: step, children: [{chat: x}, {tool: send}]}]}]
    """)
    assert runs(steps) == {"flow": ("Desk", "workflow")}
    assert (steps["t/flow"]["actor_basis"], steps["t/send"]["actor_id"]) == ("inferred", "desk/desk")


@pytest.mark.parametrize(
    "tree",
    [
        "{op: invoke_workflow, as: flow, workflow_name: Desk, children: [{agent: clerk, children: [{chat: x}]}, {chat: x}]}",
        "{agent: clerk, children: [{op: invoke_workflow, as: flow, workflow_name: Desk, children: [{chat: x}]}]}",
        "{op: invoke_workflow, as: flow, workflow_name: Desk, children: [{op: step}, {agent: clerk}]}",
        "{op: invoke_workflow, as: flow, children: [{chat: x}, {agent: clerk}]}",
    ],
)
def test_a_workflow_with_agents_in_or_around_it_is_no_actor(tree: str) -> None:
    _, steps = woven(f"- {{trace: t, spans: [{tree}]}}")
    assert runs(steps) == {"clerk": ("clerk", "agent")}


def test_of_workflows_in_each_other_the_outer_one_works() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - op: invoke_workflow
          workflow_name: A
          children: [{op: invoke_workflow, workflow_name: B, children: [{chat: x}]}]
    """)
    assert steps["t/chat"]["actor_name"] == "A"


def test_work_without_any_agent_is_the_service_s_and_a_placeholder_is_no_service() -> None:
    _, steps = woven("""
    - {trace: t, spans: [{tool: send}, {op: step}]}
    - {trace: u, service: "unknown_service:python", spans: [{tool: send}]}
    """)
    send = steps["t/send"]
    assert [send[c] for c in ("actor_id", "actor_kind", "actor_basis", "run_span_id")] == [
        "desk",
        "service",
        "inferred",
        None,
    ]
    assert steps["t/step"]["actor_id"] is None
    assert steps["u/send"]["actor_id"] is None


def test_a_notice_of_a_start_is_no_step() -> None:
    _, steps = woven(
        "- {trace: t, spans: [{agent: a, children: [{agent: a, as: pending, state: started}, {chat: x}]}]}"
    )
    assert set(steps) == {"t/a", "t/chat"}


@pytest.mark.parametrize(("state", "failed"), [("waiting", False), ("control", False), (None, True)])
def test_control_flow_and_waiting_are_no_errors(state: str | None, failed: bool) -> None:
    word = f", state: {state}" if state else ""
    _, steps = woven(f"- {{trace: t, spans: [{{agent: a, error: GraphInterrupt{word}}}]}}")
    assert steps["t/a"]["is_error"] is failed
    assert steps["t/a"]["error_type"] == ("GraphInterrupt" if failed else None)


def test_a_step_of_another_agent_within_a_run_is_that_agents_with_all_below() -> None:
    _, steps = woven("""
    - {trace: t, spans: [{agent: a, children: [{op: step, agent_name: b, children: [{tool: x}]}, {tool: z}]}]}
    """)
    assert [steps[f"t/{n}"]["actor_name"] for n in ("step", "z")] == ["b", "a"]
