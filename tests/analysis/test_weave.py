"""What a span gets from its place in the trace: actor, run, cause, grant, attempt, cost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.analysis.analyst import by_place, woven
from tests.make import BASE, Made, cases, spans

from actorscope.analysis.delegations import delegations
from actorscope.analysis.weave import weave


def test_spans_below_a_run_belong_to_its_actor_and_know_who_called_it() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: planner
          children:
            - {chat: gpt-4o}
            - tool: ask
              children:
                - agent: helper
                  children: [{op: plan, as: inner}]
    """)
    assert steps["t/chat"]["actor_id"] == steps["t/ask"]["actor_id"] == "desk/planner"
    assert steps["t/inner"]["actor_id"] == "desk/helper"
    assert steps["t/inner"]["caller_name"] == "planner"
    assert steps["t/inner"]["run_span_id"] == steps["t/helper"]["span_id"]
    assert steps["t/helper"]["parent_run_span_id"] == steps["t/planner"]["span_id"]
    assert [steps[f"t/{n}"]["role"] for n in ("planner", "chat", "ask", "inner")] == ["run", "model_call", "action", ""]


def test_a_span_that_names_another_agent_is_that_agents() -> None:
    _, steps = woven("""
    - {trace: t, spans: [{agent: planner, children: [{tool: note, agent_name: scribe}]}]}
    """)
    assert (steps["t/note"]["actor_id"], steps["t/note"]["run_span_id"]) == (
        "desk/scribe",
        steps["t/planner"]["span_id"],
    )


def test_a_framework_that_wraps_a_run_reports_one_run() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: planner
          children: [{agent: planner, children: [{agent: planner, children: [{chat: gpt-4o}]}]}]
    """)
    assert [name for name, step in steps.items() if step["is_run"]] == ["t/planner"]
    assert steps["t/chat"]["run_span_id"] == steps["t/planner"]["span_id"]
    assert steps["t/chat"]["caller_id"] is None


def test_a_name_with_one_principal_in_its_trace_stands_for_it() -> None:
    _, steps = woven("""
    - trace: one
      spans:
        - {agent: clerk, principal: "spiffe://clerk", as: stated}
        - {agent: clerk, as: bare}
    - trace: two
      spans:
        - {agent: clerk, principal: "spiffe://a", as: a}
        - {agent: clerk, principal: "spiffe://b", as: b}
        - {agent: clerk, as: bare}
    """)
    assert steps["one/bare"]["actor_id"] == "spiffe://clerk"
    assert [steps[f"two/{n}"]["actor_id"] for n in ("a", "b", "bare")] == ["spiffe://a", "spiffe://b", "desk/clerk"]


def test_random_ids_are_no_identity_and_stable_ones_are() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - {agent: clerk, id: 0b8b8f5e-52c0-4c5c-9d3f-2f7f0f4a9a11, as: random}
        - {agent: clerk, id: clerk_0b8b8f5e-52c0-4c5c-9d3f-2f7f0f4a9a11/0b8b, as: within}
    - trace: s
      spans: [{agent: clerk, id: clerk-v2, as: stable}, {agent: clerk, as: bare}, {agent: " Clerk", as: spelled}]
    """)
    assert [steps[f"t/{n}"]["actor_id"] for n in ("random", "within")] == ["desk/clerk", "desk/clerk"]
    assert [steps[f"s/{n}"]["actor_id"] for n in ("stable", "bare", "spelled")] == ["desk/clerk-v2"] * 3


def test_what_a_span_does_not_say_it_has_from_above() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: planner
          task: trip
          user: ann
          conversation: c1
          trigger: user
          children: [{agent: helper, task: hotel, children: [{tool: book}]}]
    """)
    book = steps["t/book"]
    assert [book[c] for c in ("task_kind", "user_id", "conversation_id", "trigger")] == ["hotel", "ann", "c1", "user"]


def test_grants_are_those_of_the_nearest_span_and_never_what_an_action_gives_away() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: planner
          grant: [a]
          children:
            - {tool: plain}
            - {tool: own, grant: [b]}
            - {tool: ask, scope_granted: [c], children: [{agent: helper, children: [{tool: below}]}]}
    """)
    assert [steps[f"t/{n}"]["grant"] for n in ("plain", "own", "ask", "below")] == [["a"], ["b"], ["a"], ["c"]]
    assert steps["t/below"]["grant_span_id"] == steps["t/ask"]["span_id"]


