"""An agent acted on somebody or something new that nobody asked for and that the output of a tool had put forward.

**What it finds.** A write, or a link that is opened, whose target (an address, an account, a site) the request does not
name, earlier runs of the kind did not use, and an earlier tool output in the same trace contains. Where no output does (P7) it is low,
and `new_tool_severity` when the tool is new for the kind as well. In the first runs of
a kind, when nothing is familiar yet, only where the words around the target in that output read like an instruction.

**Why it matters.** This is what a followed prompt injection looks like: text that a tool returned decides where money,
mail or data goes.

**Evidence and basis.** The action; the output in which the target stood, as context. Derived from arguments, request and
outputs; inferred where the effect of the tool is.

**What it cannot know.** Targets that are composed or encoded, an attack on a target that the task uses anyway, and
outputs that telemetry does not carry.

**False positives.** A task that is meant to act on what it finds, for targets that change from run to run.

**Next step.** Read the output named as context: if it tells the agent what to do, stop the agent and treat what it wrote as
done by a stranger; if the target is fine, name it in the request or ask for it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, weakest
from actorscope.analysis.novelty import new_uses

_KEY = ["actor_id", "task_kind"]
_USE = ["trace_id", "span_id", "target"]


@dataclass(frozen=True)
class Config:
    """Thresholds of the untrusted target."""

    min_runs: int = 6
    """Earlier runs of the kind from which on an unfamiliar target is told (at most 16)."""
    instructed: int = 4
    """Kinds of instructing words around the target (of 5) from which an output tells the agent what to do."""
    unknown_runs: int = 3
    """Separate runs with a target of unknown origin after which it is familiar."""
    new_tool_severity: str = "low"
    """Severity of a target of unknown origin when the tool is new for the kind as well (`medium` found nothing but benign runs)."""
    tool_runs: int = 8
    """Earlier runs of the kind without a tool from which on the tool is new (at most 16)."""
    learn_after: int = 3
    """Separate runs with the tool after which it counts as normal."""
    broad_after: int = 2
    """Tools learned after the first runs from which a kind counts as broad: a new tool then says nothing."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per action, for the target that is told most insistently."""
    used = frames["targets"].unique(_USE).with_columns(pl.col("task_kind").fill_null(""))
    used = used.filter(pl.col("origin").is_in(["tool", "unknown"]), "is_strong")
    used = _familiarity(used, frames, config).filter(pl.col("is_familiar").not_())
    is_new = pl.col("origin") == "unknown"
    told = pl.when(pl.col("runs_before") >= config.min_runs).then(pl.lit(True)).otherwise(
        pl.col("instructing") >= config.instructed
    )  # fmt: skip
    used = used.filter(told, is_new.not_() | pl.col("side_effect").is_in(WRITES))
    worst = used.sort("instructing", "target", descending=[True, False]).unique(["trace_id", "span_id"], keep="first")
    worst = _with_new_tools(worst, frames, config)
    return [_signal(use, config) for use in rows(worst.sort("start_time", "span_id"))]


def _familiarity(used: pl.DataFrame, frames: Frames, config: Config) -> pl.DataFrame:
    """`runs_before` of the kind, and whether earlier runs made the target familiar."""
    runs = frames["first_runs"].unique([*_KEY, "trace_id"]).sort("at", "trace_id")
    runs = runs.select(*_KEY, "trace_id", "at", rank=pl.int_range(pl.len()).over(_KEY))
    before = used.select(*_USE, *_KEY, "start_time").join(runs, on=_KEY, suffix="_run")
    before = before.filter(pl.col("at") < pl.col("start_time"), pl.col("trace_id_run") != pl.col("trace_id"))
    counts = before.group_by(_USE).agg(pl.len().cast(pl.Int64).alias("runs_before"))
    known = frames["first_targets"].unique([*_KEY, "target", "trace_id"])
    known = known.join(runs.drop("at"), on=[*_KEY, "trace_id"], how="left")
    pairs = used.select(*_USE, *_KEY, "start_time").join(known, on=[*_KEY, "target"], suffix="_known")
    pairs = pairs.filter(pl.col("at") < pl.col("start_time"), pl.col("trace_id_known") != pl.col("trace_id"))
    young = (pl.col("origin") == "tool") & (pl.col("rank") < config.min_runs)
    seen = pairs.group_by(_USE).agg(
        ((pl.col("origin") == "request").any() | young.any()
        | ((pl.col("origin") == "unknown").sum() >= config.unknown_runs)).alias("is_familiar"),
    )  # fmt: skip
    used = used.join(counts, on=_USE, how="left").join(seen, on=_USE, how="left")
    return used.with_columns(pl.col("runs_before").fill_null(0), pl.col("is_familiar").fill_null(False))


