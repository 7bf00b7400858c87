"""How well the six questions can be answered for each actor: what its spans say, on what basis, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from actorscope.analysis.answers.questions import QUESTIONS, Fact
from actorscope.analysis.detector import WRITES
from actorscope.analysis.paths import flag, nearest, parent_rows, take

STATES = ("declared", "derived", "inferred", "missing")
"""From the strongest to the weakest."""
WORTH = {"declared": 1.0, "derived": 0.8, "inferred": 0.5, "missing": 0.0}
"""What a span adds to the score of a fact."""
SPANS = {
    "steps": "spans that do something",
    "runs": "runs",
    "asked_runs": "runs that no schedule or event started",
    "actions": "actions",
    "writes": "actions that change something",
    "approvals": "approvals",
    "calls": "model calls",
    "errors": "errors",
    "delegations": "delegations",
}
"""Which spans a fact is asked of."""
RECOGNISED = pl.Schema(
    {"actor_id": pl.String(), "column": pl.String(), "dialect": pl.String(), "rule": pl.String(), "basis": pl.String(),
     "spans": pl.UInt32()}
)  # fmt: skip
_ANSWERED = ("approved", "rejected", "modified", "expired", "cancelled")
_MOST_NAMES = 20
_PLAIN = re.compile(r"[\w.-]{1,60}", re.ASCII)
Row = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule of a dialect that filled a column, and on how many spans."""

    column: str
    dialect: str
    rule: str
    basis: str
    spans: int


@dataclass(frozen=True)
class FactCoverage:
    """One fact of one actor. `state` is what most of the `spans` concerned say; empty when there is none."""

    id: str
    name: str
    of: str
    state: str
    share: float
    score: float | None
    spans: int
    bases: dict[str, int]
    how: str
    fix: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class QuestionCoverage:
    """One question of one actor; `needed` facts are those that its spans give reason to ask for."""

    id: str
    title: str
    score: float | None
    declared: int
    known: int
    needed: int
    facts: tuple[FactCoverage, ...]


@dataclass(frozen=True)
class ActorCoverage:
    """One actor. `score` is the mean of its questions."""

    actor_id: str
    actor_name: str
    kind: str
    services: tuple[str, ...]
    dialects: tuple[str, ...]
    spans: int
    runs: int
    model_calls: int
    actions: int
    score: float | None
    questions: tuple[QuestionCoverage, ...]
    recognised: tuple[Rule, ...]


@dataclass(frozen=True)
class Coverage:
    """All actors, those with the most spans first. `unknown_spans` speak no dialect that is known."""

    actors: tuple[ActorCoverage, ...] = ()
    traces: int = 0
    spans: int = 0
    unknown_spans: int = 0
    is_cut: bool = False
    worth: Mapping[str, float] = field(default_factory=lambda: dict(WORTH))

    def to_json(self) -> Row:
        """As the API answers it."""
        return asdict(self)


def coverage(
    steps: pl.DataFrame,
    edges: pl.DataFrame,
    recognised: pl.DataFrame | None = None,
    started: pl.DataFrame | None = None,
) -> Coverage:
    """The coverage of the actors in woven steps (`frames.touch`) and the delegations between them.

    `recognised` (RECOGNISED) says which rules filled the columns; without it a value counts as declared. `started` has
    the ids (trace_id, span_id) of spans of which a start was told.
    """
    steps = _prepared(steps, started)
    if steps.is_empty():
        return Coverage()
    rules = _Rules(recognised)
    counts = {fact: _counts(fact, steps, edges, rules) for question in QUESTIONS for fact in question.facts}
    others = _others(edges)
    actors = []
    for row in _actors(steps).iter_rows(named=True):
        names = {"agent": row["actor_name"], "other": others.get(row["actor_id"], row["actor_name"])}
        found = {
            fact: _fact(fact, counts[fact].get(row["actor_id"], {}), names, rules, row["actor_id"]) for fact in counts
        }
        actors.append(_actor(row, found, rules))
    unknown = steps["dialect"].null_count()
    return Coverage(tuple(actors), steps["trace_id"].n_unique(), steps.height, unknown)