def test_the_cause_is_the_request_at_the_top_of_its_user_and_conversation() -> None:
    _, steps = woven("""
    - trace: a
      spans:
        - agent: planner
          user: ann
          request: "Plan  a TRIP"
          children: [{agent: helper, request: Hotels, children: [{tool: book}]}]
    - {trace: b, spans: [{agent: planner, user: ann, request: plan a trip, children: [{tool: book}]}]}
    - {trace: c, spans: [{agent: planner, user: bob, request: plan a trip, children: [{tool: book}]}]}
    - {trace: d, spans: [{agent: planner, user: ann, request: plan another trip, children: [{tool: book}]}]}
    """)
    causes = [steps[f"{t}/book"]["cause_id"] for t in "abcd"]
    assert causes[0] == causes[1]
    assert len(set(causes)) == 3
    assert steps["a/book"]["cause_basis"] == "derived"
    assert steps["a/book"]["cause_request"] == "Plan  a TRIP"


def test_delegates_in_conversations_of_their_own_share_the_cause_of_the_one_asked_in() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: boss
          request: Do it
          conversation: main
          user: ann
          children:
            - {agent: left, conversation: l, children: [{tool: x}]}
            - {agent: right, conversation: r, children: [{tool: "y"}]}
        - {agent: later, conversation: other, children: [{tool: z}]}
    """)
    assert len({steps[f"t/{n}"]["cause_id"] for n in ("x", "y", "z")}) == 1


def test_users_that_are_only_named_below_the_request_still_tell_causes_apart() -> None:
    _, steps = woven("""
    - {trace: a, spans: [{agent: bot, request: Help, children: [{tool: x, user: ann}]}]}
    - {trace: b, spans: [{agent: bot, request: Help, children: [{tool: x, user: bob}]}]}
    """)
    assert steps["a/x"]["cause_id"] != steps["b/x"]["cause_id"]


def test_without_a_request_the_declared_execution_is_the_cause_and_else_it_is_unknown() -> None:
    _, steps = woven("""
    - {trace: a, spans: [{agent: bot, execution_id: e2, execution_original_id: e1, children: [{tool: x}]}]}
    - {trace: b, spans: [{agent: bot, children: [{tool: x}]}]}
    """)
    assert (steps["a/x"]["cause_id"], steps["a/x"]["cause_basis"]) == ("execution:e1", "declared")
    assert (steps["b/x"]["cause_id"], steps["b/x"]["cause_basis"]) == ("", "unknown")


def test_attempts_count_the_equal_calls_that_failed_before() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: bot
          children:
            - {tool: send, args: {to: ann}, error: timeout}
            - {tool: send, args: {to: ann}, error: timeout}
            - {tool: send, args: {to: ann}}
            - {tool: send, args: {to: ann}}
            - {tool: send, args: {to: bob}}
            - {tool: send, args: {to: bob}, execution_attempt: 7}
    """)
    names = ["send", *(f"send#{n}" for n in range(2, 7))]
    assert [steps[f"t/{n}"]["attempt"] for n in names] == [1, 2, 3, 3, 1, 7]


def test_an_action_reported_by_caller_and_server_ran_once() -> None:
    _, steps = woven("""
    - trace: t
      spans:
        - agent: bot
          children:
            - {tool: send, args: {to: ann}, error: e, children: [{tool: send, as: server, args: {to: ann}, error: e}]}
            - {tool: send, as: again, args: {to: ann}, children: [{tool: log, args: {to: ann}}]}
    """)
    assert [steps[f"t/{n}"]["replayed"] for n in ("send", "server", "again", "log")] == [None, True, None, None]
    assert steps["t/again"]["attempt"] == 2


