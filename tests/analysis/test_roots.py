"""Findings of one cause stand together, and the first runs of a new version are judged more softly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.analysis.analyst import Analyst
from tests.analysis.test_findings import Ledger, signal
from tests.make import BASE, spans

from actorscope.analysis.answers.findings import detail
from actorscope.analysis.answers.ingest import detectors
from actorscope.analysis.detectors import DETECTORS
from actorscope.analysis.finding import Finding
from actorscope.analysis.roots import combine, roots
from actorscope.ingest.store.client import Store, in_worker

LOOP = """
- trace: loop
  spans:
    - agent: planner
      request: Plan the trip to Rome
      budget: 1.0
      children:
        - agent: booker
          request: Book the trip to Rome
          children:
            - agent: planner
              request: Plan the trip to Rome
              children: [{chat: gpt-4o, cost: 2.0}]
"""


def finding(id: str, detector: str, severity: str = "medium", **more: Any) -> Finding:
    plain = Ledger().see(signal())[0].finding
    family = detector.partition("_")[0]
    return replace(plain, id=id, detector=detector, family=family, severity=severity, **more)


def rooted(*findings: Finding, **places: str) -> dict[str, str]:
    """`places` by id: words such as `t1/s1`."""
    split = {id: {(p.partition("/")[0], p.partition("/")[2]) for p in text.split()} for id, text in places.items()}
    return roots(findings, split, DETECTORS)


def test_what_a_loop_costs_has_the_loop_as_its_root() -> None:
    loop, cost = finding("l", "delegation_cycle"), finding("c", "cost_budget", "high")
    assert rooted(loop, cost, l="t1/a", c="t1/b") == {"c": "l"}
    assert rooted(loop, cost, l="t1/a", c="t2/b") == {"c": ""}, "another trace"
    assert rooted(replace(loop, severity="info"), cost, l="t1/a", c="t1/b") == {"c": ""}, "harmless recursion explains nothing"


def test_a_root_must_explain_every_place() -> None:
    loop, cost = finding("l", "delegation_cycle"), finding("c", "cost_budget", count=2)
    assert rooted(loop, cost, l="t1/a", c="t1/b t2/b") == {"c": ""}
    assert rooted(loop, cost, l="t1/a", c="t1/b") == {"c": ""}, "its other place is not known to be explained"
    assert rooted(loop, replace(cost, root="l"), l="t1/a", c="t1/b") == {"c": "l"}


def test_within_a_family_only_the_same_span_counts() -> None:
    target, first = finding("p6", "authority_untrusted_target"), finding("p5", "authority_first_write", "low")
    assert rooted(target, first, p6="t1/a", p5="t1/a") == {"p5": "p6"}
    assert rooted(target, first, p6="t1/a", p5="t1/b") == {"p5": ""}


def test_two_alerts_on_one_span_are_one_high_one() -> None:
    at = {"authority_untrusted_target": [signal()], "authority_first_write": [signal()]}
    assert combine(at, DETECTORS)["authority_untrusted_target"][0].severity == "high"
    apart = {**at, "authority_first_write": [signal("t2")]}
    assert combine(apart, DETECTORS) == apart
    context = {**at, "authority_first_write": [signal(severity="low")]}
    assert combine(context, DETECTORS) == context


def test_a_loop_and_its_cost_are_grouped_whichever_is_seen_first(store: Store) -> None:
    def act() -> None:
        analyst = Analyst(store)
        made = spans(LOOP)
        analyst.look(made)
        (loop,), (cost,) = analyst.open("delegation_cycle"), analyst.open("cost_budget")
        assert (cost.root, loop.root) == (loop.id, "")
        shown = detail(store, loop.id)
        assert shown and [each["id"] for each in shown["grouped"]] == [cost.id]

    in_worker(act)


def runs(version: str, count: int, day: int, tool: str = "", prefix: str = "") -> list[dict[str, Any]]:
    children = [{"tool": tool, "effect": "write"}] if tool else [{"tool": "search", "effect": "read"}]
    agent = {"agent": "clerk", "task": "billing", "agent_version": version, "children": children}
    return [
        {"trace": f"{prefix or version}-{i}", "at": f"{day * 24 + i}h", "spans": [dict(agent)]} for i in range(count)
    ]


def test_the_first_runs_of_a_new_version_are_told_one_degree_lower(store: Store) -> None:
    def severities(*traces: list[dict[str, Any]]) -> list[str]:
        analyst = Analyst(store)
        for part in traces:
            analyst.look(spans(part))
        return [f.severity for f in analyst.open("authority_first_write") if not f.caveats or "version" in f.caveats[-1]]

    def act() -> None:
        usual = runs("1", 10, -9)
        assert severities(usual, runs("1", 1, -3, "send_email", "odd")) == ["medium"]

    in_worker(act)


def test_a_version_is_new_for_eight_runs(store: Store) -> None:
    def act() -> None:
        analyst = Analyst(store)
        analyst.look(spans(runs("1", 10, -9)))
        analyst.look(spans(runs("2", 1, -5, "send_email")))
        (soft,) = analyst.open("authority_first_write")
        assert soft.severity == "low" and "version 2" in soft.caveats[-1]
        analyst.look(spans(runs("2", 9, -3, prefix="more")))
        analyst.look(spans(runs("2", 1, -1, "issue_refund", "late")))
        (late,) = analyst.open("authority_first_write")
        assert late.severity == "medium" and "issue_refund" in late.title

    in_worker(act)


def test_what_detectors_are_given_is_counted_and_a_blind_one_is_seen(store: Store) -> None:
    def act() -> None:
        analyst = Analyst(store)
        analyst.look(spans(LOOP))
        told = {row["detector"]: row for row in detectors(store, BASE)}
        assert told["delegation_cycle"]["rows"]["runs"] == 3 and told["delegation_cycle"]["signals"] == 1
        assert told["delegation_cycle"]["empty"] == []
        assert "effects" in told["reexecution_duplicate_write"]["empty"]
        assert {d.id for d in DETECTORS} == set(told)

    in_worker(act)