def recognised(steps: pl.DataFrame, explained: pl.DataFrame) -> pl.DataFrame:
    """RECOGNISED from explained columns (trace_id, span_id, column, dialect, rule, basis) of the spans of woven steps."""
    actors = steps.select("trace_id", "span_id", pl.col("actor_id").fill_null("")).unique(["trace_id", "span_id"])
    found = explained.join(actors, on=["trace_id", "span_id"])
    found = found.group_by("actor_id", "column", "dialect", "rule", "basis", maintain_order=True).agg(
        pl.len().alias("spans")
    )
    return found.select(list(RECOGNISED)).cast(RECOGNISED)


def pick(answer: Row, actor: str = "", questions: tuple[str, ...] = ()) -> Row:
    """The same answer for one actor, by id or name, and for some questions."""
    actors = [a for a in answer["actors"] if actor in ("", a["actor_id"], a["actor_name"])]
    if questions:
        actors = [{**a, "questions": [q for q in a["questions"] if q["id"] in questions]} for a in actors]
    return {**answer, "actors": actors}


class _Rules:
    """Which rules filled a column for an actor, and so on what basis it stands."""

    def __init__(self, recognised: pl.DataFrame | None) -> None:
        self.is_known = recognised is not None
        self._by_actor: dict[str, list[Rule]] = {}
        self._basis: dict[tuple[str | None, str], dict[str, int]] = {}
        for row in (recognised if recognised is not None else RECOGNISED.to_frame()).iter_rows(named=True):
            actor = row.pop("actor_id")
            self._by_actor.setdefault(actor, []).append(Rule(**row))
            for key in ((actor, row["column"]), (None, row["column"])):
                tally = self._basis.setdefault(key, {})
                tally[row["basis"]] = tally.get(row["basis"], 0) + row["spans"]

    def of(self, actor: str, columns: tuple[str, ...] = ()) -> tuple[Rule, ...]:
        """The rules for an actor, those that filled the most spans first."""
        found = [rule for rule in self._by_actor.get(actor, []) if not columns or rule.column in columns]
        return tuple(sorted(found, key=lambda rule: (rule.column, -rule.spans, rule.rule)))

    def basis(self, actor: str, columns: tuple[str, ...]) -> str:
        """The basis of the first column that has one, with this actor or else (what is inherited) with another."""
        for whose in (actor, None):
            for column in columns:
                if tally := self._basis.get((whose, column)):
                    return max(tally, key=lambda basis: (tally[basis], STATES.index(basis)))
        return "derived" if self.is_known else "declared"


