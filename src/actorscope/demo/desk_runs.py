"""What the support desk does all day: healthy runs, some of them look-alikes of the misbehaving ones."""

from __future__ import annotations

from actorscope.demo.authority import digest, principal
from actorscope.demo.desk import DeskWriter
from actorscope.demo.run import Attributes, Failure, Run

QUESTIONS = [
    "How do I reset my password?",
    "Can I export my data as CSV?",
    "Which plans include single sign-on?",
    "How do I add a colleague to my workspace?",
    "Where do I change the invoice address?",
    "Does the API have a rate limit?",
    "How do I turn on two-factor authentication?",
    "Can I pause my subscription for the summer?",
]
OUTAGE_CREDIT = {"plan": "pro", "amount": 10.0, "currency": "USD", "reason": "outage"}


def kb_answer(run: Run) -> None:
    """A question that the knowledge base answers; only ever reads."""
    writer = DeskWriter(run, "kb.answer")
    question = run.pick(QUESTIONS)
    with writer.desk_agent("kb-assistant", question):
        writer.chat(calls="search_kb", tokens=45)
        found = {"articles": [{"id": f"kb-{100 + QUESTIONS.index(question)}", "title": question.rstrip("?")}]}
        writer.steady("search_kb", {"query": question}, found)
        writer.chat(says=f"Here is how: see article {found['articles'][0]['id']}.")


def refund_request(run: Run) -> None:
    """Triage hands a refund to its specialist; larger sums wait for a person, a refused write is repeated."""
    order, ticket = f"A-{run.serial}", f"T-{run.serial}"
    amount = round(run.draw(60.0, 0.6), 2)
    request = f"My order {order} arrived damaged, please refund {amount} EUR. (ticket {ticket})"
    refund = {"order_id": order, "amount": amount, "currency": "EUR"}
    writer = DeskWriter(run, "refund.request")
    with writer.desk_agent("triage", request):
        writer.chat(calls="get_ticket", tokens=40)
        writer.steady("get_ticket", {"ticket_id": ticket}, {"ticket_id": ticket, "status": "open", "topic": "refund"})
        writer.chat(calls="delegate_to_refunds", tokens=60)
        with writer.delegate("refunds", f"Refund {amount} EUR for order {order}, ticket {ticket}", "refund.review"):
            writer.chat(calls="lookup_order", tokens=40)
            writer.steady("lookup_order", {"order_id": order}, {"order_id": order, "paid": amount, "currency": "EUR"})
            writer.chat(calls="issue_refund", tokens=60)
            pay(writer, refund)
            writer.chat(calls="update_ticket", tokens=50)
            writer.tool("update_ticket", {"ticket_id": ticket, "status": "solved"}, {"ok": True})
        writer.chat(says="Your refund is on its way.")


def pay(writer: DeskWriter, refund: dict[str, object]) -> None:
    """Issues a refund as it should be: approved where large, and after a refusal tried again as the same action."""
    run = writer.run
    extra: Attributes = {}
    if float(str(refund["amount"])) >= 90:
        extra = writer.approval("issue_refund", refund, run.pick(["u-ines", "u-oskar"]), 45.0)
    if run.number % 8 == 3:
        key = digest({"order": refund["order_id"], "key": run.serial})
        extra |= {
            "actorscope.action.id": f"act-{run.serial.lower()}",
            "actorscope.action.idempotency.digest": key,
        }
        writer.tool("issue_refund", refund, None, 1.0, extra, Failure("ConnectError", "connection refused"))
        writer.chat(calls="issue_refund", tokens=40)
        extra["actorscope.execution.attempt"] = 2
    writer.tool("issue_refund", refund, {"refund_id": f"rf-{run.hexid(8)}", "status": "booked"}, 0.9, extra)


def billing_question(run: Run) -> None:
    """Triage asks the billing specialist about an invoice."""
    invoice, ticket = f"INV-{run.serial}", f"T-{run.serial}"
    with_specialist(run, f"Why is invoice {invoice} higher than last month? (ticket {ticket})", invoice, ticket)


def with_specialist(
    run: Run, request: str, invoice: str, ticket: str, transfer: dict[str, object] | None = None
) -> None:
    """The conversation of triage and billing specialist; a `transfer` is what should never happen in it."""
    writer = DeskWriter(run, "billing.question")
    with writer.desk_agent("triage", request):
        writer.chat(calls="delegate_to_billing-specialist", tokens=60)
        with writer.delegate("billing-specialist", f"Explain invoice {invoice}, ticket {ticket}", "billing.explain"):
            writer.chat(calls="get_invoice", tokens=40)
            total = round(run.draw(240.0), 2)
            writer.steady("get_invoice", {"invoice_id": invoice}, {"invoice_id": invoice, "total": total})
            if transfer:
                writer.chat(calls="transfer_funds", tokens=60)
                writer.tool("transfer_funds", transfer, {"status": "booked", "booking": run.hexid(8)}, 1.1)
            writer.chat(calls="update_ticket", tokens=60)
            writer.tool("update_ticket", {"ticket_id": ticket, "status": "answered"}, {"ok": True})
        writer.chat(says="The difference comes from two added seats.")


