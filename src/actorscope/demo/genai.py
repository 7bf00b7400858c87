"""Spans in the official OpenTelemetry GenAI names, as an instrumentation of 2026 writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from actorscope.demo.models import Mind, Model, mind
from actorscope.demo.run import Attributes, Failure, Node, Run, Scope

SCHEMA = "https://opentelemetry.io/schemas/1.37.0"
AGENTS_SCOPE = Scope("opentelemetry.instrumentation.genai.openai_agents", "1.3b0", SCHEMA)


def chat_scope(model: Model) -> Scope:
    """The scope of the client instrumentation that a model's provider has."""
    vendor = {"gcp.gemini": "google_genai"}.get(model.provider, model.provider)
    return Scope(f"opentelemetry.instrumentation.genai.{vendor}", "1.3b0", SCHEMA)


def message(role: str, text: str) -> str:
    """One message as the JSON string that spans carry."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


@dataclass
class Frame:
    """An open agent: its name, what it was asked, its context the delegation that brought it here and its scope."""

    agent: str
    goal: str
    mind: Mind
    delegation: str = ""
    scope: tuple[str, ...] = ()


class GenAIWriter:
    """Writes agents, chats and tools of one run; subclasses add the attributes that a team puts on top."""

    scope = AGENTS_SCOPE

    def __init__(self, run: Run, task: str) -> None:
        self.run = run
        self.task = task
        self.frames: list[Frame] = []

    @property
    def here(self) -> Frame:
        """The innermost open agent."""
        return self.frames[-1]

    def base(self) -> Attributes:
        """What every span of the run carries."""
        return {"gen_ai.conversation.id": self.run.conversation}

    def agent_extra(self, agent: str) -> Attributes:
        """What the team adds to an agent span."""
        return {}

    def chat_extra(self, cost: float) -> Attributes:
        """What the team adds to a chat span."""
        return {}

    def tool_extra(self, tool: str, arguments: Mapping[str, object], call: str) -> Attributes:
        """What the team adds to a tool span."""
        return {}

    @contextmanager
    def agent(self, name: str, goal: str, model: Model, extra: Attributes | None = None) -> Iterator[Node]:
        """An agent at work on a goal."""
        self.frames.append(Frame(name, goal, mind(self.run, model)))
        attributes: Attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": name,
            "gen_ai.input.messages": message("user", goal),
            **self.base(),
            **self.agent_extra(name),
            **(extra or {}),
        }
        try:
            with self.run.span(self.scope, f"invoke_agent {name}", attributes) as node:
                yield node
        finally:
            self.frames.pop()

    def chat(self, says: str = "", calls: str = "", tokens: float = 140.0) -> None:
        """One call of the model of the innermost agent, which ends in words or in the wish for a tool."""
        frame, model = self.here, self.here.mind.model
        attributes: Attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": model.provider,
            "gen_ai.request.model": model.name,
            "gen_ai.input.messages": message("user", frame.goal),
            **self.base(),
        }
        with self.run.span(chat_scope(model), f"chat {model.name}", attributes, SpanKind.CLIENT) as node:
            usage = frame.mind.turn(tokens)
            node.late = {
                "gen_ai.response.model": model.response,
                "gen_ai.response.id": f"resp_{self.run.hexid(24)}",
                "gen_ai.response.finish_reasons": ("tool_calls" if calls else "stop",),
                "gen_ai.usage.input_tokens": usage.input,
                "gen_ai.usage.output_tokens": usage.output,
                "gen_ai.usage.cache_read.input_tokens": usage.cached,
                "gen_ai.output.messages": message("assistant", says or f"I will use {calls or 'what I know'}."),
                **self.chat_extra(usage.cost),
            }

    @contextmanager
    def tool_span(self, name: str, arguments: Mapping[str, object], extra: Attributes | None = None) -> Iterator[Node]:
        """A tool that stays open while something happens inside it."""
        call = self.run.hexid(24)
        attributes: Attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": f"call_{call}",
            "gen_ai.tool.call.arguments": json.dumps(arguments),
            "gen_ai.agent.name": self.here.agent,
            **self.base(),
            **self.tool_extra(name, arguments, call),
            **(extra or {}),
        }
        with self.run.span(self.scope, f"execute_tool {name}", attributes) as node:
            yield node

    def tool(
        self,
        name: str,
        arguments: Mapping[str, object],
        result: object,
        seconds: float = 0.4,
        extra: Attributes | None = None,
        failure: Failure | None = None,
    ) -> None:
        """One call of a tool, with its result or its failure."""
        with self.tool_span(name, arguments, extra) as node:
            self.run.wait(self.run.draw(seconds))
            if failure:
                node.failure = failure
                node.late["error.type"] = failure.type
                return
            text = json.dumps(result)
            node.late["gen_ai.tool.call.result"] = text
        self.here.mind.read(text)

    def steady(self, name: str, arguments: Mapping[str, object], result: object, seconds: float = 0.4) -> None:
        """A call that now and then fails once and is then repeated, as in real life."""
        if self.run.stumbles():
            self.tool(name, arguments, None, 2.0, failure=Failure("TimeoutError", "upstream timed out after 30s"))
            self.chat(calls=name, tokens=40)
        self.tool(name, arguments, result, seconds)