def _prepared(steps: pl.DataFrame, started: pl.DataFrame | None) -> pl.DataFrame:
    """Steps with what holds for a span because of others: its run, what stands above it, its approval, its start."""
    parent = parent_rows(steps)
    inside = pl.col("run_span_id").is_not_null()
    run = ["trace_id", "run_span_id"]
    steps = steps.with_columns(
        pl.col("actor_id").fill_null(""),
        *(
            take(steps[c], nearest(flag(pl.col(c).is_not_null(), steps), parent)).alias(c)
            for c in ("execution_id", "budget_limit")
        ),
        *(
            pl.coalesce(c, pl.when(inside).then(pl.col(c).drop_nulls().first().over(run))).alias(c)
            for c in ("agent_version", "principal_id")
        ),
        pl.coalesce("approver_type", "approver_id").alias("approver_type"),
    )
    approved = pl.col("approval_id").is_not_null()
    by_approval = pl.when(approved).then(pl.col("approver_type").drop_nulls().first().over("approval_id"))
    stated = pl.col("execution_id").is_not_null()
    # What follows from the trace alone has its basis from there, all else from the rule that read it.
    cost = pl.when(pl.col("cost_source") == "backend").then(pl.lit("derived"))
    steps = steps.with_columns(
        pl.coalesce("approver_type", by_approval).alias("approver_type"),
        pl.coalesce("approval_id", "approval_status", "authz_outcome").alias("approval_id"),
        approved.alias("is_approval"),
        pl.when(pl.col("cause_id") != "").then("cause_id").alias("cause_id"),
        pl.when(stated).then(pl.lit("declared")).otherwise("cause_basis").alias("cause_known"),
        cost.alias("cost_known"),
        pl.when(pl.col("approval_basis") == "inferred").then("approval_basis").alias("approval_known"),
        pl.coalesce("input_tokens", "output_tokens").alias("input_tokens"),
        pl.col("input_digest").alias("arguments"),
        pl.coalesce("credential_id", "credential_type").alias("credential_id"),
        pl.when(pl.col("side_effect") != "unknown").then("side_effect").alias("side_effect"),
        pl.when(pl.col("grant").list.len() > 0).then("grant").alias("grant"),
        pl.when(pl.col("scope_used").list.len() > 0).then("scope_used").alias("scope_used"),
        (pl.col("is_run").any().over("actor_id")).alias("has_runs"),
    )
    if started is None:
        return steps.with_columns(pl.lit(None, pl.Boolean).alias("is_announced"))
    told = started.select("trace_id", "span_id").unique().with_columns(pl.lit(True).alias("is_announced"))
    return steps.join(told, on=["trace_id", "span_id"], how="left", maintain_order="left")


def _concerned(of: str) -> pl.Expr:
    """The spans of which a fact is asked. Where no run is known, all that was done stands for it."""
    is_step = pl.col("role").is_in(["run", "action", "model_call", "wait", "handoff"])
    is_action = (pl.col("role") == "action") & pl.col("is_replayed").not_()
    runs = pl.when("has_runs").then("is_run").otherwise(is_step)
    return {
        "steps": is_step,
        "runs": runs,
        "asked_runs": runs & pl.col("trigger").is_in(["schedule", "event"]).fill_null(False).not_(),
        "actions": is_action,
        "writes": is_action & pl.col("side_effect").is_in(WRITES),
        "approvals": pl.col("is_approval")
        & ((pl.col("role") == "action") | pl.col("approval_status").is_in(_ANSWERED)),
        "calls": pl.col("is_counted"),
        "errors": is_step & pl.col("is_error"),
    }[of].fill_null(False)


def _counts(fact: Fact, steps: pl.DataFrame, edges: pl.DataFrame, rules: _Rules) -> dict[str, Row]:
    """Per actor how many spans say the fact on which basis, and the tool that most often says nothing."""
    if fact.of == "delegations":
        ends = [edges.select(pl.col(end).alias("actor_id"), "basis") for end in ("delegator_id", "delegate_id")]
        asked = pl.concat(ends).with_columns(pl.lit(None, pl.String).alias("tool_name"))
    else:
        asked = steps.filter(_concerned(fact.of)).with_columns(_state(fact, steps, rules))
    states = [(pl.col("basis") == state).sum().alias(state) for state in STATES]
    tool = pl.col("tool_name").filter(pl.col("basis") != "declared").drop_nulls().mode().sort().first().alias("tool")
    rows = asked.group_by("actor_id").agg(pl.len().alias("spans"), *states, tool)
    return {row["actor_id"]: row for row in rows.iter_rows(named=True) if row["actor_id"] is not None}


def _state(fact: Fact, steps: pl.DataFrame, rules: _Rules) -> pl.Expr:
    """How each span knows the fact."""
    columns = (fact.column, *fact.or_columns)
    actors = steps["actor_id"].unique().to_list()
    by_rule = pl.col("actor_id").replace_strict({a: rules.basis(a, columns) for a in actors}, return_dtype=pl.String)
    said = by_rule
    if fact.basis:
        own = pl.when(pl.col(fact.basis).is_in(STATES[:3])).then(fact.basis)
        said = own.fill_null(by_rule if fact.basis.endswith("_known") else "inferred")
    if fact.column == "is_announced":
        said = pl.lit("declared")
    known = pl.col("actor_id") != "" if fact.id == "agent" else pl.col(fact.column).is_not_null()
    return pl.when(known).then(said).otherwise(pl.lit("missing")).alias("basis")


