"""Spans in the older Traceloop (OpenLLMetry) names, as its LangChain instrumentation writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.trace import SpanKind

from actorscope.demo.models import Mind, Model, mind
from actorscope.demo.run import Attributes, Failure, Node, Run, Scope

SCOPE = Scope("opentelemetry.instrumentation.langchain", "0.40.14")


class TraceloopWriter:
    """Writes workflow, agent, task and tool spans of one run, with association properties on each."""

    def __init__(self, run: Run, workflow: str) -> None:
        self.run = run
        self.workflow = workflow
        self.minds: list[Mind] = []
        self.goals: list[str] = []

    def entity(self, kind: str, name: str, given: object) -> Attributes:
        """What every span of the framework itself carries."""
        return {
            "traceloop.span.kind": kind,
            "traceloop.entity.name": name,
            "traceloop.entity.input": json.dumps(given),
            **self.association(),
        }

    def association(self) -> Attributes:
        """The association properties that were set for the run."""
        return {
            "traceloop.workflow.name": self.workflow,
            "traceloop.association.properties.session_id": self.run.conversation,
            "traceloop.association.properties.user_id": self.run.user,
        }

    @contextmanager
    def root(self, request: str) -> Iterator[Node]:
        """The workflow that all of the run is in."""
        given = {"inputs": {"messages": [{"role": "user", "content": request}]}, "tags": []}
        with self.run.span(SCOPE, f"{self.workflow}.workflow", self.entity("workflow", self.workflow, given)) as node:
            yield node

    @contextmanager
    def agent(self, name: str, goal: str, model: Model) -> Iterator[Node]:
        """An agent; a sub-agent nests in the span of its caller."""
        self.minds.append(mind(self.run, model))
        self.goals.append(goal)
        try:
            attributes = self.entity("agent", name, {"args": [], "kwargs": {"task": goal}})
            with self.run.span(SCOPE, f"{name}.agent", attributes) as node:
                yield node
                node.late.setdefault("traceloop.entity.output", json.dumps("done"))
        finally:
            self.minds.pop()
            self.goals.pop()

    def task(self, name: str, says: str, tokens: float = 130.0) -> None:
        """A step of the chain around one call of the model."""
        goal = self.goals[-1]
        with self.run.span(SCOPE, f"{name}.task", self.entity("task", name, {"inputs": {"input": goal}})) as node:
            self.chat(says, tokens)
            node.late["traceloop.entity.output"] = json.dumps({"outputs": says})

    def chat(self, says: str, tokens: float = 130.0) -> None:
        """One call of the model of the innermost agent, with the names of before 2025."""
        brain, goal = self.minds[-1], self.goals[-1]
        model = brain.model
        attributes: Attributes = {
            "llm.request.type": "chat",
            "gen_ai.system": model.provider,
            "gen_ai.request.model": model.name,
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": goal,
            **self.association(),
        }
        with self.run.span(SCOPE, f"{model.chain}.chat", attributes, SpanKind.CLIENT) as node:
            usage = brain.turn(tokens)
            node.late = {
                "gen_ai.response.model": model.response,
                "gen_ai.response.id": f"chatcmpl-{self.run.hexid(24)}",
                "gen_ai.completion.0.role": "assistant",
                "gen_ai.completion.0.content": says,
                "gen_ai.completion.0.finish_reason": "stop",
                "gen_ai.usage.prompt_tokens": usage.input,
                "gen_ai.usage.completion_tokens": usage.output,
                "llm.usage.total_tokens": usage.input + usage.output,
            }

    def tool(
        self, name: str, arguments: Mapping[str, object], result: object, seconds: float = 0.5, fails: bool = False
    ) -> None:
        """One call of a tool, its arguments and its result wrapped as the framework wraps them."""
        attributes = self.entity("tool", name, {"args": [], "kwargs": dict(arguments)})
        with self.run.span(SCOPE, f"{name}.tool", attributes) as node:
            self.run.wait(self.run.draw(seconds))
            if fails:
                node.failure = Failure("ConnectError", "connection refused")
                return
            text = json.dumps(result)
            node.late["traceloop.entity.output"] = text
        self.minds[-1].read(text)

    def steady(self, name: str, arguments: Mapping[str, object], result: object, seconds: float = 0.5) -> None:
        """A call that now and then fails once and is then repeated."""
        if self.run.stumbles():
            self.tool(name, arguments, None, 1.0, fails=True)
        self.tool(name, arguments, result, seconds)
