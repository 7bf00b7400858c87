"""What actions act on, how familiar that is, and where it came from: the request, the output of a tool, or nobody knows."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from actorscope.analysis import baselines
from actorscope.analysis.detector import WRITES
from actorscope.ingest.mask import PREFIX
from actorscope.ingest.prints import MENTION, TARGET
from actorscope.ingest.store.client import Store
from actorscope.ingest.targets import STRONG, asks_for, instructing, targets

AIM = pl.List(pl.Struct({"target": pl.String, "target_kind": pl.String, "is_link": pl.Boolean, "is_held": pl.Boolean}))
ORIGIN = {"origin": pl.String, "source_span_id": pl.String, "instructing": pl.Int64}
LEARNING_RUNS = 16
"""Runs of a task kind in which what tools put forward may still become familiar; more than any detector waits for."""
INSTRUCTED = 4
"""From here on the words around a mention read like an instruction (see `targets.instructing`): never familiar by itself."""
_VALUES = {"request": 1.0, "unknown": 0.5, "tool": 0.0}
FIRST_TARGETS = baselines.Memory("first_targets", ("actor_id", "task_kind", "target"), 24, "earliest")
"""The value of a member says where the target came from (see `origin_of`)."""
_OPENING = r"(?i)(?:web|url|http|browse|visit|crawl|scrape|fetch|download|navigate|open_?link)"
_NAMED = re.compile(r'"([^"\\]{6,200})"(?!\s*:)')
"""A value in the arguments of a source long enough to tell it from others: a file, an address, a channel."""
_CHUNK = 500


class _Output(NamedTuple):
    """What a tool put out: when, its text in lower case, and what it was asked for."""

    span_id: str
    at: datetime
    text: str
    names: list[str]


def is_outward(targets: str) -> pl.Expr:
    """The action writes, has targets in this column (of a read these are links), or its tool's name says that it goes outside."""
    opens = pl.col("tool_name").str.contains(_OPENING)
    goes = pl.col("side_effect").is_in(WRITES) | (pl.col(targets).list.len() > 0) | opens
    return ((pl.col("role") == "action") & goes).fill_null(False)


def aims(arguments: pl.Expr) -> pl.Expr:
    """The targets in arguments, as AIM."""
    return arguments.map_elements(_aims, return_dtype=AIM, skip_nulls=True)


def _aims(text: str) -> list[dict[str, Any]]:
    return [{"target": t.name, "target_kind": t.kind, "is_link": t.is_link, "is_held": t.is_held} for t in targets(text)]


def _printed(values: pl.Series) -> list[dict[str, Any]]:
    """What `ingest/prints.py` wrote where arguments are not kept."""
    found = (TARGET.fullmatch(value) for value in values)
    return [{"target": m["print"], "target_kind": m["kind"], "is_link": m["link"] is not None, "is_held": None} for m in found if m]


def aim(steps: pl.DataFrame) -> pl.DataFrame:
    """`aims` of actions that write or follow links, also where the arguments stand in the model's answer only; `reach` is
    what any action names, as far as it was read;
    `is_outward` says that an action writes or follows links (by the tool's name where there are no arguments), `is_open`
    that its request and arguments are on record.
    """
    is_write = pl.col("side_effect").is_in(WRITES)
    printed = pl.when(pl.col("target_prints").list.len() > 0).then(
        pl.col("target_prints").map_elements(_printed, return_dtype=AIM, skip_nulls=True)
    )
    known = pl.coalesce(printed, pl.when(pl.col("aims").list.len() > 0).then("aims"))
    said = aims(pl.when(known.is_null(), pl.col("role") == "action").then("asked_arguments"))
    found = pl.coalesce(known, said)
    links = found.list.filter(pl.element().struct.field("is_link"))
    return steps.with_columns(
        pl.when(pl.col("role") == "action").then(found).alias("reach"),
        pl.when(pl.col("role") == "action")
        .then(pl.when(is_write).then(found).otherwise(pl.when(links.list.len() > 0).then(links)))
        .alias("aims"),
    ).with_columns(
        is_outward("aims").alias("is_outward"),
        (pl.col("has_object") & pl.col("cause_request").str.starts_with(PREFIX).not_())
        .fill_null(False)
        .alias("is_open"),
    )