def _with_new_tools(used: pl.DataFrame, frames: Frames, config: Config) -> pl.DataFrame:
    """`is_new_tool`: the kind did without the tool before, and is not one that takes up tools all the time."""
    named = used.filter(pl.col("tool_name").is_not_null())
    new = new_uses(named, frames, config.tool_runs, config.learn_after)
    new = new.filter(pl.col("nth") == 1, pl.col("learned_late") < config.broad_after)
    new = new.select("trace_id", *_KEY, "tool_name", pl.lit(True).alias("is_new_tool"))
    used = used.join(new, on=["trace_id", *_KEY, "tool_name"], how="left")
    return used.with_columns(pl.col("is_new_tool").fill_null(False))


def _severity(use: dict[str, Any], config: Config) -> str:
    is_write = use["side_effect"] in WRITES
    if use["origin"] == "unknown":
        return config.new_tool_severity if use["is_new_tool"] else "low"
    return "high" if is_write and use["instructing"] >= config.instructed else "medium"


def _signal(use: dict[str, Any], config: Config) -> Signal:
    is_found, words = use["origin"] == "tool", use["instructing"]
    is_told = is_found and words >= config.instructed
    kind, actor = use["task_kind"] or "any work", use["actor_name"] or "An agent"
    where = (
        f"put forward by the output of a tool{' that reads like an instruction' if is_told else ''}"
        if is_found
        else f"of unknown origin{', with a tool that is new for it too' if use['is_new_tool'] else ''}"
    )
    source = (
        Evidence(
            use["trace_id"], use["source_span_id"], "context: origin of the target",
            f"its output names {use['target']}; the words around it instruct {words} of 5",
        ),
    ) if is_found else ()  # fmt: skip
    severity = _severity(use, config)
    return Signal(
        rule="P6" if is_found else "P7",
        severity=severity,
        confidence=0.95 if is_told else 0.7 if is_found else 0.5 if use["is_new_tool"] else 0.4,
        title=f"{actor} used {use['tool_name']} on {use['target']}: new for {kind}, not asked for, {where}",
        subject_id=use["actor_id"],
        subject_name=use["actor_name"] or "",
        scope=(use["task_kind"], use["target"]),
        trace_id=use["trace_id"],
        span_id=use["span_id"],
        at=use["start_time"],
        evidence=(
            *source,
            Evidence(
                use["trace_id"], use["span_id"], "action on the new target", f"{use['tool_name']} on {use['target']}"
            ),
        ),
        baseline={
            "level": "actor and task kind" if use["task_kind"] else "actor",
            "runs": use["runs_before"],
            "observed": use["target"],
            "expected": "a target of earlier runs, or one that the request names",
            "instructing": words,
            "parameters": vars(config),
        },
        counterfactual=f"silent if the request had named {use['target']}"
        + (f", or if the output of span {use['source_span_id']} had not" if is_found else ""),
        edits=(Edit(use["trace_id"], use["source_span_id"] if is_found else use["span_id"]),),
        impact={"side_effect": use["side_effect"] or "", "target": use["target"], "cost_usd": use["cost_usd"]},
        basis=weakest("derived" if use["side_effect_basis"] == "declared" else use["side_effect_basis"], "derived"),
        caveats=(
            *(() if use["task_kind"] else ("no task kind is declared: compared with everything the agent did",)),
            *(
                (f"only {use['runs_before']} earlier runs of the kind are known",)
                if use["runs_before"] < config.min_runs
                else ()
            ),
            *(() if use["cause_request"] else ("no request is recorded: it may have been asked for",)),
        ),
    )


DETECTOR = Detector(
    id="authority_untrusted_target",
    family="authority",
    title="New target of untrusted origin",
    version=1,
    needs={
        "targets": (
            "trace_id", "span_id", "start_time", "actor_id", "actor_name", "task_kind", "tool_name", "side_effect", "side_effect_basis",
            "target", "is_strong", "is_link", "origin", "source_span_id", "instructing", "cause_request", "cost_usd",
            "is_open", "is_error",
        ),
        "first_runs": ("actor_id", "task_kind", "trace_id", "at"),
        "first_targets": ("actor_id", "task_kind", "target", "trace_id", "at", "origin"),
        "first_uses": ("actor_id", "task_kind", "tool_name", "trace_id", "at"),
        "nth_uses": ("actor_id", "task_kind", "tool_name", "nth", "trace_id", "at"),
        "learned_tools": ("actor_id", "task_kind", "tool_name", "at"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Read the output that put the target forward; if it instructs the agent, treat the action as a stranger's.",
    quiet_hours=24.0 * 30,
)  # fmt: skip
