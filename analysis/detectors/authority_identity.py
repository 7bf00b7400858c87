"""A credential or a running agent was where it cannot be: with somebody else, or in two places at once.

**What it finds.** Actions with a credential that another agent holds: *borrowed* where the other one is established as its
holder, *shared* where several are (P4). One running instance of an agent on two hosts at the same time. Keys that never
end, as information.

**Why it matters.** What is done with a borrowed credential is put down to somebody else, and a stolen one looks the same.

**Evidence and basis.** The action accuses; an early use by the holder is context. The holder is derived: the actor with
most runs (three are enough) on the same and the previous day, of equals the earliest.

**What it cannot know.** Whose a credential is by its issuer's books, and tokens that differ on each request.

**False positives.** Several agents of one program behind one key: one low finding for each agent if it is a key
(`api_key`). An agent that works for the holder, in its trace or by its chain of delegation, is silent.

**Next step.** Revoke the credential if nobody lent it; give each agent one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis.authority import DONE, KNOWN
from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal, effect

_PLACE = ["trace_id", "span_id"]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Config:
    """Thresholds of the impossible identity."""

    established_runs: int = 3
    """Runs with a credential on two days from which an actor is an established holder (at most 4)."""
    long_days: float = 90.0
    """Age or term from which a credential is long-lived."""
    skew_seconds: float = 60.0
    """Time that two runs of one instance must share before they are in two places at once."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per action with another's credential or an old key, and per run that is elsewhere too."""
    actions = frames["actions"].unique(_PLACE)
    used = actions.filter("is_settled", DONE, KNOWN.fill_null(False), pl.col("credential_id").is_not_null())
    found = _held_by_others(used, frames["custody"], config)
    signals = [_lent(row) for row in rows(found.sort("start_time", "span_id"))]
    signals += [_long(row, config) for row in rows(_long_lived(used, config))]
    return signals + [_split(row) for row in rows(_elsewhere(frames["runs"], frames["whereabouts"], config))]


