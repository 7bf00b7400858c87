"""Work that goes on in another trace: which delegations there are between traces, and who called whom."""

from __future__ import annotations

import pytest
from tests.make import Made, Row, spans

from actorscope.analysis import frames, stitch
from actorscope.analysis.weave import weave


def across(text: str | Made) -> tuple[list[tuple[str, str | None, str, str]], dict[str, Row]]:
    """The edges (act, run, mode, basis) and the steps of traces that are looked at together."""
    made = spans(text) if isinstance(text, str) else text
    touched = frames.touch(made.frame())
    runs = {span: made.name(trace, span) for trace, span in made.places.values()}
    found = [
        (made.name(e["trace_id"], e["span_id"]), runs.get(e["delegate_span_id"]), e["mode"], e["basis"])
        for e in touched.edges.to_dicts()
    ]
    return found, made.named(touched.steps)


def two(act: str, run: str, **run_is: str) -> str:
    at = run_is.get("at", "1m")
    return f"""
    - {{trace: t, spans: [{{agent: boss, children: [{act}]}}]}}
    - {{trace: u, at: {at}, service: far, spans: [{run}]}}
    """


@pytest.mark.parametrize(("key", "basis"), [("delegation_id: d1", "declared"), ("task_id: t1", "derived")])
def test_an_act_and_a_run_with_the_same_id_are_one_delegation(key: str, basis: str) -> None:
    found, steps = across(two(f"{{tool: send, {key}}}", f"{{agent: clerk, {key}}}"))
    assert found == [("t/send", "u/clerk", "detached", basis)]
    assert (steps["u/clerk"]["caller_id"], steps["u/clerk"]["caller_name"]) == ("desk/boss", "boss")


def test_the_mode_is_that_of_the_act() -> None:
    found, _ = across(
        two("{tool: send, delegation_id: d1, delegation_mode: return_to_caller}", "{agent: clerk, delegation_id: d1}")
    )
    assert [mode for _, _, mode, _ in found] == ["return_to_caller"]


@pytest.mark.parametrize(
    ("act", "run", "at"),
    [
        ("{tool: send, delegation_id: d1}", "{agent: clerk, delegation_id: d2}", "1m"),
        ("{tool: send, delegation_id: d1}", "{agent: clerk, delegation_id: d1}", "-5m"),  # ran before
        ("{tool: send, delegation_id: d1}", "{agent: boss, service: desk, delegation_id: d1}", "1m"),  # the same agent
        ("{tool: send, delegation_id: d1}", "{op: step, delegation_id: d1}", "1m"),  # no run
        ("{tool: send, conversation: c}", "{agent: clerk, conversation: c}", "1m"),  # a conversation alone says nothing
    ],
)
def test_what_does_not_fit_is_no_delegation_between_traces(act: str, run: str, at: str) -> None:
    found, steps = across(two(act, run, at=at))
    assert found == []
    assert all(step["caller_id"] is None for step in steps.values())


def test_of_two_acts_with_one_id_the_later_before_the_run_started_it() -> None:
    found, _ = across(
        two("{tool: a, delegation_id: d1}, {tool: b, delegation_id: d1}", "{agent: clerk, delegation_id: d1}")
    )
    assert [act for act, *_ in found] == ["t/b"]


def test_a_run_within_its_own_trace_needs_nobody_from_another() -> None:
    found, _ = across(
        two("{tool: send, delegation_id: d1}", "{agent: local, children: [{agent: clerk, delegation_id: d1}]}")
    )
    assert [(act, run) for act, run, *_ in found] == [("u/clerk", "u/clerk")]


@pytest.mark.parametrize(("name", "conversation", "at", "found"), [
    ("Clerk", "c", "1m", "u/Clerk"), ("other", "c", "1m", None), ("Clerk", "d", "1m", None), ("Clerk", "c", "-5m", None),
    ("Clerk", "c", "30h", None),
])  # fmt: skip
def test_a_named_hand_off_goes_to_the_next_run_of_that_agent_in_the_conversation(
    name: str, conversation: str, at: str, found: str | None
) -> None:
    edges, _ = across(
        two("{handoff: clerk, conversation: c}", f"{{agent: {name}, conversation: {conversation}}}", at=at)
    )
    assert [(act, run) for act, run, *_ in edges] == [("t/handoff", found)]


def linked(text: str, source: str, target: str) -> Made:
    """Spans of which one links to another."""
    made = spans(text)
    (trace, span), (to_trace, to_span) = made.places[source], made.places[target]
    for row in made.rows:
        if (row["trace_id"].hex(), row["span_id"].hex()) == (trace, span):
            row["link_trace_ids"], row["link_span_ids"] = [bytes.fromhex(to_trace)], [bytes.fromhex(to_span)]
    return made


@pytest.mark.parametrize("source", ["u/clerk", "u/consume"])
def test_a_run_at_or_below_a_link_was_started_by_the_work_it_links_to(source: str) -> None:
    text = two("{tool: send}", "{op: step, as: consume, children: [{agent: clerk}]}")
    found, steps = across(linked(text, source, "t/send"))
    assert found == [("t/send", "u/clerk", "detached", "derived")]
    assert steps["u/clerk"]["caller_name"] == "boss"


def test_a_link_to_the_agent_itself_or_to_nothing_known_is_no_delegation() -> None:
    same = two("{tool: send}", "{agent: boss, service: desk, as: again}")
    assert across(linked(same, "u/again", "t/send"))[0] == []
    far = linked(two("{tool: send}", "{agent: clerk}"), "u/clerk", "t/send")
    for row in far.rows:
        row["link_span_ids"] = [b"nowhere!" for _ in row["link_span_ids"]]
    assert across(far)[0] == []


def test_keys_name_what_traces_have_in_common() -> None:
    made = linked("""
    - {trace: t, spans: [{agent: a, conversation: c, delegation_id: d, children: [
        {tool: send, tool_call_id: k, result: ok}, {tool: bare, tool_call_id: k}, {chat: x, response: r, task_id: job}]}]}
    - {trace: u, spans: [{op: step, conversation: not this}]}
    """, "t/a", "u/step")  # fmt: skip
    t, u = made.places["t/a"][0], made.places["u/step"][0]
    steps = weave(made.frame())
    found = set(stitch.keys(steps))
    assert {"conversation c", "delegation d", "task job", f"trace {t}", f"trace {u}"} <= found
    assert "conversation not this" not in found
    assert stitch.linked(steps) == {u}


def test_traces_that_are_only_there_as_context_get_no_edges_and_no_steps() -> None:
    made = spans(two("{tool: send, delegation_id: d1}", "{agent: clerk, delegation_id: d1}"))
    frame = made.frame()
    here = frame["trace_id"] == made.places["u/clerk"][0]
    touched = frames.touch(frame.with_columns(is_context=~here))
    assert touched.edges.is_empty()
    assert touched.steps["caller_name"].to_list() == ["boss"]
