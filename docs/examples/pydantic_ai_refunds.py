"""Pydantic AI: a triage agent hands a refund to a refunds agent, which asks a person before it pays.

Run it with `pip install 'actorscope[examples]'` while `actorscope up` listens. No model provider is called.
"""

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from actorscope import semconv


def calls(tool: str, **arguments: object) -> FunctionModel:
    """A model that calls one tool and then says what came back."""

    def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        last = messages[-1].parts[-1]
        if isinstance(last, ToolReturnPart):
            return ModelResponse(parts=[TextPart(f"done: {last.content}")])
        return ModelResponse(parts=[ToolCallPart(tool, arguments)])

    return FunctionModel(answer)


triage = Agent(calls("hand_over", order="A-17"), name="triage")
refunds = Agent(calls("refund", order="A-17", amount=12.5), name="refunds")


def identity(name: str) -> semconv.Principal:
    """In a SPIRE deployment: `semconv.Principal.from_spiffe()`, which asks the Workload API."""
    return semconv.Principal.from_spiffe(f"spiffe://example.org/agent/{name}")


@triage.tool_plain
async def hand_over(order: str) -> str:
    """Let the refunds agent decide."""
    # Pydantic AI has opened the span of this tool call, so the delegation is said on it.
    with semconv.delegate("refunds", scope=["order:read", "refund:create"], purpose="refund.review"):
        with semconv.agent("refunds", principal=identity("refunds")):
            result = await refunds.run(f"Refund order {order}")
    return result.output


@refunds.tool_plain
def refund(order: str, amount: float) -> str:
    """Pay the money back."""
    arguments = {"order": order, "amount": amount}
    with semconv.approve("refund", arguments=arguments, grant="once") as approval:
        approval.resolve("approved", "human", "user:19bd")  # here your program would wait for a person
    with semconv.act(
        "refund",
        scope="refund:create",
        resource=("order", order),
        side_effect="write",
        arguments=arguments,
        idempotency_key=f"refund-{order}",
        approval_id=approval.id,
    ):
        return f"{amount} paid back"


if __name__ == "__main__":
    semconv.setup("pydantic-ai-example")
    Agent.instrument_all()
    with semconv.execution(trigger="user", task_kind="refund.review"):
        with semconv.agent("triage", principal=identity("triage"), on_behalf_of="user:7f3a"):
            print(triage.run_sync("My order A-17 never arrived").output)
