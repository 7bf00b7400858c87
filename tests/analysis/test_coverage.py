"""Coverage: what each actor says for the six questions, on what basis, and fixes that really fix."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.conftest import RECORDINGS
from tests.make import spans
from tests.told import CLAIMS, Telling, everything

from actorscope import semconv
from actorscope.analysis.answers import covered
from actorscope.analysis.answers.coverage import WORTH, ActorCoverage, Coverage, FactCoverage, coverage, pick
from actorscope.analysis.answers.period import since
from actorscope.analysis.answers.questions import QUESTIONS, Fact
from actorscope.analysis.frames import touch
from actorscope.cli.replay import read
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import log_rows, span_rows

FACTS = {fact.id: fact for question in QUESTIONS for fact in question.facts}


def of(made: str, **more: Any) -> Coverage:
    """The coverage of spans in the short form of `tests.make`."""
    woven = touch(spans(made).frame())
    return coverage(woven.steps, woven.edges, **more)


def actor(found: Coverage, name: str) -> ActorCoverage:
    return next(a for a in found.actors if a.actor_name == name)


def fact(found: Coverage, name: str, id: str) -> FactCoverage:
    return next(f for q in actor(found, name).questions for f in q.facts if f.id == id)


def score(found: Coverage, name: str, id: str) -> float | None:
    return next(q.score for q in actor(found, name).questions if q.id == id)


def recorded(name: str) -> tuple[list[bytes], list[bytes]]:
    bodies: dict[str, list[bytes]] = {"traces": [], "logs": []}
    for file in sorted(RECORDINGS.glob(f"{name}.*.binpb.gz")):
        for request in read(file):
            bodies[request.signal].append(request.body)
    return bodies["traces"], bodies["logs"]


def test_the_questions_are_the_six_and_their_facts_have_one_meaning() -> None:
    assert [q.id for q in QUESTIONS] == ["identity", "permissions", "approval", "why_again", "who_changed", "audit"]
    assert all(FACTS[fact.id] == fact for question in QUESTIONS for fact in question.facts)


def test_agents_that_say_everything_score_one(monkeypatch: pytest.MonkeyPatch) -> None:
    telling = Telling(monkeypatch)
    everything(telling)
    found = covered.recording(*telling.bodies())
    names = {a.actor_name for a in found.actors}
    assert names == {"triage", "refunds"} and found.unknown_spans == 0
    lacking = [
        (a.actor_name, f)
        for a in found.actors
        for q in a.questions
        for f in q.facts
        if f.fix or f.state not in ("", "declared")
    ]
    assert lacking == []
    assert {q.score for a in found.actors for q in a.questions} <= {1.0, None}
    assert actor(found, "refunds").score == 1.0 and all(q.score == 1.0 for q in actor(found, "refunds").questions)


@contextmanager
def around(telling: Telling, fix: Fact, names: dict[str, Any]) -> Iterator[None]:
    """Where the line of a fix stands in a program, and what the program does there otherwise."""
    line = fix.fix
    with ExitStack() as stack:
        if "semconv.act(" in line or line.startswith(("span.", "approval.")):
            stack.enter_context(semconv.agent("my-agent"))
        if line.startswith("span.") and fix.of == "errors":
            names["span"] = stack.enter_context(telling.chat(error__type=""))
            names["span"].set_status(semconv_error())
        elif line.startswith("span."):
            names["span"] = stack.enter_context(telling.chat())
        elif line.startswith("approval."):
            names["approval"] = stack.enter_context(semconv.approve("send_mail"))
        yield


def semconv_error() -> Any:
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR)


def work(telling: Telling) -> None:
    """An agent that acts and says nothing more than its name."""
    with semconv.agent("my-agent"):
        act()


def act() -> None:
    with semconv.act("send_mail"):
        pass


@pytest.mark.parametrize("id", sorted(FACTS.keys() - {"starts"}))
def test_the_line_of_a_fix_makes_its_fact_declared(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    telling, fix = Telling(monkeypatch, starts=False), FACTS[id]
    names: dict[str, Any] = {
        "semconv": semconv, "claims": CLAIMS, "order_id": "A-17", "thread_id": "t1", "key": "k1", "arguments": {"a": 1}, "attempt": 2,
        "model": "gpt-4o-mini", "n_in": 3, "n_out": 4, "dollars": 0.01, "error": ValueError("no"),
        "work": work, "act": act, "telling": telling,
        "approval": type("Given", (), {"id": "apr_1"}),
    }  # fmt: skip
    line = fix.fix.replace("{agent}", "my-agent").replace("{tool}", "send_mail").replace("{other}", "my-agent")
    body = "pass" if "semconv.act(" in line else "act()" if "semconv.agent(" in line else "work(telling)"
    with around(telling, fix, names):
        if id == "delegations":
            line = f'with semconv.agent("planner"), {line.removeprefix("with ")}'
        exec(line.replace(": ...", f":\n    {body}"), names)
    found = covered.recording(*telling.bodies())
    told = fact(found, "my-agent", id)
    assert (told.state, told.share) == ("declared", 1.0), (told, line)


def test_setup_tells_of_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FACTS["starts"].fix.startswith("semconv.setup(")
    for starts, state in ((True, "declared"), (False, "missing")):
        telling = Telling(monkeypatch, starts=starts)
        work(telling)
        assert fact(covered.recording(*telling.bodies()), "my-agent", "starts").state == state


def test_an_agent_that_says_little_is_told_what_to_add() -> None:
    found = of("""
    - spans:
      - agent: planner
        children:
          - {tool: get_order, args: {id: 1}}
          - {tool: delete_order, effect: destructive, args: {id: 1}}
          - {chat: gpt-4o-mini, tokens: [10, 2]}
    """)
    assert fact(found, "planner", "agent").state == "declared"
    missing = fact(found, "planner", "idempotency")
    assert (missing.state, missing.spans, missing.share) == ("missing", 1, 0.0)
    assert missing.fix == 'with semconv.act("delete_order", idempotency_key=key): ...'
    effect = fact(found, "planner", "side_effect")
    assert effect.bases == {"declared": 1, "missing": 1} and effect.state == "missing" and effect.share == 0.5
    assert fact(found, "planner", "cost").state == "derived"
    assert fact(found, "planner", "errors").state == "" and fact(found, "planner", "errors").score is None
    assert fact(found, "planner", "approver").spans == 0, "nobody is asked who approved what was never approved"
    assert fact(found, "planner", "version").fix == 'with semconv.agent("planner", version="1.4.2"): ...'


def test_the_score_of_a_question_is_the_mean_of_what_its_facts_are_worth() -> None:
    found = of("""
    - spans:
      - {agent: planner, principal: "p1", children: [{tool: get_order}]}
    """)
    # Agent and principal are declared, version and credential are missing.
    assert score(found, "planner", "identity") == pytest.approx(0.5)
    # Without a write nobody needs to have approved anything.
    assert score(found, "planner", "approval") is None
    told = actor(found, "planner")
    identity = next(q for q in told.questions if q.id == "identity")
    approval = next(q for q in told.questions if q.id == "approval")
    assert (identity.declared, identity.known, identity.needed) == (2, 2, 4) and approval.needed == 0
    scores = [q.score for q in told.questions if q.score is not None]
    assert told.score == pytest.approx(sum(scores) / len(scores))
    assert WORTH["declared"] == 1 > WORTH["derived"] > WORTH["inferred"] > WORTH["missing"] == 0


def test_what_runs_and_approvals_say_holds_for_the_spans_concerned() -> None:
    found = of("""
    - spans:
      - agent: planner
        execution_id: e1
        trigger: schedule
        budget: 3.0
        children:
          - {tool: pay, effect: write, approval_id: a1}
          - {op: await_approval, as: wait, approval_id: a1, approval_status: approved, approver_type: human}
          - agent: worker
            children: [{tool: get_order, principal: p2}]
    """)
    assert fact(found, "planner", "approver").share == 1.0
    assert fact(found, "planner", "cause").state == "declared"
    assert fact(found, "planner", "user").state == "", "nobody stands behind what a schedule starts"
    assert [fact(found, "worker", id).state for id in ("execution", "budget", "principal")] == ["declared"] * 3
    assert fact(found, "planner", "principal").state == "missing", "the principal of another agent is not its own"
    assert fact(found, "worker", "delegations").state == fact(found, "planner", "delegations").state == "derived"


def test_work_of_nobody_is_asked_whose_it_is() -> None:
    made = spans("- spans: [{tool: delete_order}]", service="unknown_service")
    woven = touch(made.frame())
    (found,) = coverage(woven.steps, woven.edges).actors
    assert (found.actor_id, found.runs) == ("", 0)
    identity = found.questions[0]
    assert (identity.declared, identity.known, identity.needed) == (0, 0, 4)
    assert identity.facts[0].fix == 'with semconv.agent("my-agent"): ...'


def test_a_service_stands_for_its_agent_by_inference_only() -> None:
    found = of("- spans: [{tool: get_order}]")
    assert fact(found, "desk", "agent").state == "inferred" and actor(found, "desk").kind == "service"


@pytest.mark.parametrize("name", ['x"): import os; os.abort()  #', "a\nb", "{tool}", "x" * 100, "<script>"])
def test_names_of_strangers_are_never_code(name: str) -> None:
    made = [{"spans": [{"agent": name, "children": [{"tool": name, "effect": "write"}]}]}]
    woven = touch(spans(made).frame())
    (found,) = coverage(woven.steps, woven.edges).actors
    fixes = [f.fix for q in found.questions for f in q.facts if f.fix]
    assert fixes and not [fix for fix in fixes if name in fix]
    assert 'with semconv.agent("my-agent", version="1.4.2"): ...' in fixes


def test_nothing_has_no_coverage() -> None:
    woven = touch(spans([]).frame())
    assert coverage(woven.steps, woven.edges) == Coverage()
    assert covered.recording([], []).actors == ()


@pytest.mark.parametrize(
    ("recording", "name", "id", "state", "rule"),
    [
        ("langgraph_traceloop", "researcher", "conversation", "derived", "traceloop: traceloop.association.properties.session_id"),
        ("pydantic_ai_v6_otel", "triage", "agent", "declared", "otel_genai: gen_ai.agent.name"),
        ("pydantic_ai_v6_otel", "researcher", "side_effect", "inferred", "semconv/verbs.yaml: a word in the name of the tool"),
        ("agent_framework", "writer", "approval", "inferred", ""),
        ("mcp_sdk2", "researcher", "arguments", "missing", ""),
    ],
)  # fmt: skip
def test_recordings_say_by_which_rule(recording: str, name: str, id: str, state: str, rule: str) -> None:
    found = fact(covered.recording(*recorded(recording)), name, id)
    assert found.state == state
    assert rule in [r.rule for r in found.rules] if rule else found.rules == () or found.how


def test_what_only_an_event_says_is_told_with_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    telling = Telling(monkeypatch)
    with semconv.agent("my-agent"):
        with semconv.approve("send_mail") as approval:
            pass
        semconv.resolve_approval(approval.id, "approved", "human")
        with semconv.act("send_mail", approval_id=approval.id):
            pass
    told = fact(covered.recording(*telling.bodies()), "my-agent", "approver")
    assert told.state == "declared"
    assert "actorscope: actorscope.approval.approver.type" in [rule.rule for rule in told.rules]


@pytest.mark.parametrize("recording", ["", "agent_framework", "openai_agents_traceloop", "pydantic_ai_v6_otel"])
def test_what_is_stored_is_covered_as_the_recording_is(
    recording: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling = Telling(monkeypatch)
    everything(telling)
    traces, logs = recorded(recording) if recording else telling.bodies()
    expected = covered.recording(traces, logs).to_json()

    def keep() -> dict[str, Any]:
        store.insert("span_rows", span_rows("test", 1, [record_of("traces", body) for body in traces]))
        if logs:
            store.insert("log_rows", log_rows("test", 10**6, [record_of("logs", body) for body in logs]))
        return covered.stored(store)

    found = in_worker(keep)
    assert [bare(a) for a in found["actors"]] == [bare(a) for a in expected["actors"]]
    assert all(a["recognised"] for a in found["actors"]), "the rules are told from a sample of the spans"
    assert {key: found[key] for key in ("traces", "spans", "unknown_spans", "is_cut")} == {
        key: expected[key] for key in ("traces", "spans", "unknown_spans", "is_cut")
    }


def bare(actor: dict[str, Any]) -> dict[str, Any]:
    """Without the rules, which the store tells from a sample."""
    questions = [{**q, "facts": [{**f, "rules": ()} for f in q["facts"]]} for q in actor["questions"]]
    return {**actor, "recognised": (), "questions": questions}


def test_the_store_is_asked_for_the_latest_traces_only(store: Store) -> None:
    analyst = Analyst(store)
    made = spans("""
    - {trace: old, repeat: 6, every: 1h, spans: [{agent: planner, children: [{tool: get_order}]}]}
    - {trace: rare, at: -1h, spans: [{agent: archivist}]}
    """)
    in_worker(lambda: analyst.look(made))
    latest = in_worker(lambda: covered.stored(store, limit=2))
    assert (latest["traces"], latest["is_cut"]) == (2, True)
    assert [(a["actor_name"], a["runs"]) for a in latest["actors"]] == [("planner", 2)]
    rare = in_worker(lambda: covered.stored(store, actor="archivist", limit=2))
    assert (rare["traces"], rare["is_cut"]) == (1, False) and rare["actors"][0]["actor_id"] == "desk/archivist"
    none = in_worker(lambda: covered.stored(store, since=since("1s")))
    assert none["actors"] == () and none["newest_at"] is not None


def test_an_answer_is_cut_to_an_actor_and_questions() -> None:
    answer = of("- spans: [{agent: planner, children: [{agent: worker}]}]").to_json()
    assert [a["actor_name"] for a in pick(answer, "worker")["actors"]] == ["worker"]
    assert [a["actor_name"] for a in pick(answer, "desk/planner")["actors"]] == ["planner"]
    chosen = pick(answer, questions=("audit",))["actors"]
    assert [[q["id"] for q in a["questions"]] for a in chosen] == [["audit"]] * 2


@pytest.mark.parametrize("text", ["", "7", "d7", "-1d", "7 days", "٣d", "1y", "9999999d"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="such as 30m"):
        since(text)


def test_a_length_beyond_all_time_is_all_time() -> None:
    assert since("all") is None and since("999999d") is None and since("1h") is not None
