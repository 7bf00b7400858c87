"""The support desk's own writer: official names plus everything that `actorscope.*` has to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from actorscope.demo.authority import AGENTS, TOOLS, delegation, digest, identity, permission, principal
from actorscope.demo.genai import Frame, GenAIWriter
from actorscope.demo.run import Attributes, Node, Note, Run


class DeskWriter(GenAIWriter):
    """Writes a run of the support desk: identity, delegation, scopes, approvals, trigger and budget."""

    def __init__(self, run: Run, task: str, budget: float = 0.0) -> None:
        super().__init__(run, task)
        self.budget = budget
        self.spent = 0.0

    def base(self) -> Attributes:
        return {
            **super().base(),
            "user.id": self.run.user,
            "actorscope.task.kind": self.task,
            "actorscope.execution.id": f"exec-{self.run.serial.lower()}",
        }

    def agent_extra(self, agent: str) -> Attributes:
        chain = [f"user:{self.run.user}", *(principal(frame.agent) for frame in self.frames)]
        self.here.scope = self.granted(agent, self.frames[:-1])
        found: Attributes = {
            **identity(agent, self.run.serial.lower()),
            "actorscope.execution.trigger": "agent" if len(self.frames) > 1 else "user",
            "actorscope.delegation.chain": tuple(chain),
            "actorscope.delegation.depth": len(self.frames) - 1,
            "actorscope.delegation.root.id": f"user:{self.run.user}",
            "actorscope.delegation.scope.granted": self.here.scope,
        }
        if self.budget and len(self.frames) == 1:
            found["actorscope.budget.id"] = f"budget-{self.task}"
            found["actorscope.budget.scope"] = "execution"
            found["actorscope.budget.unit"] = "currency"
            found["actorscope.budget.limit"] = self.budget
        return found

    @staticmethod
    def granted(agent: str, above: list[Frame]) -> tuple[str, ...]:
        """What an agent is granted: its own scope, and never more than the agent above it holds."""
        wanted = AGENTS[agent].scope
        return tuple(scope for scope in wanted if scope in above[-1].scope) if above else wanted

    def chat_extra(self, cost: float) -> Attributes:
        self.spent += cost
        return {
            "actorscope.cost.amount": cost,
            "actorscope.cost.currency": "USD",
            "actorscope.cost.source": "local",
        }

    def tool_extra(self, tool: str, arguments: Mapping[str, object], call: str) -> Attributes:
        if tool not in TOOLS:
            return {"actorscope.action.side_effect": "none"}
        return permission(self.here.agent, self.here.scope, tool, arguments, self.run.now, call)

    @contextmanager
    def desk_agent(self, name: str, goal: str, extra: Attributes | None = None) -> Iterator[Node]:
        """An agent of the desk, with its own model; its budget is settled when it ends."""
        with self.agent(name, goal, AGENTS[name].model, extra) as node:
            yield node
            node.late.setdefault("actorscope.execution.finish_reason", "completed")
            if self.budget and len(self.frames) == 1:
                self.settle(node)

    def settle(self, node: Node) -> None:
        """Writes what was consumed, and a check where the limit was passed."""
        outcome = "exceeded" if self.spent > self.budget else "ok"
        node.late["actorscope.budget.consumed"] = round(self.spent, 6)
        node.late["actorscope.budget.outcome"] = outcome
        if outcome == "exceeded":
            facts = {k: v for k, v in node.attributes.items() if k.startswith("actorscope.budget.")}
            facts |= {k: v for k, v in node.late.items() if k.startswith("actorscope.budget.")}
            node.notes.append(Note(self.run.now, "actorscope.budget.check", facts))

    def act_of(self, purpose: str, delegate: str, mode: str) -> Attributes:
        """A new act of delegation from the innermost agent."""
        root = f"user:{self.run.user}"
        scope = self.granted(delegate, self.frames)
        return delegation(f"dlg_{self.run.hexid(12)}", self.here.delegation, purpose, scope, mode, root)

    @contextmanager
    def delegate(self, name: str, goal: str, purpose: str) -> Iterator[Node]:
        """An agent used as a tool: the caller waits inside `execute_tool` for the delegate's `invoke_agent`."""
        act = self.act_of(purpose, name, "return_to_caller")
        caller = self.here.agent
        away: Attributes = {
            **act,
            "actorscope.operation.name": "delegate",
            "actorscope.delegation.delegate.id": principal(name),
            "actorscope.delegation.delegate.name": name,
            "actorscope.delegation.delegate.type": "agent",
        }
        with self.tool_span(f"delegate_to_{name}", {"goal": goal}, away) as tool:
            with self.desk_agent(name, goal, {**act, **self.came_from(caller)}) as node:
                self.here.delegation = str(act["actorscope.delegation.id"])
                yield node
            tool.late["gen_ai.tool.call.result"] = f'{{"status": "done", "by": "{name}", "ref": "{self.run.hexid(8)}"}}'
            tool.late["actorscope.delegation.status"] = "completed"

    @staticmethod
    def came_from(caller: str) -> Attributes:
        """The delegate's word on who sent it."""
        return {
            "actorscope.delegation.delegator.id": principal(caller),
            "actorscope.delegation.delegator.name": caller,
            "actorscope.delegation.delegator.type": "agent",
        }

    def approval(self, tool: str, arguments: Mapping[str, object], approver: str, seconds: float) -> Attributes:
        """Waits for a person to approve exactly this call; gives what the approved action then carries."""
        facts: Attributes = {
            "actorscope.approval.id": f"apr_{self.run.hexid(12)}",
            "actorscope.approval.action.digest": digest(arguments),
            "actorscope.approval.grant": "once",
        }
        tells: Attributes = {**facts, "gen_ai.tool.name": tool, "gen_ai.agent.name": self.here.agent}
        attributes: Attributes = {**tells, **self.base(), "actorscope.operation.name": "await_approval"}
        answer: Attributes = {
            "actorscope.approval.status": "approved",
            "actorscope.approval.approver.type": "human",
            "actorscope.approval.approver.id": approver,
        }
        with self.run.span(self.scope, f"await_approval {tool}", attributes) as node:
            asked: Attributes = {**tells, "actorscope.approval.status": "pending"}
            node.notes.append(Note(self.run.now, "actorscope.approval.request", asked))
            self.run.wait(self.run.draw(seconds))
            node.notes.append(Note(self.run.now, "actorscope.approval.resolution", {**tells, **answer}))
            node.late.update(answer)
        return {**facts, **answer}