class TestCost:
    """Usage is counted once and money is stated, priced or unknown."""

    def test_stated_costs_win_over_prices_and_unknown_models_have_none(self) -> None:
        _, steps = woven("""
        - trace: t
          spans:
            - agent: bot
              children:
                - {chat: gpt-4o, as: stated, cost: 0.5, tokens: [1000, 100]}
                - {chat: gpt-4o, as: priced, tokens: [1000, 100]}
                - {chat: gpt-4o, as: francs, cost: 0.5, cost_currency: CHF, tokens: [1000, 100]}
                - {chat: of-the-house, as: unknown, tokens: [1000, 100]}
        """)
        sources = [steps[f"t/{n}"]["cost_source"] for n in ("stated", "priced", "francs", "unknown")]
        assert sources == ["stated", "backend", "backend", None]
        assert steps["t/stated"]["cost_usd"] == 0.5
        assert steps["t/priced"]["cost_usd"] == steps["t/francs"]["cost_usd"] > 0
        assert steps["t/bot"]["run_tokens"] == 4400
        assert steps["t/bot"]["run_calls"] == 4

    def test_a_run_is_charged_with_what_it_delegated_and_its_paid_tools_but_no_aggregates(self) -> None:
        _, steps = woven("""
        - trace: t
          spans:
            - agent: boss
              cost: 9.0
              children:
                - {chat: x, cost: 1.0}
                - {tool: map, cost: 0.25}
                - {tool: sum, cost: 9.0, cost_basis: aggregate}
                - agent: helper
                  cost: 0.5
                  cost_basis: self
                  children: [{chat: x, cost: 2.0}, {agent: third, children: [{chat: x, cost: 4.0}]}]
        """)
        assert [steps[f"t/{n}"]["run_cost_usd"] for n in ("boss", "helper", "third")] == [7.75, 6.5, 4.0]
        assert steps["t/chat"]["run_cost_usd"] is None

    def test_a_run_without_any_cost_has_none_rather_than_nothing(self) -> None:
        _, steps = woven("- {trace: t, spans: [{agent: bot, children: [{tool: x}]}]}")
        assert (steps["t/bot"]["run_cost_usd"], steps["t/bot"]["run_tokens"]) == (None, 0)

    @pytest.mark.parametrize(
        ("tree", "counted"),
        [
            ("{chat: x, as: a, tokens: [9, 1], children: [{chat: x, as: b, tokens: [9, 1]}]}", "b"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{chat: x, as: b}]}", "a"),
            ("{chat: x, as: a, children: [{chat: x, as: b}]}", "a"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{chat: x, as: b, children: [{chat: x, as: c, tokens: [9, 1]}]}]}", "c"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{chat: x, as: b, tokens: [9, 1], children: [{chat: x, as: c}]}]}", "b"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{chat: x, as: b, tokens: [4, 1]}, {chat: x, as: c, tokens: [5, 0]}]}", "bc"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{op: http, children: [{chat: x, as: b, tokens: [9, 1]}]}]}", "b"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{tool: f, children: [{chat: x, as: b, tokens: [3, 1]}]}]}", "ab"),
            ("{chat: x, as: a, tokens: [9, 1], children: [{agent: g, children: [{chat: x, as: b, tokens: [3, 1]}]}]}", "ab"),
        ],
    )  # fmt: skip
    def test_nested_reports_of_one_call_count_once(self, tree: str, counted: str) -> None:
        _, steps = woven(f"- {{trace: t, spans: [{{agent: bot, children: [{tree}]}}]}}")
        assert "".join(sorted(n[2:] for n, step in steps.items() if step["is_counted"])) == counted

    def test_the_cost_of_an_outer_report_belongs_to_its_one_inner_report(self) -> None:
        _, steps = woven("""
        - trace: t
          spans:
            - {agent: one, children: [{chat: x, cost: 0.3, tokens: [9, 1], children: [{chat: x, as: b, tokens: [9, 1]}]}]}
        - trace: u
          spans:
            - agent: two
              children:
                - chat: x
                  cost: 0.3
                  tokens: [2000, 200]
                  children: [{chat: gpt-4o, as: b, tokens: [1000, 100]}, {chat: gpt-4o, as: c, tokens: [1000, 100]}]
        """)
        assert steps["t/one"]["run_cost_usd"] == 0.3
        assert steps["u/two"]["run_cost_usd"] == pytest.approx(steps["u/b"]["cost_usd"] * 2)

    def test_a_response_reported_twice_at_once_counts_once_and_an_id_that_repeats_later_is_another_call(self) -> None:
        _, steps = woven("""
        - trace: t
          spans:
            - agent: bot
              children:
                - {chat: x, as: a, at: 1, for: 2, response: r1, tokens: [9, 1]}
                - {chat: x, as: b, at: 1.1, for: 1.5, response: r1, tokens: [9, 1]}
                - {chat: x, as: c, at: 60, for: 2, response: r1, tokens: [9, 1]}
        """)
        assert [steps[f"t/{n}"]["is_counted"] for n in "abc"] == [True, False, True]


EVERYTHING = [case.made for case in cases() if len(case.made.rows) < 60]


@settings(deadline=None, max_examples=25)
@given(made=st.sampled_from(EVERYTHING), seed=st.integers(0, 2**16), twice=st.booleans(), at_once=st.booleans())
def test_the_order_of_rows_and_repeated_rows_do_not_matter(made: Made, seed: int, twice: bool, at_once: bool) -> None:
    start = {"start_time": BASE} if at_once else {}
    made = Made([{**row, **start} for row in made.rows], made.places)
    mixed = made.frame(made.shuffled(seed) + (made.rows[::2] if twice else []))
    plain, other = (by_place(weave(frame)).drop("seq") for frame in (made.frame(), mixed))
    assert_frame_equal(plain, other)
    assert_frame_equal(delegations(plain), delegations(other))


def test_no_spans_give_no_steps() -> None:
    assert weave(spans("- {spans: [{op: x}]}").frame().clear()).is_empty()


def test_rings_in_parent_links_are_woven() -> None:
    made = spans("- {trace: t, spans: [{agent: a, children: [{agent: b, children: [{chat: x, cost: 1.0}]}]}]}")
    by_name = {row["name"]: row for row in made.rows}
    by_name["a"]["parent_span_id"] = by_name["b"]["span_id"]
    steps = made.named(weave(made.frame()))
    assert [steps[f"t/{n}"]["parent_run_span_id"] for n in "ab"] == [None, None]
