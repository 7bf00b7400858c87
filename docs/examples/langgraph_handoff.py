"""LangGraph: a triage node passes control to a research node, which sends a mail once it is approved.

LangGraph emits no spans by itself; the helpers make them. Run it with `pip install 'actorscope[examples]'` while
`actorscope up` listens. No model provider is called.
"""

from typing import TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from actorscope import semconv

SCRIPT = [
    AIMessage("", tool_calls=[{"name": "hand_over", "args": {"to": "research"}, "id": "call_1"}]),
    AIMessage(
        "", tool_calls=[{"name": "send_mail", "args": {"to": "a@example.org", "text": "Found it."}, "id": "call_2"}]
    ),
]
model = GenericFakeChatModel(messages=iter(SCRIPT))


class State(TypedDict):
    """What goes from node to node: the baggage of the delegation as well, because nodes may run anywhere."""

    question: str
    carrier: dict[str, str]
    mail: dict[str, str]
    approval_id: str


def identity(name: str) -> semconv.Principal:
    return semconv.Principal.from_claims({"iss": "https://login.example.org", "sub": name, "client_id": name})


@semconv.agent("triage", principal=identity("triage-client"), on_behalf_of="user:7f3a")
def triage(state: State) -> Command:
    call = model.invoke(state["question"]).tool_calls[0]
    carrier: dict[str, str] = {}
    semconv.decide("delegate", call["args"]["to"], alternatives=["research", "reject"], source="model")
    with semconv.delegate(call["args"]["to"], scope="mail:send", mode="pass_control"):
        semconv.inject(carrier)
    return Command(goto="research", update={"carrier": carrier})


def research(state: State) -> Command:
    with (
        semconv.attached(semconv.extract(state["carrier"])),
        semconv.agent("research", principal=identity("research-client")),
    ):
        mail = model.invoke(state["question"]).tool_calls[0]["args"]
        with semconv.approve("send_mail", arguments=mail) as approval:
            pass  # asked; the answer comes after the interrupt of the next node
        return Command(goto="send", update={"mail": mail, "approval_id": approval.id})


def send(state: State) -> dict[str, str]:
    answer = interrupt(state["mail"])
    with (
        semconv.attached(semconv.extract(state["carrier"])),
        semconv.agent("research", principal=identity("research-client")),
    ):
        semconv.resolve_approval(state["approval_id"], answer, "human")
        with semconv.act(
            "send_mail", scope="mail:send", side_effect="write", arguments=state["mail"],
            idempotency_key=state["approval_id"], approval_id=state["approval_id"],
        ):  # fmt: skip
            print(f"mail sent to {state['mail']['to']}")
    return {}


def build():
    graph = StateGraph(State).add_node(triage).add_node(research).add_node(send).add_edge(START, "triage")
    return graph.compile(checkpointer=InMemorySaver())


if __name__ == "__main__":
    semconv.setup("langgraph-example")
    graph, thread = build(), {"configurable": {"thread_id": "1"}}
    with semconv.execution("run_langgraph_example", trigger="user"):
        graph.invoke({"question": "Where is the report?"}, thread)
    with semconv.execution("run_langgraph_example", trigger="resume"):  # minutes or days later
        graph.invoke(Command(resume="approved"), thread)
