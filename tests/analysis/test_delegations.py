"""One edge for one act of delegation, and how much is known of it."""

from __future__ import annotations

from tests.make import Row, spans

from actorscope.analysis.delegations import EDGE, delegations
from actorscope.analysis.weave import weave


def edges(text: str) -> list[Row]:
    """The edges of spans in the short form, with spans by what they are called."""
    made = spans(text)
    found = delegations(weave(made.frame()))
    assert found.schema == EDGE
    return [
        {
            "act": made.name(e["trace_id"], e["span_id"]),
            "run": made.name(e["trace_id"], e["delegate_span_id"]) if e["delegate_span_id"] else None,
            "who": f"{e['delegator_name']} -> {e['delegate_name']}",
            "mode": e["mode"],
            "basis": e["basis"],
        }
        for e in found.to_dicts()
    ]


def test_a_run_inside_a_run_was_delegated_by_the_outer_agent() -> None:
    assert edges("- {trace: t, spans: [{agent: boss, children: [{op: step, children: [{agent: helper}]}]}]}") == [
        {"act": "t/helper", "run": "t/helper", "who": "boss -> helper", "mode": "return_to_caller", "basis": "derived"}
    ]


def test_the_tool_call_between_two_runs_is_the_act() -> None:
    assert edges("""
    - trace: t
      spans:
        - agent: boss
          children: [{tool: outer, children: [{tool: ask, delegation_mode: detached, children: [{agent: helper}]}]}]
    """) == [{"act": "t/ask", "run": "t/helper", "who": "boss -> helper", "mode": "detached", "basis": "derived"}]


def test_a_tool_above_the_delegating_run_is_not_its_act() -> None:
    found = edges("""
    - trace: t
      spans: [{agent: a, children: [{tool: ask, children: [{agent: b, children: [{agent: c}]}]}]}]
    """)
    assert [(e["act"], e["who"]) for e in found] == [("t/ask", "a -> b"), ("t/c", "b -> c")]


def test_what_an_attribute_names_is_declared_and_a_guessed_operation_only_inferred() -> None:
    found = edges("""
    - trace: t
      spans:
        - agent: boss
          children:
            - {tool: ask, to: helper, children: [{agent: helper}]}
            - {agent: second, delegator_name: boss, delegation_mode: no_return}
            - {agent: third, operation_basis: inferred}
    """)
    assert [(e["run"], e["basis"]) for e in found] == [
        ("t/helper", "declared"),
        ("t/second", "declared"),
        ("t/third", "inferred"),
    ]
    assert found[1]["mode"] == "no_return"


def test_a_hand_off_passes_control_to_the_next_run_of_its_target() -> None:
    assert edges("""
    - trace: t
      spans:
        - {agent: triage, children: [{handoff: billing}]}
        - {agent: other}
        - {agent: billing}
        - {agent: billing}
    """) == [
        {
            "act": "t/handoff",
            "run": "t/billing",
            "who": "triage -> billing",
            "mode": "pass_control",
            "basis": "declared",
        }
    ]


def test_a_tool_that_names_its_target_is_a_hand_off_by_inference() -> None:
    assert edges("""
    - trace: t
      spans: [{agent: triage, children: [{tool: transfer_to_billing, to: billing}]}, {agent: billing}]
    """) == [
        {
            "act": "t/transfer_to_billing",
            "run": "t/billing",
            "who": "triage -> billing",
            "mode": "pass_control",
            "basis": "inferred",
        }
    ]


def test_a_hand_off_without_a_target_goes_to_the_next_run_of_another_agent() -> None:
    found = edges("""
    - trace: t
      spans: [{agent: triage, children: [{handoff: }]}, {agent: triage}, {agent: billing}]
    """)
    assert [(e["who"], e["run"], e["basis"]) for e in found] == [("triage -> billing", "t/billing", "inferred")]


def test_a_hand_off_to_nobody_seen_is_kept_and_one_to_nobody_known_is_not() -> None:
    found = edges("""
    - {trace: t, spans: [{agent: triage, children: [{handoff: billing}]}]}
    - {trace: u, spans: [{agent: triage, children: [{handoff: }]}]}
    """)
    assert [(e["who"], e["run"]) for e in found] == [("triage -> billing", None)]


def test_ping_pong_has_one_edge_for_each_turn() -> None:
    found = edges("""
    - trace: t
      spans:
        - {agent: a, children: [{handoff: b}]}
        - {agent: b, children: [{handoff: a}]}
        - {agent: a, children: [{handoff: b}]}
        - {agent: b}
    """)
    assert [(e["act"], e["run"]) for e in found] == [
        ("t/handoff", "t/b"),
        ("t/handoff#2", "t/a#2"),
        ("t/handoff#3", "t/b#2"),
    ]


def test_of_two_hand_offs_before_a_run_the_later_one_started_it() -> None:
    found = edges("""
    - trace: t
      spans: [{agent: a, children: [{handoff: b}, {handoff: b}]}, {agent: b}]
    """)
    assert [(e["act"], e["run"]) for e in found] == [("t/handoff", None), ("t/handoff#2", "t/b")]


def test_people_and_agents_elsewhere_are_known_by_what_the_run_declares() -> None:
    found = edges("""
    - trace: t
      spans:
        - {agent: bot, as: by-ann, delegator_id: "user:ann", delegator_name: Ann, delegator_type: human}
        - {agent: bot, as: by-id, delegator_id: "spiffe://elsewhere"}
        - {agent: bot, as: by-nobody}
    """)
    assert [(e["run"], e["who"], e["basis"]) for e in found] == [
        ("t/by-ann", "Ann -> bot", "declared"),
        ("t/by-id", "spiffe://elsewhere -> bot", "declared"),
    ]


def test_no_act_has_two_edges() -> None:
    found = edges("""
    - trace: t
      spans:
        - agent: boss
          children:
            - {tool: ask, to: helper, children: [{agent: helper, by: boss, delegation_id: d1}]}
            - {handoff: billing}
        - {agent: billing, by: boss}
    """)
    assert [(e["act"], e["run"]) for e in found] == [("t/ask", "t/helper"), ("t/handoff", "t/billing")]
