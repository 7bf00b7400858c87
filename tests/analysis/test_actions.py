"""Actions reported twice, errors that are only passed on, calls that wait for a person, and attempts."""

from __future__ import annotations

import pytest
from tests.analysis.analyst import woven
from tests.make import Row


def inside(inner: str, args: str = "args: {n: 1}, ") -> dict[str, Row]:
    """A tool call in which another one stands."""
    return woven(f"- {{trace: t, spans: [{{agent: bot, children: [{{tool: send, {args}children: [{inner}]}}]}}]}}")[1]


@pytest.mark.parametrize(
    "inner",
    [
        "{tool: send, as: in, args: {n: 1}}",
        "{tool: send, as: in}",
        "{op: http, children: [{tool: send, as: in, args: {n: 1}}]}",
    ],
)
def test_an_equal_call_inside_a_call_is_its_echo(inner: str) -> None:
    steps = inside(inner)
    assert (steps["t/send"]["role"], steps["t/in"]["role"], steps["t/in"]["replayed"]) == ("action", "echo", True)


@pytest.mark.parametrize(
    "inner",
    [
        "{tool: send, as: in, args: {n: 2}}",  # other arguments
        "{tool: other, as: in, args: {n: 1}}",  # another tool
        "{agent: clerk, children: [{tool: send, as: in, args: {n: 1}}]}",  # another agent's
        "{tool: between, children: [{tool: send, as: in, args: {n: 1}}]}",  # another action between
    ],
)
def test_another_call_inside_a_call_is_one_of_its_own(inner: str) -> None:
    assert inside(inner)["t/in"]["role"] == "action"


def test_an_echo_gives_its_error_and_arguments_to_the_call_around_it() -> None:
    steps = inside("{tool: send, as: in, args: {n: 1}, error: Refused}", args="")
    assert (steps["t/send"]["is_error"], steps["t/send"]["error_type"]) == (True, "Refused")
    assert steps["t/send"]["input_digest"] == steps["t/in"]["input_digest"] is not None


def test_a_call_whose_agent_failed_passes_the_error_on() -> None:
    _, steps = woven("""
    - {trace: t, spans: [{agent: boss, children: [{tool: ask, error: E, children: [{agent: clerk, error: E}]}, {tool: plain, error: E}]}]}
    - {trace: u, spans: [{agent: boss, children: [{tool: ask, error: E, children: [{agent: clerk}]}]}]}
    """)
    assert [steps[n]["is_error"] for n in ("t/ask", "t/clerk", "t/plain", "u/ask")] == [False, True, True, True]
    assert steps["t/ask"]["error_type"] is None


AGAIN = """
- {trace: t, spans: [{agent: bot, children: [{chat: x, tokens: [1, 1]}, {tool: send, tool_call_id: k%s}%s]}]}
- {trace: u, at: %s, spans: [{agent: bot, children: [{tool: send, tool_call_id: k%s}]}]}
"""


def again(first: str = "", after: str = "", at: str = "5m", later: str = ", result: ok") -> tuple[Row, Row]:
    _, steps = woven(AGAIN % (first, after, at, later))
    return steps["t/send"], steps["u/send"]


def test_a_call_without_result_that_comes_again_with_one_waited_for_it() -> None:
    waited, done = again()
    assert [waited[c] for c in ("role", "approval_id", "approval_status")] == ["wait", waited["span_id"], "pending"]
    assert [done[c] for c in ("role", "approval_id", "approval_status")] == ["action", waited["span_id"], "approved"]
    assert waited["approval_basis"] == done["approval_basis"] == "inferred"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"after": ", {chat: x, tokens: [2, 1]}"}, id="the model was told something"),
        pytest.param({"at": "2d"}, id="two days later"),
        pytest.param({"first": ", result: ok"}, id="has a result"),
        pytest.param({"first": ", error: Refused"}, id="failed"),
        pytest.param({"later": ""}, id="no result later"),
        pytest.param({"later": ", result: ok, agent_name: other"}, id="another agent"),
        pytest.param({"first": ", conversation: c1", "later": ", result: ok, conversation: c2"}, id="another conversation"),
    ],
)  # fmt: skip
def test_other_calls_did_not_wait(given: dict[str, str]) -> None:
    first, later = again(**given)
    assert (first["role"], first["approval_id"], later["approval_id"]) == ("action", None, None)


def test_a_call_that_says_it_waits_waits_even_alone() -> None:
    _, steps = woven(
        "- {trace: t, spans: [{agent: bot, children: [{tool: send, args: {n: 1}, state: waiting, error: GraphInterrupt}]}]}"
    )
    send = steps["t/send"]
    assert [send[c] for c in ("role", "approval_status", "is_error")] == ["wait", "pending", False]


def test_what_was_decided_is_not_overwritten() -> None:
    _, steps = woven(
        "- {trace: t, spans: [{agent: bot, children: [{tool: send, state: waiting, approval_id: ap, approval_status: rejected}]}]}"
    )
    assert [steps["t/send"][c] for c in ("approval_id", "approval_status")] == ["ap", "rejected"]


def test_attempts_count_in_their_own_run_and_leave_out_echoes_and_waits() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: a
          children:
            - {tool: send, as: a1, args: {n: 1}, error: E, children: [{tool: send, as: echo, args: {n: 1}, error: E}]}
            - {tool: send, as: a2, args: {n: 1}}
        - {agent: b, children: [{tool: send, as: b1, args: {n: 1}}]}
        - {agent: c, children: [{tool: send, as: bare, error: E}, {tool: send, as: bare2}]}
    """)
    assert [steps[f"t/{n}"]["attempt"] for n in ("a1", "a2", "b1", "bare", "bare2")] == [1, 2, 1, 1, 1]