def _held_by_others(used: pl.DataFrame, custody: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Uses of a credential whose holder on the same and the previous day is another actor (`holder_*`)."""
    held = custody.filter(pl.col("kind") == "credential").unique(["id", "actor_id", "trace_id"])
    several = held.filter(pl.col("actor_id").n_unique().over("id") > 1)
    held = several.select(
        pl.col("id").alias("credential_id"), pl.col("start_time").alias("held_at"),
        *(pl.col(c).alias(f"holder_{c}") for c in ("actor_id", "actor_name", "trace_id", "span_id")),
    )  # fmt: skip
    pairs = used.join(held, on="credential_id").filter(
        (pl.col("start_time").dt.truncate("1d") - pl.col("held_at").dt.truncate("1d")).is_between(timedelta(0), _DAY)
    )
    pairs = pairs.sort("held_at", "holder_trace_id", "holder_span_id")
    holders = pairs.group_by([*_PLACE, "holder_actor_id"], maintain_order=True).agg(
        pl.len().clip(upper_bound=config.established_runs).alias("runs"),
        pl.col("held_at", "holder_actor_name", "holder_trace_id", "holder_span_id").first(),
        (pl.col("holder_trace_id") == pl.col("trace_id")).any().alias("is_beside"),
    )  # fmt: skip
    own = holders.join(
        used.select(*_PLACE, pl.col("actor_id").alias("holder_actor_id")), on=[*_PLACE, "holder_actor_id"]
    ).select(*_PLACE, pl.col("runs").alias("own_runs"))
    best = holders.sort("runs", "held_at", "holder_actor_id", descending=[True, False, False])
    best = best.unique(_PLACE, keep="first", maintain_order=True)
    found = used.join(best, on=_PLACE).join(own, on=_PLACE, how="left")
    found = found.with_columns(
        pl.col("own_runs").fill_null(0), (pl.col("runs") >= config.established_runs).alias("is_established")
    )
    return found.filter(_is_somebody_else()).with_columns(
        (pl.col("is_established") & (pl.col("own_runs") < config.established_runs)).alias("is_borrowed")
    )


def _is_somebody_else() -> pl.Expr:
    """Another actor by id and by name, for which this one does not work."""
    holder, name = pl.col("holder_actor_id"), pl.col("holder_actor_name").fill_null("")
    same = (holder == pl.col("actor_id")) | ((name == pl.col("actor_name").fill_null("")) & (name != ""))
    chain = pl.col("under_chain").list.contains(holder)
    lent = (holder == pl.col("caller_id")) | (holder == pl.col("delegator_id")) | chain
    return same.not_() & lent.fill_null(False).not_() & pl.col("is_beside").not_()


def _lent(row: dict[str, Any]) -> Signal:
    holder = row["holder_actor_name"] or row["holder_actor_id"]
    is_key = row["credential_type"] == "api_key"
    borrowed = row["is_borrowed"] and not is_key
    return Signal(
        rule="P4",
        severity="low" if is_key else "high" if borrowed else "medium",
        confidence=0.9 if borrowed else 0.7,
        title=f"{row['actor_name'] or row['actor_id']} used "
        + (f"the credential of {holder}" if borrowed else f"a credential that {holder} uses too"),
        subject_id=row["actor_id"],
        subject_name=row["actor_name"] or "",
        scope=("credential", row["credential_id"]),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        at=row["start_time"],
        evidence=(
            Evidence(row["holder_trace_id"], row["holder_span_id"], "context: holder", f"{holder} used the credential"),
            Evidence(
                row["trace_id"], row["span_id"], "borrowed credential" if borrowed else "shared credential",
                f"{row['actor_name'] or row['actor_id']} used credential {row['credential_id']}",
            ),
        ),
        baseline={
            "level": "credential", "n": row["runs"], "expected": row["holder_actor_id"], "observed": row["actor_id"],
            "runs_of_holder": row["runs"], "own_runs": row["own_runs"], "window": "the same and the previous day",
        },
        counterfactual="silent if actorscope.credential.id of the action had been a credential of its own, "
        f"or {row['holder_actor_id']} stood in actorscope.delegation.chain of its run",
        edits=(Edit(row["trace_id"], row["span_id"], "credential_id", f"credential of {row['actor_id']}"),),
        impact=effect(row),
        basis="derived",
        caveats=() if row["is_established"] else ("neither of the two is established as its holder",),
    )  # fmt: skip


def _long_lived(used: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Uses of credentials that are old, or made to last long; the first of each actor and credential."""
    limit = timedelta(days=config.long_days)
    age = pl.col("start_time") - pl.col("credential_begins")
    term = pl.col("credential_ends") - pl.coalesce("credential_begins", "start_time")
    is_key = (pl.col("credential_type") == "api_key") & pl.col("credential_ends").is_null()
    old = used.with_columns(age.alias("age"), ((age > limit) | (term > limit)).fill_null(False).alias("is_old"))
    old = old.filter(pl.col("is_old") | is_key.fill_null(False)).sort("start_time", "span_id")
    return old.unique(["trace_id", "actor_id", "credential_id"], keep="first", maintain_order=True)


def _long(row: dict[str, Any], config: Config) -> Signal:
    return Signal(
        rule="P4",
        severity="low" if row["is_old"] else "info",
        confidence=0.9,
        title=f"{row['actor_name'] or row['actor_id']} uses a credential that lives long",
        subject_id=row["actor_id"],
        subject_name=row["actor_name"] or "",
        scope=("long-lived", row["credential_id"]),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        at=row["start_time"],
        evidence=(Evidence(row["trace_id"], row["span_id"], "long-lived credential", f"used {row['credential_id']}"),),
        baseline={
            "level": "credential", "threshold": f"{config.long_days:g} days", "observed": row["credential_issued_at"] or "no end",
        },
        counterfactual=f"silent if the credential had been new and had an end within {config.long_days:g} days of its issue",
        edits=(
            Edit(row["trace_id"], row["span_id"], "credential_issued_at", row["start_time"].isoformat()),
            Edit(
                row["trace_id"],
                row["span_id"],
                "credential_expires_at",
                (row["start_time"] + timedelta(days=config.long_days)).isoformat(),
            ),
        ),
        impact={"target": row["target"] or ""},
        basis="declared",
    )  # fmt: skip


def _elsewhere(runs: pl.DataFrame, whereabouts: pl.DataFrame, config: Config) -> pl.DataFrame:
    """Runs that share their instance and their time with a run on another host (`other_*`)."""
    placed = runs.unique(_PLACE).filter(pl.col("agent_instance_id").is_not_null(), pl.col("host_name").is_not_null())
    other = whereabouts.rename({"at": "start_time"}).select(
        "agent_instance_id", pl.col("host_name", *_PLACE, "start_time", "end_time").name.prefix("other_")
    )
    shared = pl.min_horizontal("end_time", "other_end_time") - pl.max_horizontal("start_time", "other_start_time")
    pairs = placed.join(other, on="agent_instance_id").filter(
        pl.col("host_name") != pl.col("other_host_name"), shared > timedelta(seconds=config.skew_seconds)
    )
    is_later = (pl.col("start_time") > pl.col("other_start_time")) | (
        (pl.col("start_time") == pl.col("other_start_time")) & (pl.col("span_id") > pl.col("other_span_id"))
    )
    pairs = pairs.filter(is_later).sort("start_time", "span_id", "other_start_time", "other_span_id")
    return pairs.unique(_PLACE, keep="first", maintain_order=True)


def _split(row: dict[str, Any]) -> Signal:
    instance, hosts = row["agent_instance_id"], (row["other_host_name"], row["host_name"])
    return Signal(
        rule="P4",
        severity="high",
        confidence=0.85,
        title=f"{row['actor_name'] or instance} ran on {hosts[0]} and {hosts[1]} at the same time",
        subject_id=row["actor_id"] or "unknown",
        subject_name=row["actor_name"] or "",
        scope=("two places", instance),
        trace_id=row["trace_id"],
        span_id=row["span_id"],
        at=row["start_time"],
        evidence=(
            Evidence(row["other_trace_id"], row["other_span_id"], "context: first place", f"runs on {hosts[0]}"),
            Evidence(row["trace_id"], row["span_id"], "second place", f"instance {instance} runs on {hosts[1]} meanwhile"),
        ),
        baseline={"level": "instance", "expected": hosts[0], "observed": hosts[1]},
        counterfactual=f"silent if host.name had been {hosts[0]}, or actorscope.agent.instance.id another one",
        edits=(Edit(row["trace_id"], row["span_id"], "host_name", hosts[0]),),
        impact={},
        basis="declared",
    )


DETECTOR = Detector(
    id="authority_identity",
    family="authority",
    title="Borrowed, shared or doubled identity",
    version=1,
    needs={
        "actions": (
            "trace_id", "span_id", "actor_id", "actor_name", "actor_basis", "actor_kind", "caller_id", "delegator_id", "under_chain",
            "start_time", "is_settled", "is_error", "is_replayed", "state", "credential_id", "credential_type",
            "credential_issued_at", "credential_begins", "credential_ends", "side_effect", "target", "cost_usd",
        ),
        "runs": (
            "trace_id", "span_id", "actor_id", "actor_name", "agent_instance_id", "host_name", "start_time", "end_time",
        ),
        "whereabouts": ("agent_instance_id", "host_name", "trace_id", "span_id", "at", "end_time"),
        "custody": ("kind", "id", "actor_id", "actor_name", "trace_id", "span_id", "start_time"),
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Revoke the credential if nobody lent it; give each agent one of its own.",
)  # fmt: skip
