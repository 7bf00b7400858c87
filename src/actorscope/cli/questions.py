"""`ask who-changed`, `why-again`, `who-approved`, `identity`, `permissions`, `audit`: the six questions at the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click

from actorscope.analysis.answers import actor, again, change, lineage, radius, run
from actorscope.analysis.answers.ids import span_id, trace_id
from actorscope.analysis.answers.period import EXAMPLES, since
from actorscope.cli.read import safe
from actorscope.cli.server import ask as ask_server
from actorscope.cli.server import find_server, reading_options, with_store
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store

_LAST = click.option("--last", default="30d", show_default=True, help=f"Look so far back in event time, {EXAMPLES}.")
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")


def _moment(last: str) -> datetime | None:
    try:
        return since(last)
    except ValueError as error:
        raise DefinitionError([Problem("--last", str(error))]) from error


def _ask(
    given: dict[str, Any], path: str, params: dict[str, Any], question: Callable[[Store], Any]
) -> Any:
    address = find_server(given["server"], given["data"], given["store"])
    if address:
        return ask_server(address, "GET", path, params={key: value for key, value in params.items() if value not in ("", None)})
    return with_store(given["data"], given["store"], question)


def _place(text: str, given: dict[str, Any]) -> tuple[str, str]:
    """Trace and span that are meant by TRACE, SPAN or TRACE:SPAN; the span is empty where only a trace is."""
    first, _, second = text.partition(":")
    trace, span = trace_id(first), span_id(second or first)
    if trace and (not second or span):
        return trace, (span or "") if second else ""
    if span and not second:
        found = _ask(given, f"/api/spans/{span}", {}, lambda store: {"trace_id": run.trace_of(store, span)})["trace_id"]
        if found:
            return str(found), span
        raise DefinitionError([Problem("span", f"{span} is not stored", "give TRACE:SPAN")])
    raise DefinitionError([Problem("id", f"{text[:80]!r} is no trace id (32 hexadecimal digits), span id (16) or TRACE:SPAN")])


def _show(answer: Any, as_json: bool, lines: Callable[[Any], list[str]]) -> None:
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
        return
    for line in lines(answer):
        click.echo(safe(line).plain)


def _chain(told: dict[str, Any]) -> list[str]:
    starter = told["starter"]
    lines = [f"started by {starter['name'] or starter['id'] or 'unknown'} ({starter['type'] or 'unknown'})"]
    for depth, hop in enumerate(told["hops"], 1):
        what = hop["actor_name"] or hop["actor_id"] or "(unknown agent)"
        if hop["role"] != "run":
            what = f"{hop['tool_name'] or hop['name']} [{hop['side_effect'] or 'effect unknown'}] on {hop['target'] or 'an unknown target'}"
        scopes = hop["granted"] if hop["role"] == "run" else hop["used"]
        beyond = f", beyond: {', '.join(hop['beyond'])}" if hop["beyond"] else ""
        scope = f"scope {hop['verdict']} ({', '.join(scopes) or 'not stated'}{beyond})"
        lines.append(f"{'  ' * depth}{what}  {scope}  {hop['trace_id']}:{hop['span_id']}")
    return lines


@click.command("who-changed")
@reading_options
@click.argument("resource")
@_LAST
@click.option("--reads", is_flag=True, help="Reads too.")
@_JSON
def who_changed(resource: str, last: str, reads: bool, as_json: bool, **given: Any) -> None:
    """Which agent changed RESOURCE, through which chain, and who approved."""
    start = _moment(last)
    params = {"resource": resource, "last": last, "reads": str(reads).lower()}
    answer = _ask(given, "/api/changes", params, lambda store: change.who_changed(store, resource, start, None, reads))

    def lines(told: dict[str, Any]) -> list[str]:
        found = []
        for each in told["changes"]:
            by = each["approver_id"] or each["approval_status"] or "nobody on record"
            failed = " (failed)" if each["is_error"] else ""
            found.append(f"{each['start_time']}  {each['actor_name'] or each['actor_id']}  {each['tool_name']}{failed}  approved by {by}")
            found += [f"    {line}" for line in (_chain(each["lineage"]) if each["lineage"] else [])]
        return found or [f"nobody is known to have changed {told['resource']!r}"]

    _show(answer, as_json, lines)


@click.command("why-again")
@reading_options
@click.argument("id", metavar="SPAN")
@_JSON
def why_again(id: str, as_json: bool, **given: Any) -> None:
    """Why the run of SPAN (a span id, a trace id, or TRACE:SPAN) happened again."""
    trace, span = _place(id, given)
    answer = _ask(given, f"/api/runs/{trace}/again", {"span_id": span}, lambda store: again.why_again(store, trace, span))
    if answer is None:
        raise DefinitionError([Problem("run", "none of an agent is known there")])

    def lines(told: dict[str, Any]) -> list[str]:
        cause, this = told["cause"], told["run"]
        found = [f"{this['actor_name'] or this['actor_id']}: {cause['class']} ({cause['basis']}): {cause['why']}"]
        found += [f"  {each['role']}  {each['trace_id']}:{each['span_id']}  {each['why']}" for each in cause["evidence"]]
        for effect in told["effects"]:
            again_at = [f"at {p['at']}  {p['trace_id']}:{p['span_id']}" for p in effect["before"][-3:]]
            found += [f"  {effect['tool_name']} was done before {place}" for place in again_at]
        return found

    _show(answer, as_json, lines)


@click.command("who-approved")
@reading_options
@click.argument("id", metavar="SPAN")
@_JSON
def who_approved(id: str, as_json: bool, **given: Any) -> None:
    """On whose behalf SPAN happened, with which scope at each hop, and who approved."""
    trace, span = _place(id, given)
    answer = _ask(given, f"/api/runs/{trace}/lineage", {"span_id": span}, lambda store: lineage.lineage(store, trace, span))
    if answer is None:
        raise DefinitionError([Problem("span", "no run or action of an agent is known there")])

    def lines(told: dict[str, Any]) -> list[str]:
        said = [h for h in told["hops"] if h["approval_status"] or h["approver_id"]]
        approvals = [f"approval {h['approval_status'] or '?'} by {h['approver_id'] or '?'} ({h['approver_type'] or '?'})" for h in said]
        return [*(approvals or ["no approval is on record"]), *_chain(told)]

    _show(answer, as_json, lines)


def _marked(rows: list[dict[str, Any]], lines: list[str]) -> list[str]:
    return [f"{'new ' if row['is_new'] else '    '}{line}" for row, line in zip(rows, lines, strict=True)]


def _of_actor(actor_id: str, last: str, as_json: bool, given: dict[str, Any], lines: Callable[[Any], list[str]]) -> None:
    start = _moment(last)
    answer = _ask(given, "/api/actor", {"id": actor_id, "last": last}, lambda store: actor.actor(store, actor_id, start))
    _show(answer, as_json, lines)


@click.command()
@reading_options
@click.argument("actor_id", metavar="ACTOR")
@_LAST
@_JSON
def identity(actor_id: str, last: str, as_json: bool, **given: Any) -> None:
    """As whom ACTOR (an actor id) worked: principals, credentials, people, hosts; `new` since --last."""


    def lines(told: dict[str, Any]) -> list[str]:
        seen = [f"{e['kind']}: {e['value']}  {e['first_seen']} to {e['last_seen']}  {e['spans']} spans" for e in told["identities"]]
        return _marked(told["identities"], seen) or ["nothing is on record"]

    _of_actor(actor_id, last, as_json, given, lines)


@click.command()
@reading_options
@click.argument("actor_id", metavar="ACTOR")
@_LAST
@_JSON
def permissions(actor_id: str, last: str, as_json: bool, **given: Any) -> None:
    """What ACTOR used, and what of it is new since --last."""


    def lines(told: dict[str, Any]) -> list[str]:
        scopes = sorted(told["scopes"], key=lambda s: not s["is_new"])
        used = [f"{s['kind']}: {s['name']} [{', '.join(s['effects'])}]  since {s['first_seen']}  {s['uses']} uses" for s in scopes]
        return _marked(scopes, used) or ["it used no tool and no scope"]

    _of_actor(actor_id, last, as_json, given, lines)


@click.command()
@reading_options
@click.argument("id", metavar="IDENTITY")
@_LAST
@_JSON
def audit(id: str, last: str, as_json: bool, **given: Any) -> None:
    """What IDENTITY (actor, principal, credential or delegation) reached, and in which order to revoke it."""
    start = _moment(last)
    answer = _ask(given, "/api/radius", {"id": id, "last": last}, lambda store: radius.radius(store, id, start))

    def lines(told: dict[str, Any]) -> list[str]:
        found = [f"agents: {', '.join(a['actor_name'] or a['actor_id'] for a in told['actors']) or 'none known'}"]
        found.append(f"{told['writes']} writes, {told['resources']} resources, {len(told['below'])} agents below")
        for at, step in enumerate(told["plan"], 1):
            found.append(f"{at}. {step['do']}: {step['why']}; breaks {', '.join(step['breaks']) or 'nobody else'}")
        reach = told["reach"][:50]
        found += [f"   {r['side_effect'] or 'unknown'}  {r['tool_name']}  {r['target'] or '-'}  {r['uses']} times" for r in reach]
        return found

    _show(answer, as_json, lines)


COMMANDS = (who_changed, why_again, who_approved, identity, permissions, audit)