def sales_handoff(run: Run) -> None:
    """Triage passes control and is done; the account manager runs beside it, not inside it."""
    account = f"ACC-{run.serial}"
    request = f"We want to move our account {account} to the enterprise plan."
    writer = DeskWriter(run, "sales.handoff")
    workflow: Attributes = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "support",
        **writer.base(),
        "actorscope.execution.trigger": "user",
    }
    with run.span(writer.scope, "invoke_workflow support", workflow):
        with writer.desk_agent("triage", request):
            writer.chat(calls="transfer_to_account-manager", tokens=40)
            act = writer.act_of("sales.upgrade", "account-manager", "pass_control")
            away: Attributes = {**act, "actorscope.delegation.delegate.name": "account-manager"}
            with writer.tool_span("transfer_to_account-manager", {}, {**away, "actorscope.operation.name": "delegate"}):
                run.wait(0.01)
        # Who passed control on has left, but stays in the chain of those on whose behalf the work is done.
        chain = (f"user:{run.user}", principal("triage"), principal("account-manager"))
        arrived: Attributes = {
            **act, **writer.came_from("triage"), "actorscope.execution.trigger": "agent", "actorscope.delegation.chain": chain,
        }  # fmt: skip
        with writer.desk_agent("account-manager", request, {**arrived, "actorscope.delegation.depth": 1}):
            writer.chat(calls="get_account", tokens=40)
            writer.steady("get_account", {"account_id": account}, {"account_id": account, "plan": "team", "seats": 40})
            writer.chat(calls="log_call", tokens=70)
            writer.tool("log_call", {"account_id": account, "outcome": "wants enterprise"}, {"ok": True})
            writer.chat(says="I have noted your wish and will send an offer today.")


def shipment_track(run: Run) -> None:
    """Asks for the same shipment again and again, every time half a minute apart and with a new answer."""
    shipment = f"SH-{run.serial}"
    writer = DeskWriter(run, "shipment.track")
    with writer.desk_agent("logistics", f"Tell me when shipment {shipment} has left the depot."):
        for place in ("packed", "at depot", "loading", "left depot"):
            writer.chat(calls="get_shipment_status", tokens=30)
            writer.tool("get_shipment_status", {"shipment_id": shipment}, {"shipment_id": shipment, "status": place})
            if place != "left depot":
                run.wait(run.rng.uniform(31, 36))
        writer.chat(says="It has just left the depot.", tokens=30)


def credit_request(run: Run) -> None:
    """The same credit for every customer of an outage: equal arguments, but each for a request of its own."""
    writer = DeskWriter(run, "credit.request")
    request = f"I was hit by the outage, may I have the promised credit? (ticket T-{run.serial})"
    with writer.desk_agent("credits", request):
        writer.chat(calls="apply_credit", tokens=40)
        writer.tool("apply_credit", OUTAGE_CREDIT, {"credit_id": f"cr-{run.hexid(8)}"})
        writer.chat(says="The credit is on your account.")


def plan_of_parts(run: Run) -> None:
    """A planner that asks a planner, but for a clearly smaller part: recursion that ends by itself."""
    writer = DeskWriter(run, "site.plan")
    goal = "Plan the move of the help centre to the new domain: inventory of pages, redirects, search, launch day"
    with writer.desk_agent("planner", goal):
        writer.chat(calls="delegate_to_planner", tokens=220)
        section = run.pick(["billing", "account", "security"])
        with writer.delegate("planner", f"List redirects needed below /{section}", "plan.part"):
            writer.chat(calls="list_pages", tokens=60)
            writer.tool("list_pages", {"section": section}, {"pages": [f"/{section}/{n}" for n in range(1, 5)]})
            writer.chat(says="Four redirects are needed.")
        writer.chat(says="Here is the plan in four steps.", tokens=320)


def weekly_insights(run: Run, rounds: int = 3) -> None:
    """Numbers from the warehouse under a budget; more rounds of bigger questions break it."""
    writer = DeskWriter(run, "report.weekly", budget=0.5)
    with writer.desk_agent("insights", f"Weekly support report {run.serial}: volumes, topics, response times"):
        writer.here.mind.context += 8500 * run.size
        for number in range(rounds):
            writer.chat(calls="run_sql", tokens=320)
            query = {"sql": f"SELECT topic, count(*) FROM tickets WHERE part = {number} GROUP BY topic"}
            writer.tool("run_sql", query, {"rows": [["refund", 40 + number], ["login", 25 + 2 * number]]})
            writer.here.mind.context += 2600 * max(0, rounds - 3) / 3
        writer.chat(says="Volumes are stable, refunds lead.", tokens=420)
