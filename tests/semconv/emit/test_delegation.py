"""What is said about handing work over, through tasks, threads and agents inside agents."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind
from tests.semconv.emit.conftest import Told

from actorscope import semconv

CHAIN, DEPTH, ID = "actorscope.delegation.chain", "actorscope.delegation.depth", "actorscope.delegation.id"
ROOT, PARENT = "actorscope.delegation.root.id", "actorscope.delegation.parent.id"


def carried(key: str = CHAIN) -> Any:
    return baggage.get_baggage(key)


def test_a_delegation_is_declared_from_its_start(told: Told) -> None:
    starts = told.process()
    with semconv.agent("triage"), semconv.delegate(
        "refunds", to_id="spiffe://e/refunds", scope=["refund:create", "order:read"], mode="return_to_caller",
        task_id="task-1", expires_at="2026-11-20T18:00:00Z", purpose="refund.review", max_depth=4, decision_id="dec_1",
    ) as handed:  # fmt: skip
        pass
    said = told.span("delegate refunds")
    assert said == {
        "actorscope.operation.name": "delegate",
        "gen_ai.agent.name": "triage",
        ID: handed.id,
        DEPTH: 1,
        ROOT: "triage",
        CHAIN: ("triage", "spiffe://e/refunds"),
        "actorscope.delegation.mode": "return_to_caller",
        "actorscope.delegation.delegate.id": "spiffe://e/refunds",
        "actorscope.delegation.delegate.name": "refunds",
        "actorscope.delegation.delegate.type": "agent",
        "actorscope.delegation.scope.granted": ("refund:create", "order:read"),
        "actorscope.delegation.task.id": "task-1",
        "actorscope.delegation.expires_at": "2026-11-20T18:00:00Z",
        "actorscope.delegation.purpose": "refund.review",
        "actorscope.delegation.max_depth": 4,
        "actorscope.decision.id": "dec_1",
        "actorscope.delegation.status": "completed",
    }
    starts.force_flush()
    started = told.events("actorscope.span.start")[1]
    assert {key: started[key] for key in said if key != "actorscope.delegation.status"}.items() <= said.items()


def test_the_tool_call_that_hands_over_carries_the_delegation(told: Told) -> None:
    with told.tracer.start_as_current_span("call", attributes={"gen_ai.operation.name": "execute_tool"}):
        with semconv.delegate("first"):
            pass
        with semconv.delegate("second"):
            pass
    assert [span.name for span in told.spans()] == ["delegate second", "call"]
    assert told.span("call")["actorscope.delegation.delegate.name"] == "first"
    assert told.span("call")["actorscope.delegation.status"] == "completed"


def test_a_span_is_made_or_not_as_asked(told: Told) -> None:
    with told.tracer.start_as_current_span("mine"), semconv.delegate("a", new_span=False):
        pass
    with told.tracer.start_as_current_span("tool", attributes={"openinference.span.kind": "TOOL"}):
        with semconv.delegate("b", new_span=True):
            pass
    assert told.span("mine")["actorscope.delegation.delegate.name"] == "a"
    assert told.span("delegate b")["actorscope.delegation.delegate.name"] == "b"
    assert "actorscope.delegation.delegate.name" not in told.span("tool")


def test_work_that_is_not_awaited_is_produced_and_has_no_status(told: Told) -> None:
    with semconv.delegate("mailer", mode="detached"):
        pass
    assert told.spans()[0].kind is SpanKind.PRODUCER
    assert "actorscope.delegation.status" not in told.span("delegate mailer")


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("secret text"), "failed"), (asyncio.CancelledError(), "cancelled"), (KeyboardInterrupt(), "cancelled")]
)  # fmt: skip
def test_what_is_raised_tells_the_status_and_keeps_its_text(told: Told, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), semconv.delegate("a"):
        raise error
    said = told.span("delegate a")
    assert said["actorscope.delegation.status"] == status
    assert said["error.type"] == type(error).__name__
    assert "secret" not in told.spans()[0].to_json()


def test_a_status_can_be_said(told: Told) -> None:
    with semconv.delegate("a") as handed:
        handed.finish("input_required")
    assert told.span("delegate a")["actorscope.delegation.status"] == "input_required"


def test_a_chain_grows_with_each_agent_and_ends_with_its_block(told: Told) -> None:
    with semconv.agent("a", on_behalf_of="user:7"):
        with semconv.delegate("b") as first, semconv.agent("b", id="ident-b"), semconv.delegate("c") as second:
            with semconv.agent("c"):
                assert carried() == "user:7,a,ident-b,c"
        assert carried(ID) is None
        with semconv.delegate("d"):
            assert carried() == "user:7,a,d"
    inner = told.span("invoke_agent c")
    assert (inner[CHAIN], inner[DEPTH], inner[ROOT]) == (("user:7", "a", "ident-b", "c"), 3, "user:7")
    assert told.span("delegate c")[PARENT] == first.id and inner[ID] == second.id
    assert PARENT not in told.span("delegate b")
    assert carried() is None


def test_agents_of_a_framework_between_ours_stay_in_the_chain(told: Told) -> None:
    with semconv.agent("a"), semconv.delegate("b"), told.tracer.start_as_current_span("invoke_agent b"):
        with semconv.delegate("c"):
            assert carried() == "a,b,c"
    assert "gen_ai.agent.name" not in told.span("delegate c"), "a delegates no more when b works"


def test_an_agent_inside_an_agent_is_one_step_of_the_chain(told: Told) -> None:
    with semconv.agent("a"), semconv.agent("b"), semconv.agent("b"), semconv.delegate("c"):
        assert carried() == "a,b,c"


def test_without_a_known_originator_there_is_no_chain(told: Told) -> None:
    with semconv.delegate("b"), semconv.delegate("c"):
        assert (carried(), carried(DEPTH), carried(ROOT)) == (None, "2", None)
    assert CHAIN not in told.span("delegate c")


def test_names_with_commas_survive_and_a_chain_too_long_for_a_header_is_left_out(told: Told) -> None:
    with semconv.agent("a,%2C"), semconv.delegate("b, c"):
        with semconv.agent("x", new_span=True), semconv.delegate("d"):
            pass
        with semconv.delegate("é" * 500), semconv.delegate("e"):
            assert (carried(), carried(DEPTH), carried(ROOT)) == (None, "3", "a,%2C")
    assert told.span("delegate d")[CHAIN] == ("a,%2C", "x", "d")
    assert CHAIN not in told.span("delegate e")


def test_tasks_that_run_at_once_have_chains_of_their_own(told: Told) -> None:
    async def work(name: str) -> str:
        async with semconv.delegate(name):
            await asyncio.sleep(0.01)
            with semconv.agent(name):
                await asyncio.sleep(0.01)
                return str(carried())

    async def main() -> list[str]:
        with semconv.agent("boss"):
            return await asyncio.gather(*(work(f"w{i}") for i in range(5)))

    assert asyncio.run(main()) == [f"boss,w{i}" for i in range(5)]
    boss = told.spans("invoke_agent boss")[0].context
    for i in range(5):
        handed, run = told.spans(f"delegate w{i}")[0], told.spans(f"invoke_agent w{i}")[0]
        assert handed.parent and run.parent and boss
        assert (handed.parent.span_id, run.parent.span_id) == (boss.span_id, handed.context.span_id)


def test_threads_start_without_context_unless_bound(told: Told) -> None:
    def look() -> Any:
        return carried()

    with semconv.agent("a"), semconv.delegate("b"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result() is None
        assert pool.submit(semconv.bound(look)).result() == "a,b"
        assert asyncio.run(_to_thread(look)) == "a,b"
        seen: list[Any] = []
        thread = threading.Thread(target=semconv.bound(lambda: seen.append(carried())))
        thread.start()
        thread.join()
        assert seen == ["a,b"]
        assert pool.submit(look).result() is None, "the thread of the pool is left clean"


async def _to_thread(function: Callable[[], Any]) -> Any:
    return await asyncio.to_thread(function)


def test_each_call_of_a_decorated_function_is_a_delegation(told: Told) -> None:
    @semconv.delegate("b", scope="x")
    def plain(n: int) -> int:
        """Doc."""
        return n + 1 if n == 3 else plain(n + 1)

    @semconv.delegate("c")
    async def waited(n: int) -> Any:
        await asyncio.sleep(0)
        return carried(ID)

    async def both() -> set[Any]:
        return set(await asyncio.gather(waited(1), waited(2)))

    assert plain(1) == 4 and plain.__doc__ == "Doc."
    assert len(asyncio.run(both())) == 2
    assert len({told_.attributes[ID] for told_ in told.spans("delegate b") if told_.attributes}) == 3
    assert {said[DEPTH] for said in (dict(s.attributes or {}) for s in told.spans("delegate b"))} == {1, 2, 3}
    with pytest.raises(ZeroDivisionError):
        semconv.delegate("d")(lambda: 1 / 0)()
    assert told.span("delegate d")["actorscope.delegation.status"] == "failed"


def test_what_cannot_work_is_refused_at_once() -> None:
    def stream() -> Any:
        yield 1

    with pytest.raises(TypeError, match="generator"):
        semconv.delegate("b")(stream)
    step = semconv.delegate("b")
    with step, pytest.raises(RuntimeError, match="still open"), step:
        pass
    with step:
        pass


def test_with_sampling_off_work_baggage_and_events_go_on(telling: Callable[..., Told]) -> None:
    told = telling(ALWAYS_OFF)
    told.process()
    with semconv.execution("run_1"), semconv.agent("a"), semconv.delegate("b", id="dlg_1"):
        assert carried() == "a,b"
        where = trace.get_current_span().get_span_context()
        semconv.decide("stop", "enough")
        with semconv.act("t", scope="x") as action:
            action.replayed()
            semconv.authorize("deny", "t")
        with semconv.approve("t") as approval:
            approval.resolve("rejected", "human")
    assert told.spans() == []
    names = [record.event_name for record in told.records()]
    assert names == [
        f"actorscope.{n}" for n in ("decision", "authz.decision", "approval.request", "approval.resolution")
    ]
    decision = told.records("actorscope.decision")[0]
    assert (decision.trace_id, decision.span_id) == (where.trace_id, where.span_id) and where.is_valid
    assert all(said["actorscope.execution.id"] == "run_1" and said[ID] == "dlg_1" for said in told.events())


def test_telemetry_that_fails_does_not_break_the_work(told: Told, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise OSError("telemetry is down")

    monkeypatch.setattr(trace, "get_tracer", broken)
    with semconv.agent("a"), semconv.delegate("b"), semconv.act("c"), semconv.approve("d") as approval:
        approval.resolve("approved")
        done = True
    assert done and "telemetry is down" in caplog.text
    assert carried() is None
