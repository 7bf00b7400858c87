"""What Actorscope says of a recording, beside the truth of that recording.

The truth was written by the scripted model provider and the tools themselves while the framework ran, never read from
spans (`*.truth.json.gz`). A fact is counted: how many there were (`expected`), how many of them the views show
(`shown`), and how many the views claim that never were (`wrong`).
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl
from tests.conftest import RECORDINGS, TABLES

from actorscope.analysis.runner import Runner
from actorscope.cli.replay import read
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.settings import AnalysisSettings

NAMES = sorted(path.name.removesuffix(".traces.binpb.gz") for path in RECORDINGS.glob("*.traces.binpb.gz"))
FACTS = {
    "agents": "names of the agents that ran",
    "delegations": "acts of delegation, from whom to whom",
    "tools": "tool calls that were carried out",
    "arguments": "arguments of these calls",
    "callers": "agent that made the call",
    "failures": "tool calls that failed",
    "repeats": "equal calls made more than once",
    "calls": "model calls that were answered",
    "tokens": "input and output tokens of all calls",
    "models": "model of each call",
    "spenders": "agent whose call used the tokens",
    "approvals": "actions that a person approved",
}
VIEWS = ("spans", "agent_runs", "delegations", "actions", "model_calls", "approvals")
Key = Any


@dataclass(frozen=True)
class Fact:
    """One kind of fact in one recording; `basis` is the weakest basis on which most of what is shown rests."""

    expected: int
    shown: int
    wrong: int
    basis: str
    missing: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


@cache
def truth(name: str) -> dict[str, Any]:
    with gzip.open(RECORDINGS / f"{name}.truth.json.gz") as file:
        found: dict[str, Any] = json.load(file)
    return found


@cache
def everything(store: Store) -> dict[str, tuple[dict[str, Fact], dict[str, int]]]:
    """The facts of every recording, each alone in the store, and how many rows the views then have."""

    def act() -> dict[str, tuple[dict[str, Fact], dict[str, int]]]:
        found = {}
        for name in NAMES:
            load(store, name)
            found[name] = measure(store, name), {view: _rows(store, view) for view in VIEWS}
        return found

    return in_worker(act)


def _rows(store: Store, view: str) -> int:
    return int(store.frame(f"SELECT count() AS n FROM {view}")["n"][0])


def load(store: Store, name: str) -> None:
    """The recording alone in the store, analysed to its end. On a worker thread."""
    for table in TABLES:
        store.command(f"TRUNCATE TABLE {table}")
    bodies = [record_of("traces", r.body) for r in read(RECORDINGS / f"{name}.traces.binpb.gz")]
    spans = span_rows("recorded", 1, bodies)
    store.insert("span_rows", spans)
    logs = RECORDINGS / f"{name}.logs.binpb.gz"
    if logs.exists():
        store.insert(
            "log_rows", log_rows("recorded", spans.num_rows + 1, [record_of("logs", r.body) for r in read(logs)])
        )
    Runner(store, AnalysisSettings()).run_to_end()


def measure(store: Store, name: str) -> dict[str, Fact]:
    """The facts of a recording that is in the store. On a worker thread."""
    real = truth(name)
    runs = store.frame("SELECT actor_name, actor_basis FROM agent_runs")
    found = {"agents": _count(set(real["agents"]), set(runs["actor_name"]), runs["actor_basis"])}
    return {
        **found,
        "delegations": _delegations(store, real),
        **_tools(store, real),
        **_calls(store, real),
        "approvals": _approvals(store, real),
    }


def _count(
    expected: Iterable[Key], found: Iterable[Key], basis: Iterable[str] = (), upto: Counter[Key] | None = None
) -> Fact:
    """Expected against found, each key as often as it comes; `upto` allows more of a key."""
    want, have = Counter(expected), Counter(found)
    most = want if upto is None else upto
    over, under = have - most, want - have
    said = Counter(text for text in basis if text)
    return Fact(
        want.total(), want.total() - under.total(), over.total(), said.most_common(1)[0][0] if said and have else "",
        tuple(sorted(map(str, under))), tuple(sorted(map(str, over))),
    )  # fmt: skip


def _delegations(store: Store, real: dict[str, Any]) -> Fact:
    edges = store.frame("SELECT delegator_name, delegate_name, basis FROM delegations")
    confirmed, asked = Counter[Key](), Counter[Key]()
    for edge in real["delegation_edges"]:
        confirmed[edge["from"], edge["to"]] += edge["confirmed_count"]
        asked[edge["from"], edge["to"]] += max(edge["count"], edge["confirmed_count"])
    return _count(confirmed.elements(), edges.select("delegator_name", "delegate_name").rows(), edges["basis"], asked)


def _tools(store: Store, real: dict[str, Any]) -> dict[str, Fact]:
    done = real["tool_executions"]
    names = {execution["name"] for execution in done}
    actions = store.frame(
        "SELECT tool_name, arguments, arguments_basis, actor_name, actor_basis, actor_kind, error_type FROM actions"
    )
    mine = actions.filter(pl.col("tool_name").is_in(list(names)))
    calls = [(name, _canonical(text)) for name, text in mine.select("tool_name", "arguments").rows()]
    really = [(e["name"], json.dumps(e["args"], sort_keys=True)) for e in done if "args" in e]
    known = mine.filter(pl.col("actor_kind") != "service")  # of which only the service is known, the agent is not
    failed = [e["name"] for e in done if e.get("error") or e.get("ok") is False]
    errors = mine.filter(pl.col("error_type") != "")["tool_name"]
    return {
        "tools": _count((e["name"] for e in done), mine["tool_name"]),
        "arguments": _count(
            really, (c for c in calls if c[1]), mine.filter(pl.col("arguments") != "")["arguments_basis"]
        ),
        "callers": _count(
            ((e["name"], e["agent"]) for e in done),
            known.select("tool_name", "actor_name").rows(),
            known["actor_basis"],
        ),
        "failures": _count(failed, errors),
        "repeats": _count(_repeated(really), _repeated(c for c in calls if c[1])),
    }


def _repeated(calls: Iterable[Key]) -> list[Key]:
    return [(call, count) for call, count in Counter(calls).items() if count > 1]


def _canonical(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return text


def _calls(store: Store, real: dict[str, Any]) -> dict[str, Fact]:
    columns = "actor_name, actor_basis, provider, model, input_tokens, output_tokens, status_code"
    calls = store.frame(f"SELECT {columns} FROM model_calls").filter(pl.col("status_code") != "error")
    answered = [call for call in real["llm_calls"] if call["http_status"] == 200]
    tokens = int(calls["input_tokens"].sum() or 0) + int(calls["output_tokens"].sum() or 0)
    spent = sum(real["tokens_total"][side] for side in ("input", "output"))
    alike = {call["model_requested"]: call["model_returned"] for call in answered}
    models = [model.rpartition("/")[2] for model in calls["model"]]
    mine = {agent: used["input"] for agent, used in real["tokens_by_agent"].items() if agent in real["agents"]}
    by = dict(calls.group_by("actor_name").agg(pl.col("input_tokens").sum()).iter_rows())
    own = {agent: int(by.get(agent) or 0) for agent in mine}
    return {
        "calls": Fact(
            len(answered), min(len(answered), calls.height), max(0, calls.height - len(answered)), "derived" if calls.height else ""
        ),
        "tokens": Fact(spent, min(spent, tokens), max(0, tokens - spent), "declared" if tokens else ""),
        "models": _count((call["model_returned"] for call in answered), (alike.get(m, m) for m in models if m)),
        "spenders": Fact(
            sum(mine.values()), sum(min(own[a], mine[a]) for a in mine), sum(max(0, own[a] - mine[a]) for a in mine),
            _usual(calls.filter(pl.col("input_tokens") > 0)["actor_basis"]),
        ),
    }  # fmt: skip


def _usual(basis: Iterable[str]) -> str:
    said = Counter(text for text in basis if text)
    return said.most_common(1)[0][0] if said else ""


def _approvals(store: Store, real: dict[str, Any]) -> Fact:
    approved = [approval["tool"] for approval in real.get("approvals", []) if approval.get("decision") == "approved"]
    found = store.frame(
        "SELECT a.tool_name AS tool FROM approvals AS p INNER JOIN actions AS a ON a.span_id = p.action_span_id "
        "WHERE p.status = 'approved'"
    )
    return _count(approved, found["tool"], ["inferred"] * found.height)