def _others(edges: pl.DataFrame) -> dict[str, str]:
    """For each actor one to whom it hands work."""
    named = (
        edges.drop_nulls(["delegator_id", "delegate_name"])
        .sort("delegate_name")
        .unique("delegator_id", keep="first", maintain_order=True)
    )
    return dict(named.select("delegator_id", "delegate_name").iter_rows())


def _actors(steps: pl.DataFrame) -> pl.DataFrame:
    """One row per actor that did something, those with the most spans first."""
    names = (pl.col(c).drop_nulls().unique().sort().head(_MOST_NAMES) for c in ("service_name", "dialect"))
    return (
        steps.filter(_concerned("steps"))
        .group_by("actor_id")
        .agg(
            pl.col("actor_name").drop_nulls().last(),
            pl.col("actor_kind").drop_nulls().last(),
            *names,
            pl.len().alias("spans"),
            pl.col("is_run").sum().alias("runs"),
            _concerned("calls").sum().alias("model_calls"),
            _concerned("actions").sum().alias("actions"),
        )
        .sort("spans", "actor_id", descending=[True, False])
    )


def _actor(row: Row, found: Mapping[Fact, FactCoverage], rules: _Rules) -> ActorCoverage:
    questions = []
    for question in QUESTIONS:
        facts = tuple(found[fact] for fact in question.facts)
        needed = [fact for fact in facts if fact.score is not None]
        score = _mean([fact.score for fact in needed if fact.score is not None])
        declared, known = (sum(f.state in states for f in needed) for states in (STATES[:1], STATES[:3]))
        questions.append(QuestionCoverage(question.id, question.title, score, declared, known, len(needed), facts))
    return ActorCoverage(
        actor_id=row["actor_id"],
        actor_name=row["actor_name"] or row["actor_id"],
        kind=row["actor_kind"] or "",
        services=tuple(row["service_name"]),
        dialects=tuple(row["dialect"]),
        spans=row["spans"],
        runs=row["runs"],
        model_calls=row["model_calls"],
        actions=row["actions"],
        score=_mean([q.score for q in questions if q.score is not None]),
        questions=tuple(questions),
        recognised=rules.of(row["actor_id"]),
    )


def _fact(fact: Fact, counted: Row, names: Mapping[str, str | None], rules: _Rules, actor: str) -> FactCoverage:
    spans = counted.get("spans", 0)
    blank = FactCoverage(fact.id, fact.name, SPANS[fact.of], "", 0.0, None, 0, {}, "", "")
    if not spans:
        return blank
    bases = {state: counted[state] for state in STATES if counted[state]}
    state = max(bases, key=lambda each: (bases[each], STATES.index(each)))
    is_whole = bases.get("declared") == spans
    columns = tuple(filter(None, (fact.column, *fact.or_columns)))
    found = rules.of(actor, columns)
    return replace(
        blank,
        state=state,
        share=1 - bases.get("missing", 0) / spans,
        score=sum(WORTH[each] * count for each, count in bases.items()) / spans,
        spans=spans,
        bases=bases,
        how=fact.how if state in ("derived", "inferred") else "",
        fix="" if is_whole else _filled(fact.fix, {**names, "tool": counted["tool"]}),
        rules=found,
    )


def _filled(fix: str, names: Mapping[str, str | None]) -> str:
    """A fix with names of the agent; those that are more than a plain word could be code, and are left out."""
    plain = {"agent": "my-agent", "tool": "send_mail", "other": "other-agent"}
    for key, name in names.items():
        if name and _PLAIN.fullmatch(name):
            plain[key] = name
    for key, name in plain.items():
        fix = fix.replace(f"{{{key}}}", name)
    return fix


def _mean(scores: list[float]) -> float | None:
    return sum(scores) / len(scores) if scores else None
