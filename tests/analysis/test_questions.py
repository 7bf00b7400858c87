"""The six questions asked of stories whose answers are known: chains across traces, changes, repetitions, identities, reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.make import Made, spans

from actorscope.analysis.answers.actor import actor
from actorscope.analysis.answers.again import why_again
from actorscope.analysis.answers.change import who_changed
from actorscope.analysis.answers.lineage import lineage
from actorscope.analysis.answers.radius import radius
from actorscope.ingest.store.client import Store, in_worker

CHAIN = """
- {trace: a, spans: [{agent: boss, user: ann, grant: ["mail:*", "file:read"], children: [{tool: ask, delegation_id: d1}]}]}
- {trace: b, at: 1m, spans: [{agent: clerk, delegation_id: d1, grant: ["mail:send"], children: [{tool: ask, delegation_id: d2}]}]}
- trace: c
  at: 2m
  spans:
    - agent: aide
      delegation_id: d2
      grant: ["mail:send", "file:write"]
      children:
        - {tool: write_file, effect: write, used: ["file:write"], args: {path: /srv/q3.csv, text: x}}
        - {tool: send_mail, effect: write, used: ["mail:send"], args: {to: bo@example.org}}
"""


def asked(store: Store, text: str, question: Any) -> tuple[Made, Any]:
    """What a question answers after a story was looked at."""

    def act() -> tuple[Made, Any]:
        made, analyst = spans(text), Analyst(store)
        analyst.look(made)
        return made, question(made)

    return in_worker(act)


def test_a_chain_leads_through_traces_to_the_person_and_says_where_scope_grew(store: Store) -> None:
    _, told = asked(store, CHAIN, lambda made: lineage(store, *made.places["c/write_file"]))
    assert told["starter"]["name"] == "ann" and told["starter"]["type"] == "human" and told["traces"] == 3
    assert [hop["actor_name"] for hop in told["hops"]] == ["boss", "clerk", "aide", "aide"]
    assert [hop["verdict"] for hop in told["hops"]] == ["unknown", "narrower", "wider", "inside"]
    assert told["hops"][2]["beyond"] == ["file:write"]


def test_the_topmost_run_speaks_for_a_trace(store: Store) -> None:
    made, told = asked(store, CHAIN, lambda made: lineage(store, made.places["b/clerk"][0]))
    assert [hop["actor_name"] for hop in told["hops"]] == ["boss", "clerk"]
    assert told["hops"][-1]["span_id"] == made.places["b/clerk"][1]
    assert in_worker(lambda: lineage(store, "0c" * 16)) is None


@pytest.mark.parametrize(("resource", "tool", "how"), [("/srv/q3.csv", "write_file", "target"), ("Bo@Example.org", "send_mail", "target")])
def test_a_resource_leads_to_who_changed_it(store: Store, resource: str, tool: str, how: str) -> None:
    _, told = asked(store, CHAIN, lambda made: who_changed(store, resource))
    (change,) = told["changes"]
    assert (change["tool_name"], change["how"]) == (tool, how) and change["lineage"]["starter"]["name"] == "ann"


def test_text_that_looks_like_sql_is_only_looked_for(store: Store) -> None:
    _, told = asked(store, CHAIN, lambda made: who_changed(store, "x' OR 1=1 --"))
    assert told["changes"] == []


AGAIN = """
- trace: first
  spans: [{agent: biller, user: ann, request: Bill order 7, children: [{tool: charge, effect: write, args: {order: 7}, error: gateway}]}]
- trace: second
  at: 2h
  spans: [{agent: biller, user: ann, request: Bill order 7, children: [{tool: charge, effect: write, args: {order: 7}}]}]
- trace: third
  at: 9h
  spans: [{agent: biller, user: ann, request: Bill order 7, children: [{tool: charge, effect: write, args: {order: 7}}]}]
- trace: other
  at: 10h
  spans: [{agent: biller, user: bo, request: Bill order 8, children: [{tool: charge, effect: write, args: {order: 8}}]}]
"""


def test_a_run_is_told_with_its_siblings_and_what_it_wrote_again(store: Store) -> None:
    made, told = asked(store, AGAIN, lambda made: why_again(store, *made.places["third/charge"]))
    assert told["run"]["trace_id"] == made.places["third/biller"][0]
    assert told["cause"]["class"] != "new request" and told["cause"]["evidence"]
    assert [e["before"][0]["trace_id"] for e in told["effects"]] == [made.places["second/charge"][0]]
    alike = {s["trace_id"]: s["is_alike"] for s in told["siblings"]}
    assert not alike.get(made.places["other/biller"][0], False)


def test_what_is_new_of_an_actor_is_marked_and_an_actor_that_is_new_itself_is_not(store: Store) -> None:
    story = """
    - {trace: old, spans: [{agent: clerk, principal: p1, children: [{tool: read_file, effect: read}]}]}
    - {trace: new, at: 48h, spans: [{agent: clerk, principal: p2, children: [{tool: send_mail, effect: write}]}]}
    """

    def question(made: Made) -> tuple[Any, Any]:
        starts = sorted(row["start_time"] for row in made.rows)
        ids = store.frame("SELECT DISTINCT actor_id FROM span_facts WHERE role = 'run'")["actor_id"].to_list()
        later = starts[0] + timedelta(hours=24)
        return [actor(store, id_, later, starts[-1] + timedelta(days=1)) for id_ in ids], [
            actor(store, id_, starts[0], starts[-1] + timedelta(days=1)) for id_ in ids
        ]

    _, (since_later, since_ever) = asked(store, story, question)
    new = {row["name"] for told in since_later for row in told["scopes"] if row["is_new"]}
    assert new in ({"send_mail"}, set()), "a principal of its own is an actor of its own"
    assert not [row for told in since_ever for row in told["scopes"] if row["is_new"]]
    assert {row["name"] for told in since_ever for row in told["scopes"]} == {"read_file", "send_mail"}


def test_the_reach_of_a_credential_and_the_order_to_revoke_it(store: Store) -> None:
    story = """
    - trace: t
      spans:
        - agent: boss
          children:
            - agent: clerk
              credential_id: k-1
              children:
                - {tool: send_mail, effect: write, credential_id: k-1, args: {to: bo@example.org}}
                - {agent: aide, children: [{tool: read_file, effect: read, credential_id: k-1}]}
    """

    def question(made: Made) -> Any:
        at = max(row["end_time"] for row in made.rows)
        return radius(store, "k-1", at - timedelta(days=1), at)

    _, told = asked(store, story, question)
    assert {a["actor_name"] for a in told["actors"]} >= {"clerk"}
    assert told["writes"] == 1 and {r["target"] for r in told["reach"]} >= {"bo@example.org"}
    assert told["plan"][0]["do"].startswith("Revoke the credential k-1")
    assert [a["actor_name"] for a in told["above"]] == ["boss"]