def uses(actions: pl.DataFrame) -> pl.DataFrame:
    """One row per settled action and target of a known actor."""
    rows = actions.filter("is_settled", pl.col("actor_id").is_not_null(), pl.col("aims").list.len() > 0)
    rows = rows.unique(["trace_id", "span_id"], maintain_order=True).sort("start_time", "span_id").drop("target")
    if rows.is_empty():
        return rows.drop("aims").with_columns(
            pl.lit(None, pl.String).alias("target"), pl.lit(None, pl.String).alias("target_kind"),
            *(pl.lit(None, pl.Boolean).alias(name) for name in ("is_link", "is_held", "is_strong")),
        )  # fmt: skip
    rows = rows.explode("aims").unnest("aims")
    return rows.with_columns(pl.col("target_kind").is_in(STRONG).alias("is_strong"))


def trace(store: Store, used: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """`used` with its `origin` (request, tool, unknown), the output it was first put forward in and how that reads.

    `steps` are those of the same traces: where content is not kept, they carry fingerprints of what it names.
    Outputs are read only for what was neither asked for nor asked for in an earlier run: for the rest `origin` is null.
    """
    if used.is_empty():
        return used.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in ORIGIN.items())
    asked = [
        asks_for(*row)
        for row in used.select(pl.col("cause_request").fill_null(""), "target", "target_kind").iter_rows()
    ]
    mentioned = _mentioned(steps)
    named = mentioned.filter(pl.col("role") != "action").select("trace_id", "target", is_named=pl.lit(True)).unique()
    used = used.with_columns(pl.Series("is_asked", asked, pl.Boolean))
    used = used.join(named, on=["trace_id", "target"], how="left", maintain_order="left")
    used = used.with_columns(pl.col("is_asked") | pl.col("is_named").fill_null(False)).drop("is_named")
    familiar = _familiar(store, used)
    open_ = used.filter(pl.col("is_asked").not_()).join(familiar, on=["trace_id", "span_id", "target"], how="anti")
    outputs = _outputs(store, open_)
    said = _said(mentioned)
    rows = open_.select("trace_id", "span_id", "start_time", "target", pl.col("cause_request").fill_null("")).iter_rows()
    found = [(t, s, x, *_source(outputs.get(t, []), said.get((t, x), []), s, at, x, asked)) for t, s, at, x, asked in rows]
    names = ["trace_id", "span_id", "target"]
    schema = {**dict.fromkeys(names, pl.String), **ORIGIN}
    used = used.join(pl.DataFrame(found, schema=schema, orient="row"), on=names, how="left", maintain_order="left")
    return used.with_columns(pl.when("is_asked").then(pl.lit("request")).otherwise("origin").alias("origin"))


def _familiar(store: Store, used: pl.DataFrame) -> pl.DataFrame:
    """The uses of what people asked for in other, earlier runs."""
    known = baselines.recall(store, FIRST_TARGETS, used).filter(origin_of() == "request")
    key = list(FIRST_TARGETS.key)
    own = used.with_columns(pl.col("task_kind").fill_null("")).select(*key, "trace_id", "span_id", "start_time")
    earlier = own.join(known, on=key, suffix="_known")
    return earlier.filter(pl.col("at") < pl.col("start_time"), pl.col("trace_id") != pl.col("trace_id_known"))


def _outputs(store: Store, used: pl.DataFrame) -> dict[str, list[_Output]]:
    """By trace what was put out in it, in order of time."""
    found: dict[str, list[_Output]] = {}
    names = used["trace_id"].unique().sort()
    for start in range(0, names.len(), _CHUNK):
        part = names.slice(start, _CHUNK)
        times = used.filter(pl.col("trace_id").is_in(part.implode()))["start_time"]
        bounds = {"from": times.min() - timedelta(days=1), "to": times.max()}  # type: ignore[operator]
        for trace_id, span_id, at, text, arguments in store.named("outputs", traces=part.to_list(), **bounds).iter_rows():
            found.setdefault(trace_id, []).append(_Output(span_id, at, text.lower(), _NAMED.findall(arguments.lower())))
    return found


