"""Spans in OpenInference, as the instrumentation of Agno writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from actorscope.demo.models import Mind, Model, mind
from actorscope.demo.run import Attributes, Failure, Node, Run, Scope

SCOPE = Scope("openinference.instrumentation.agno", "1.0.15")
CLASSES = {"openai": "OpenAIChat", "anthropic": "Claude", "gcp.gemini": "Gemini"}
LABELS = {"openai": "OpenAI", "anthropic": "Anthropic", "gcp.gemini": "Google"}


class OpenInferenceWriter:
    """Writes AGENT, LLM and TOOL spans of one run; LLM and TOOL spans do not name their agent."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.minds: list[Mind] = []
        self.nodes: list[str] = []
        self.goals: list[str] = []

    @contextmanager
    def agent(self, name: str, goal: str, model: Model, tools: tuple[str, ...] = ()) -> Iterator[Node]:
        """An agent of a team; members point to their leader by `graph.node.parent_id`."""
        attributes: Attributes = {
            "openinference.span.kind": "AGENT",
            "agent.name": name,
            "agno.agent": name,
            "agno.agent.id": name,
            "agno.tools": tools,
            "agno.run.id": self.run.hexid(32),
            "graph.node.id": self.run.hexid(),
            "graph.node.name": name,
            "input.value": goal,
            "session.id": self.run.conversation,
            "user.id": self.run.user,
        }
        if self.nodes:
            attributes["graph.node.parent_id"] = self.nodes[-1]
        self.nodes.append(str(attributes["graph.node.id"]))
        self.minds.append(mind(self.run, model))
        self.goals.append(goal)
        try:
            with self.run.span(SCOPE, f"{name}.run", attributes) as node:
                node.ok = True
                yield node
        finally:
            for kept in (self.nodes, self.minds, self.goals):
                kept.pop()

    def llm(self, says: str, tokens: float = 160.0) -> None:
        """One call of the model of the innermost agent."""
        brain, goal = self.minds[-1], self.goals[-1]
        model = brain.model
        attributes: Attributes = {
            "openinference.span.kind": "LLM",
            "llm.model_name": model.name,
            "llm.provider": LABELS[model.provider],
            "llm.system": "google" if model.provider == "gcp.gemini" else model.provider,
            "input.mime_type": "application/json",
            "input.value": json.dumps({"messages": [{"role": "user", "content": goal}]}),
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": goal,
        }
        with self.run.span(SCOPE, f"{CLASSES[model.provider]}.invoke", attributes) as node:
            usage = brain.turn(tokens)
            node.ok = True
            node.late = {
                "llm.token_count.prompt": usage.input,
                "llm.token_count.completion": usage.output,
                "llm.token_count.prompt_details.cache_read": usage.cached,
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": says,
                "output.mime_type": "application/json",
                "output.value": json.dumps([{"role": "assistant", "content": says}]),
            }

    def tool(
        self, name: str, arguments: Mapping[str, object], result: str, seconds: float = 0.8, fails: bool = False
    ) -> None:
        """One call of a tool; Agno puts the arguments into `tool.parameters` too."""
        given = json.dumps(arguments)
        attributes: Attributes = {
            "openinference.span.kind": "TOOL",
            "tool.name": name,
            "tool.parameters": given,
            "input.mime_type": "application/json",
            "input.value": given,
        }
        with self.run.span(SCOPE, name, attributes) as node:
            self.run.wait(self.run.draw(seconds))
            node.ok = not fails
            if fails:
                node.failure = Failure("TimeoutError", "upstream timed out after 30s")
            node.late["output.value"] = "upstream timed out after 30s" if fails else result
            node.late["output.mime_type"] = "text/plain"
        self.minds[-1].read(result)

    def steady(self, name: str, arguments: Mapping[str, object], result: str, seconds: float = 0.8) -> None:
        """A call that now and then fails once and is then repeated."""
        if self.run.stumbles():
            self.tool(name, arguments, "", 3.0, fails=True)
        self.tool(name, arguments, result, seconds)

    @contextmanager
    def member(self, name: str, task: str, model: Model, tools: tuple[str, ...]) -> Iterator[Node]:
        """A member of the team at work, with Agno's TOOL span of the delegation as its sibling."""
        given = {"member_id": name, "task": task}
        with self.agent(name, task, model, tools) as node:
            yield node
        self.tool("delegate_task_to_member", given, str(node.late.get("output.value", "")), 0.01)
