"""What is said about asking for approval, and about the answer."""

from __future__ import annotations

import asyncio

import pytest
from tests.semconv.emit.conftest import Told

from actorscope import semconv
from actorscope.semconv.emit.digest import digest

REQUEST, RESOLUTION = "actorscope.approval.request", "actorscope.approval.resolution"
STATUS = "actorscope.approval.status"


def test_a_request_and_its_answer_are_events_of_the_wait(told: Told) -> None:
    with semconv.approve(
        "refund", arguments={"order": "A"}, grant="once", expires_at=2_000_000_000, action_id="act_1", call_id="call_1"
    ) as approval:
        assert not approval.is_approved
        approval.resolve("approved", "human", "user:19bd")
        approval.resolve("rejected", "policy")
    assert approval.is_approved
    common = {
        "actorscope.approval.id": approval.id,
        "actorscope.approval.grant": "once",
        "actorscope.approval.action.digest": digest({"order": "A"}),
        "actorscope.approval.expires_at": "2033-05-18T03:33:20Z",
        "actorscope.action.id": "act_1",
        "gen_ai.tool.name": "refund",
        "gen_ai.tool.call.id": "call_1",
    }
    answer = {
        STATUS: "approved",
        "actorscope.approval.approver.type": "human",
        "actorscope.approval.approver.id": "user:19bd",
    }
    assert told.event(REQUEST) == {**common, STATUS: "pending"}
    assert told.event(RESOLUTION) == {**common, **answer}, "the first answer counts"
    said = told.span("await_approval refund")
    assert common.items() | answer.items() <= said.items()
    assert said["actorscope.operation.name"] == "await_approval"
    assert (said["actorscope.wait.target.type"], said["actorscope.wait.target.id"]) == ("approval", approval.id)
    span = told.spans()[0].context
    assert [record.span_id for record in told.records()] == [span.span_id] * 2


@pytest.mark.parametrize(
    ("error", "status"),
    [(TimeoutError, "expired"), (asyncio.CancelledError, "cancelled"), (KeyboardInterrupt, "cancelled")],
)
def test_an_answer_that_never_comes_is_a_resolution(told: Told, error: type[BaseException], status: str) -> None:
    with pytest.raises(error), semconv.approve("refund"):
        raise error
    assert told.event(RESOLUTION)[STATUS] == told.span("await_approval refund")[STATUS] == status


def test_an_interrupt_leaves_the_request_open(told: Told) -> None:
    class GraphInterrupt(Exception):
        """As LangGraph leaves a node that waits."""

    with pytest.raises(GraphInterrupt), semconv.approve("refund") as approval:
        raise GraphInterrupt
    assert told.events(RESOLUTION) == []
    assert "error.type" not in told.span("await_approval refund")
    assert told.span("await_approval refund")[STATUS] == "pending"
    semconv.resolve_approval(approval.id, "approved", "human")
    assert told.event(RESOLUTION) == {
        "actorscope.approval.id": approval.id,
        STATUS: "approved",
        "actorscope.approval.approver.type": "human",
    }


def test_an_answer_after_the_wait_still_counts(told: Told) -> None:
    with semconv.approve("refund") as approval:
        pass
    approval.resolve("modified", "human")
    assert approval.is_approved and told.event(RESOLUTION)[STATUS] == "modified"


@pytest.mark.parametrize(
    ("answer", "status"),
    [(True, "approved"), (False, "rejected"), ("modified", "modified"), ("pending", None), (None, None)],
)
def test_a_function_that_asks_answers_by_what_it_returns(told: Told, answer: object, status: str | None) -> None:
    @semconv.approve("refund", approver_type="human")
    async def ask() -> object:
        return answer

    async def twice() -> tuple[object, object]:
        return await ask(), await ask()

    assert asyncio.run(twice()) == (answer, answer)
    assert [said[STATUS] for said in told.events(RESOLUTION)] == ([status] * 2 if status else [])
    assert len({said["actorscope.approval.id"] for said in told.events(REQUEST)}) == 2
