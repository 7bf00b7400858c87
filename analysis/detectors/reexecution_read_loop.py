"""The same read with the same result, again and again.

**What it finds.** A call that changes nothing, repeated within one run with equal arguments and an equal result while no write
happened in between (X2). A round of several such calls that is gone through over and over is one loop.

**Why it matters.** The agent learns nothing and pays for each turn. A frequent cause outside the agent is a guard that hides
results: the agent asks again because it never sees the answer.

**Evidence and basis.** The reads after the first accuse, up to the one that tipped it. The basis is derived from digests of
arguments and results.

**What it cannot know.** Calls whose result was not recorded, and changes that others made between two reads.

**False positives.** Waiting for something: tools that are named for it (`poll_words`) and reads at regular intervals of
`poll_seconds` or more are left alone. A read whose result changes starts anew, pages of a list differ in their arguments.

**Next step.** Look whether the result reaches the model; let the tool answer a repetition with a hint.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import WRITES, Detector, Frames
from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence, Signal, weakest
from actorscope.analysis.turns import by_run, repeated, without

Row = dict[str, Any]
_FIRSTS = 5
"""Reads of a round whose first time is shown."""


@dataclass(frozen=True)
class Config:
    """Thresholds of the read loop."""

    reads: int = 3
    """Equal reads with equal results from which it is told."""
    many_reads: int = 5
    """Equal reads from which it is medium."""
    poll_seconds: float = 30.0
    """Reads that are regularly at least so far apart wait for something."""
    poll_words: str = "poll wait sleep watch heartbeat"
    """Words in the names of tools that are meant to be called again."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run and stretch without a write in which something was read again and again."""
    actions = frames["actions"].filter("is_settled", pl.col("is_replayed").not_()).unique(["trace_id", "span_id"])
    is_write = pl.col("side_effect").is_in(WRITES).fill_null(False) & pl.col("is_error").not_()
    writes = is_write.cast(pl.Int32).cum_sum().over("trace_id", order_by=["start_time", "span_id"])
    reads = actions.with_columns(writes.alias("writes"), is_write.alias("is_write")).filter(
        pl.col("is_write").not_(), pl.col("is_error").not_(), _is_poll(config).not_(),
        pl.col("signature").is_not_null(), pl.col("result_digest").is_not_null(),
    )  # fmt: skip
    times = pl.len().over("trace_id", "run_span_id", "writes", "signature", "result_digest")
    often = reads.filter(times >= config.reads).select("trace_id", "run_span_id", "signature").unique()
    reads = reads.join(often, on=["trace_id", "run_span_id", "signature"], how="semi", nulls_equal=True)
    signals = []
    for run in by_run(reads):
        stretches: dict[int, list[list[Row]]] = {}
        for group in _equal(run):
            if len(group) >= config.reads and not _is_regular(group, config):
                stretches.setdefault(group[0]["writes"], []).append(group)
        signals += [_signal(groups, config) for groups in stretches.values()]
    return signals


def _is_poll(config: Config) -> pl.Expr:
    words = "|".join(re.escape(word) for word in config.poll_words.split())
    name = pl.col("tool_name").str.replace_all(r"([a-z])([A-Z])", "${1}_${2}").str.to_lowercase()
    return name.str.contains(rf"(?:^|[^a-z])(?:{words})(?:[^a-z]|$)") if words else pl.lit(False)


def _equal(run: list[Row]) -> list[list[Row]]:
    """The reads of a run by what they asked, cut where the answer changed or something was written."""
    groups: list[list[Row]] = []
    latest: dict[str, list[Row]] = {}
    for read in run:
        group = latest.get(read["signature"])
        if group is None or any(read[c] != group[-1][c] for c in ("result_digest", "writes")):
            group = latest[read["signature"]] = []
            groups.append(group)
        group.append(read)
    return groups


def _is_regular(group: list[Row], config: Config) -> bool:
    """The reads are far apart and about equally so: they wait for something."""
    starts = [read["start_time"].timestamp() for read in group]
    gaps = [after - before for before, after in zip(starts, starts[1:], strict=False)]
    return bool(min(gaps) >= config.poll_seconds and max(gaps) <= 2 * min(gaps))


def _signal(groups: list[list[Row]], config: Config) -> Signal:
    groups = sorted(groups, key=lambda g: (-len(g), g[0]["start_time"], g[0]["span_id"]))
    face, n = groups[0], len(groups[0])
    first = face[0]
    again = sorted((read for group in groups for read in group[1:]), key=lambda r: (r["start_time"], r["span_id"]))
    last, tip = again[-1], groups[0][(config.many_reads if n >= config.many_reads else config.reads) - 1]
    firsts = [Evidence(g[0]["trace_id"], g[0]["span_id"], "context: first read", g[0]["tool_name"]) for g in groups[:_FIRSTS]]
    wasted = last["spent_tokens"] - first["spent_tokens"]
    what = first["tool_name"] if len(groups) == 1 else f"{first['tool_name']} and {len(groups) - 1} more"
    surplus = tuple(Edit(read["trace_id"], read["span_id"]) for group in groups for read in group[config.reads - 1 :])
    return Signal(
        rule="X2",
        severity="medium" if n >= config.many_reads else "low",
        confidence=0.9,
        title=f"{first['actor_name'] or 'An agent'} read {what} {n} times with the same result",
        subject_id=first["actor_id"] or "unknown",
        subject_name=first["actor_name"] or "",
        scope=("read loop", first["signature"], first["cause_id"] or first["trace_id"]),
        trace_id=first["trace_id"],
        span_id=tip["span_id"],
        at=tip["start_time"],
        evidence=(
            *firsts,
            *repeated(first, again, tip, "read again", "same arguments, same result", EVIDENCE_LIMIT - len(firsts)),
        ),
        baseline={
            "level": "run",
            "expected": f"fewer than {config.reads} equal reads with equal results between two writes",
            "observed": n,
            "wasted_tokens": wasted,
            "threshold": {"reads": config.reads, "many_reads": config.many_reads},
            "cause_class": "self",
        },
        counterfactual=f"{without(surplus)}, or had their results differed",
        edits=surplus,
        impact={"wasted_calls": len(again), "wasted_tokens": wasted, "cost_usd": sum(r["cost_usd"] or 0.0 for r in again)},
        basis=weakest("derived", first["side_effect_basis"]),
        caveats=() if first["side_effect"] == "read" else ("the tool does not say that it only reads",),
    )


DETECTOR = Detector(
    id="reexecution_read_loop",
    family="reexecution",
    title="Read loop",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "run_span_id", "actor_id", "actor_name", "tool_name", "signature", "side_effect",
            "side_effect_basis", "is_error", "is_replayed", "result_digest", "turn", "turn_span_id", "answer_span_id", "spent_tokens",
            "cause_id", "cost_usd", "is_settled", "start_time",
        ),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Look whether the result reaches the model; let the tool answer a repetition with a hint.",
)  # fmt: skip
