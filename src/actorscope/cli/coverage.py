"""How coverage looks at the terminal, and what of it is not enough."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from actorscope.analysis.answers.coverage import STATES
from actorscope.analysis.answers.questions import QUESTIONS
from actorscope.cli.read import safe

_MARKS = {"declared": ("● declared", "green"), "derived": ("◐ derived", "cyan"), "inferred": ("◔ inferred", "yellow"),
          "missing": ("○ missing", "red")}  # fmt: skip
Answer = dict[str, Any]


def choosing_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--actor`, `--question` and `--json`."""
    command = click.option("--json", "as_json", is_flag=True, help="JSON lines, one per actor, instead of tables.")(
        command
    )
    command = click.option(
        "--question", "questions", multiple=True, type=click.Choice([q.id for q in QUESTIONS]),
        help="Only this question; may be repeated.",
    )(command)  # fmt: skip
    return click.option("--actor", default="", help="Only this actor, by id or name.")(command)


def show(answer: Answer, as_json: bool, with_rules: bool) -> None:
    """Coverage as tables, or as JSON lines; what is true of all actors goes to stderr."""
    if as_json:
        for actor in answer["actors"]:
            click.echo(json.dumps(actor, ensure_ascii=False))
    else:
        console = Console()
        for actor in answer["actors"]:
            _show_actor(console, actor, with_rules)
    if not answer["actors"]:
        click.echo("no agent, tool call or model call was recognised", err=True)
    if answer["unknown_spans"]:
        told = f"{answer['unknown_spans']} of {answer['spans']} spans speak no dialect that is known"
        click.echo(f"{told}; docs/coverage.md says how to add one", err=True)
    if answer["is_cut"]:
        click.echo(f"the latest {answer['traces']} traces were looked at; there are more", err=True)


def lacking(answer: Answer, require: str | None, fail_under: float | None) -> Iterator[str]:
    """One line for each fact that is known less well than `require` asks for, and for each score that is too low."""
    accepted = STATES[: STATES.index(require) + 1] if require else STATES
    for actor in answer["actors"]:
        name = safe(actor["actor_name"] or "(no agent known)")
        for question in actor["questions"]:
            for fact in question["facts"]:
                if fact["state"] and fact["state"] not in accepted:
                    yield f"{name}: {question['id']}.{fact['id']} is {fact['state']}, not {require}: {fact['fix']}"
            if fail_under is not None and question["score"] is not None and question["score"] < fail_under:
                yield f"{name}: {question['id']} scores {question['score']:.2f}, under {fail_under:.2f}"


def _show_actor(console: Console, actor: Answer, with_rules: bool) -> None:
    head = Text.assemble(
        (str(safe(actor["actor_name"] or "(no agent known)")), "bold"), f"   score {_score(actor['score'])}"
    )
    console.print(head)
    kinds = [actor["kind"], *actor["services"], *actor["dialects"]]
    counts = (
        f"{actor['spans']} spans, {actor['runs']} runs, {actor['model_calls']} model calls, {actor['actions']} actions"
    )
    console.print(Text(f"{safe(', '.join(filter(None, kinds)))}: {counts}", "dim"))
    for question in actor["questions"]:
        _show_question(console, question)
    if with_rules and actor["recognised"]:
        console.print(_recognised(actor))
    console.print()


def _show_question(console: Console, question: Answer) -> None:
    """A line per fact, and below it by which rule it is known or the line of code that would say it, never broken."""
    if not question["needed"]:
        console.print(Text.assemble((question["title"], "bold"), ("   nothing asks for it", "dim")))
        return
    told = f"declared {question['declared']}/{question['needed']}, known {question['known']}/{question['needed']}"
    score = f"   score {_score(question['score'])}   {told}"
    console.print(Text.assemble((question["title"], "bold"), score), soft_wrap=True)
    for fact in question["facts"]:
        if fact["state"]:
            mark, colour = _MARKS[fact["state"]]
            console.print(
                Text.assemble("  ", (f"{mark:<11}", colour), f"{fact['share']:>5.0%}  {fact['name']}"), soft_wrap=True
            )
            console.print(Text(f"{'':21}{_reason(fact)}", "dim"), soft_wrap=True)


def _reason(fact: Answer) -> str:
    """What to do where something is missing or only guessed, else by which rule it is known."""
    rules = fact["rules"]
    known = rules[0]["rule"] if rules else fact["how"]
    if fact["fix"] and (fact["state"] in ("missing", "inferred") or fact["share"] < 1):
        return f"fix: {fact['fix']}"
    return f"{known} (+{len(rules) - 1} more rules)" if len(rules) > 1 else known


def _recognised(actor: Answer) -> Table:
    table = Table(box=None, pad_edge=False, title="recognised", title_justify="left", title_style="bold")
    for name in ("column", "basis", "spans", "rule"):
        table.add_column(name, overflow="fold", no_wrap=name != "rule", style="dim")
    for rule in actor["recognised"]:
        table.add_row(rule["column"], rule["basis"], str(rule["spans"]), Text(rule["rule"]))
    return table


def _score(score: float | None) -> str:
    return "–" if score is None else f"{score:.2f}"