def _mentioned(steps: pl.DataFrame) -> pl.DataFrame:
    """One row per fingerprint that the content of an action or a run named."""
    told = steps.filter(pl.col("mention_prints").list.len() > 0, pl.col("role").is_in(["action", "run"]))
    told = told.select("trace_id", "span_id", "start_time", "role", pl.col("mention_prints").alias("mention"))
    told = told.explode("mention") if told.height else told.with_columns(pl.lit("").alias("mention"))
    parts = pl.col("mention").str.extract_groups(MENTION)
    told = told.with_columns(parts.struct.field("print").alias("target"), parts.struct.field("words").cast(pl.Int64))
    return told.drop("mention").drop_nulls("target")


def _said(mentioned: pl.DataFrame) -> dict[tuple[str, str], list[tuple[str, Any, int]]]:
    found: dict[tuple[str, str], list[tuple[str, Any, int]]] = {}
    rows = mentioned.filter(pl.col("role") == "action").select("trace_id", "target", "span_id", "start_time", "words")
    for trace_id, target, span_id, at, words in rows.sort("start_time", "span_id").iter_rows():
        found.setdefault((trace_id, target), []).append((span_id, at, words))
    return found


def _source(
    outputs: list[_Output], said: list[tuple[str, Any, int]], span_id: str, at: Any, target: str, request: str
) -> tuple[str, str | None, int]:
    """Origin, the span whose output puts the target forward most insistently, and how that reads.

    Who asks for "the bill in december.txt" to be paid wants that file followed to a degree: it has to say more than another
    source before it reads like an instruction of its own.
    """
    best: tuple[int, str] | None = None
    low = request.lower()
    for output in outputs:
        words = instructing(output.text, target) if output.at < at and output.span_id != span_id else None
        if words is not None:
            is_pointed_at = any(name in low for name in output.names)
            best = max(best or (-1, ""), (max(0, words - is_pointed_at), output.span_id), key=lambda x: x[0])
    for source, time, words in said:
        if time < at and source != span_id:
            best = max(best or (-1, ""), (words, source), key=lambda x: x[0])
    return ("tool", best[1], best[0]) if best else ("unknown", None, 0)


def members(traced: pl.DataFrame, first_runs: pl.DataFrame) -> pl.DataFrame:
    """What becomes part of FIRST_TARGETS: asked for, of unknown origin, or found by a tool while the kind is young.

    What instructions in the output of a tool put forward does not: a baseline must not learn from attacks.
    """
    key = ["actor_id", "task_kind"]
    early = first_runs.unique([*key, "trace_id"]).sort("at", "trace_id")
    early = early.filter(pl.int_range(pl.len()).over(key) < LEARNING_RUNS).select(
        *key, "trace_id", is_early=pl.lit(True)
    )
    rows = traced.with_columns(pl.col("task_kind").fill_null("")).join(early, on=[*key, "trace_id"], how="left")
    is_plain = (pl.col("origin") == "tool") & (pl.col("instructing") < INSTRUCTED) & pl.col("is_early").fill_null(False)
    value = pl.when((pl.col("origin") != "tool") | is_plain).then(
        pl.col("origin").replace_strict(_VALUES, return_dtype=pl.Float64)
    )
    return rows.with_columns(value.alias("value"), pl.col("start_time").alias("at")).drop_nulls("value")


def origin_of() -> pl.Expr:
    """The origin that the value of a member stands for."""
    return pl.col("value").replace_strict({v: k for k, v in _VALUES.items()}, return_dtype=pl.String)


def memories(facts: pl.DataFrame) -> pl.DataFrame:
    """The members that facts of the store once made."""
    rows = facts.filter(pl.col("targets").list.len() > 0, pl.col("actor_id").is_not_null())
    rows = (
        rows.explode("targets", empty_as_null=False)
        if rows.height
        else rows.with_columns(pl.lit(None, pl.String).alias("targets"))
    )
    return rows.rename({"targets": "target"}).with_columns(at=pl.col("start_time"), value=pl.lit(0.0))
