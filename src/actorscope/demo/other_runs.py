"""Healthy runs of the other teams: research, billing and operations."""

from __future__ import annotations

from actorscope.demo.authority import stamp
from actorscope.demo.genai import GenAIWriter
from actorscope.demo.models import FLASH, GPT_4O_MINI, GPT_41, SONNET
from actorscope.demo.openinference import OpenInferenceWriter
from actorscope.demo.run import Attributes, Run, Scope
from actorscope.demo.traceloop import TraceloopWriter

TOPICS = [
    "battery recycling in Europe",
    "heat pumps for flats",
    "cold-chain logistics",
    "low-code tools for hospitals",
    "satellite internet on trains",
    "reusable packaging in groceries",
]


def market_brief(run: Run, digging: int = 0) -> None:
    """A short brief on a market; `digging` more rounds of the model in an ever larger context are a runaway."""
    topic = run.pick(TOPICS)
    writer = OpenInferenceWriter(run)
    with writer.agent("market-researcher", f"Write a short market brief on {topic}", SONNET, ("search_web",)) as agent:
        brain = writer.minds[-1]
        writer.llm("I will search first.", 60)
        writer.steady("search_web", {"query": f"{topic} market size"}, f"Three sources on {topic}.", 0.9)
        for page in (1, 2):
            writer.llm("Reading a source.", 60)
            url = f"https://news.example/{topic.replace(' ', '-')}/{page}"
            writer.steady("fetch_page", {"url": url}, f"Page {page} on {topic}: growth, vendors, prices.", 1.2)
            brain.context += 850 * run.size
        for _ in range(digging):
            writer.llm("The numbers still do not agree, let me think it through again.", 190)
            brain.context += 110
        writer.llm(f"Brief on {topic}: growing, three vendors lead.", 340)
        agent.late["output.value"] = f"Brief on {topic}"


def fact_check(run: Run) -> None:
    """A lead gives a claim to a member of the team and sums up."""
    topic = run.pick(TOPICS)
    claim = f"{topic[0].upper()}{topic[1:]} grew by {run.rng.randint(3, 30)} % last year"
    writer = OpenInferenceWriter(run)
    with writer.agent("research-lead", f"Check this claim: {claim}", SONNET, ("delegate_task_to_member",)) as lead:
        writer.llm("The fact checker shall look.", 60)
        with writer.member("fact-checker", f"Find two sources for: {claim}", FLASH, ("search_web",)) as member:
            writer.llm("Searching.", 40)
            writer.steady("search_web", {"query": claim}, "Two sources, both confirm.", 0.9)
            writer.llm("Confirmed by two sources.", 110)
            member.late["output.value"] = "Confirmed by two sources."
        writer.llm("The claim holds.", 120)
        lead.late["output.value"] = "The claim holds."


def invoice_run(run: Run) -> None:
    """An accountant orders an invoice: the tax is checked by a second agent, then the invoice is created once."""
    amount = round(run.draw(900.0, 0.5), 2)
    customer, order = f"ACME-{run.rng.randint(100, 999)}", f"SO-{run.serial}"
    request = f"Create the invoice for customer {customer}, order {order}, {amount} EUR."
    writer = TraceloopWriter(run, "invoice_run")
    with writer.root(request) as root:
        with writer.agent("invoicing", request, GPT_41):
            writer.task("read_request", "An invoice is wanted.", 70)
            writer.steady("get_order", {"order": order}, {"order": order, "state": "delivered"})
            with writer.agent("tax-checker", f"Which tax applies to customer {customer}?", GPT_4O_MINI):
                writer.chat("Standard rate.", 50)
                writer.steady("lookup_tax", {"customer": customer}, {"rate": 0.19})
            writer.task("decide", "Standard rate, create it.", 60)
            given = {"customer": customer, "order": order, "amount": amount, "currency": "EUR"}
            writer.tool("create_invoice", given, {"invoice": f"INV-{order}", "status": "created"}, 0.9)
            writer.chat("The invoice is created.", 60)
        root.late["traceloop.entity.output"] = '"The invoice is created."'


def dunning_run(run: Run) -> None:
    """One payment reminder, to the address that the accountant named."""
    invoice, address = f"INV-{run.serial}", f"accounts@customer-{run.rng.randint(10, 99)}.example"
    request = f"Send a friendly reminder for invoice {invoice} to {address}."
    writer = TraceloopWriter(run, "dunning_run")
    with writer.root(request) as root:
        with writer.agent("dunning", request, SONNET):
            writer.task("read_request", "A reminder is wanted.", 60)
            found = {"invoice": invoice, "days_late": run.rng.randint(5, 40)}
            writer.steady("get_invoice", {"invoice": invoice}, found)
            writer.task("write_letter", "The letter is ready.", 260)
            writer.tool("send_reminder", {"to": address, "invoice": invoice}, {"status": "sent"}, 0.7)
        root.late["traceloop.entity.output"] = '"The reminder is sent."'


class OpsWriter(GenAIWriter):
    """Official names from the ops team's own runner: a schedule starts it, no human, no conversation."""

    scope = Scope("acme.ops.runner", "2.3.0")

    def base(self) -> Attributes:
        return {"actorscope.task.kind": self.task}

    def agent_extra(self, agent: str) -> Attributes:
        return {"actorscope.execution.trigger": "schedule"}


def health_check(run: Run) -> None:
    """Looks at the metrics of the last minutes and publishes the status."""
    window = stamp(run.now)
    writer = OpsWriter(run, "health.check")
    job = f"Scheduled job health.check for status.acme.example, window {window}"
    with writer.agent("sre-bot", job, FLASH):
        writer.chat(calls="get_metrics", tokens=40)
        writer.steady("get_metrics", {"window": window}, {"error_rate": round(run.draw(0.002), 5), "p95_ms": 180})
        writer.chat(calls="publish_status", tokens=50)
        writer.tool("publish_status", {"page": "status.acme.example", "window": window, "state": "green"}, {"ok": True})
        writer.chat(says="All green.", tokens=40)


def backup_verify(run: Run) -> None:
    """Restores the newest snapshot on the side and compares it."""
    snapshot = f"snap-{run.serial}"
    writer = OpsWriter(run, "backup.verify")
    with writer.agent("backup-bot", f"Scheduled job backup.verify of snapshot {snapshot}", GPT_4O_MINI):
        writer.chat(calls="restore_snapshot", tokens=40)
        writer.tool("restore_snapshot", {"snapshot": snapshot, "into": "sandbox"}, {"ok": True}, 20.0)
        writer.chat(calls="compare_rows", tokens=40)
        writer.steady("compare_rows", {"snapshot": snapshot}, {"equal": True, "tables": 48}, 8.0)
        writer.chat(says="The backup is good.", tokens=40)


def snapshot_cleanup(run: Run) -> None:
    """Deletes the one snapshot that the schedule names as expired."""
    snapshot = f"snap-{run.serial}-old"
    writer = OpsWriter(run, "snapshot.cleanup")
    with writer.agent("backup-bot", f"Scheduled job snapshot.cleanup, expired: {snapshot}", GPT_4O_MINI):
        writer.chat(calls="delete_snapshot", tokens=40)
        writer.tool("delete_snapshot", {"snapshot": snapshot}, {"deleted": snapshot}, 2.0)
        writer.chat(says="Removed.", tokens=25)
