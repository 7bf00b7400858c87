"""What a model asked for tells of the action that carried it out what the action's own span leaves out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.analysis.analyst import woven
from tests.make import Row

ONE, TWO = '{"n": 1}', '{"n": 2}'


def call(name: str, arguments: str = ONE, key: str = "") -> dict[str, str]:
    return {"id": key, "name": name, "arguments": arguments}


def told(calls: list[dict[str, str]], *actions: dict[str, Any], more: list[Row] | None = None) -> dict[str, Row]:
    """A run in which a model asked for `calls` and `actions` followed."""
    tree = {"agent": "bot", "children": [{"chat": "x", "tool_calls": json.dumps(calls)}, *actions]}
    return woven(json.dumps([{"trace": "t", "spans": [tree, *(more or [])]}]))[1]


def test_an_action_without_arguments_has_those_that_were_asked_for_under_its_id() -> None:
    steps = told(
        [call("send", ONE, "k1"), call("send", TWO, "k2")],
        {"tool": "send", "tool_call_id": "k2"},
        {"tool": "send", "tool_call_id": "k1", "as": "b"},
    )
    assert [steps[f"t/{n}"]["asked_arguments"] for n in ("send", "b")] == [TWO, ONE]
    assert steps["t/send"]["input_digest"] != steps["t/b"]["input_digest"]


def test_without_an_id_the_only_call_of_that_tool_before_it_tells() -> None:
    steps = told([call("send"), call("look")], {"tool": "send"}, {"tool": "other"})
    assert (steps["t/send"]["asked_arguments"], steps["t/other"]["asked_arguments"]) == (ONE, None)


def test_two_like_calls_in_one_answer_tell_nothing_without_ids() -> None:
    steps = told([call("send", ONE), call("send", TWO)], {"tool": "send"}, {"tool": "send", "as": "b"})
    assert [steps[f"t/{n}"]["asked_arguments"] for n in ("send", "b")] == [None, None]


def test_an_action_s_own_arguments_stay() -> None:
    steps = told([call("send", TWO)], {"tool": "send", "args": {"n": 1}})
    assert (
        steps["t/send"]["asked_arguments"],
        steps["t/send"]["arguments"] if "arguments" in steps["t/send"] else None,
    ) == (None, None)


def test_what_is_asked_for_later_tells_nothing_of_what_came_before() -> None:
    tree = [{"agent": "bot", "children": [{"tool": "send"}, {"chat": "x", "tool_calls": json.dumps([call("send")])}]}]
    _, steps = woven(json.dumps([{"trace": "t", "spans": tree}]))
    assert steps["t/send"]["asked_arguments"] is None


def test_an_action_outside_of_every_run_is_that_of_the_agent_that_asked() -> None:
    steps = told([call("send", ONE, "k")], more=[{"tool": "send", "tool_call_id": "k"}, {"tool": "look"}])
    send, look = steps["t/send"], steps["t/look"]
    assert (send["actor_name"], send["actor_basis"], send["run_span_id"]) == (
        "bot",
        "inferred",
        steps["t/bot"]["span_id"],
    )
    assert (look["actor_id"], look["run_span_id"]) == ("desk", None)


def test_a_call_repeated_in_the_history_of_a_later_answer_counts_once() -> None:
    tree = [{"agent": "bot", "children": [
        {"chat": "x", "tool_calls": json.dumps([call("send", ONE, "k")])},
        {"chat": "x", "tool_calls": json.dumps([call("send", TWO, "k")])},
        {"tool": "send", "tool_call_id": "k"},
    ]}]  # fmt: skip
    _, steps = woven(json.dumps([{"trace": "t", "spans": tree}]))
    assert steps["t/send"]["asked_arguments"] == ONE


@pytest.mark.parametrize("text", ["[]", "[{}]", '[{"id": null, "name": null, "arguments": null}]', '[{"name": "x"}]'])
def test_calls_without_content_do_no_harm(text: str) -> None:
    _, steps = woven(
        json.dumps(
            [
                {
                    "trace": "t",
                    "spans": [{"agent": "a", "children": [{"chat": "x", "tool_calls": text}, {"tool": "send"}]}],
                }
            ]
        )
    )
    assert steps["t/send"]["asked_arguments"] is None
