"""OpenAI Agents SDK: a support agent hands off to a billing agent, whose tool needs the approval of a person.

Run it with `pip install 'actorscope[examples]'` while `actorscope up` listens. No model provider is called.
"""

import asyncio
import json
from typing import Any

from agents import Agent, Model, ModelResponse, Runner, Usage, function_tool, handoff, set_tracing_disabled
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from actorscope import semconv


class Scripted(Model):
    """A model that follows a script: names of tools with arguments, or a text."""

    def __init__(self, *steps: tuple[str, dict[str, Any]] | str) -> None:
        self.steps = list(steps)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        step = self.steps.pop(0)
        if isinstance(step, str):
            text = ResponseOutputText(text=step, type="output_text", annotations=[])
            item = ResponseOutputMessage(id="m", content=[text], role="assistant", status="completed", type="message")
        else:
            name, given = step
            item = ResponseFunctionToolCall(
                name=name, arguments=json.dumps(given), call_id=f"call_{name}", type="function_call"
            )
        return ModelResponse(output=[item], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError


@function_tool(needs_approval=True)
@semconv.act(
    "cancel_order", scope="order:cancel", side_effect="destructive", idempotency_key=lambda order: f"cancel-{order}"
)
def cancel_order(order: str) -> str:
    """Cancel an order for good."""
    return f"order {order} is cancelled"


def claims(client: str) -> dict[str, Any]:
    """What your identity provider has put into the agent's token, after you have verified it."""
    return {
        "iss": "https://login.example.org",
        "sub": "user:7f3a",
        "act": {"sub": client},
        "scope": "order:read order:cancel",
        "jti": "t1",
    }


billing = Agent(
    name="billing",
    tools=[cancel_order],
    model=Scripted(("cancel_order", {"order": "A-17"}), "Your order is cancelled."),
)
support = Agent(name="support", handoffs=[handoff(billing)], model=Scripted(("transfer_to_billing", {})))


async def main() -> None:
    semconv.setup("openai-agents-example")
    set_tracing_disabled(True)  # the tracing of the SDK goes to OpenAI
    with (
        semconv.execution(trigger="user"),
        semconv.agent("support", principal=semconv.Principal.from_claims(claims("support"))),
    ):
        with (
            semconv.delegate("billing", scope="order:read order:cancel", mode="pass_control"),
            semconv.agent("billing"),
        ):
            result = await Runner.run(support, "Cancel my order A-17")
            state = result.to_state()
            for item in result.interruptions:
                async with semconv.approve(item.raw_item.name, arguments=item.raw_item.arguments) as approval:
                    approval.resolve("approved", "human", "user:19bd")  # here your program would wait for a person
                state.approve(item)
            print((await Runner.run(support, state)).final_output)


if __name__ == "__main__":
    asyncio.run(main())
