"""A delegation gave away more than its giver had, or does not fit the one it rests on.

**What it finds.** Delegations whose scope is not inside the scope above, that end later than the one above, that are deeper
than allowed, or whose chain of delegates is not the chain above with one more at its end (P2).

**Why it matters.** Authority may only shrink on its way down; where it grows, somebody made it up.

**Evidence and basis.** The wider delegation accuses, the one above is context. Declared where the delegation names the one
above, or both tell their chains; derived, and low, where only the place in the trace says what rests on what.

**What it cannot know.** Grants that the delegate has in its own right and not from its delegator.

**False positives.** Scopes above in another notation; patterns with `*` are understood. A delegation with a grant of its
own from another person (another root in its chain) is not held against the one above.

**Next step.** Find out who issued the wider grant, and let delegates exchange their token for a narrower one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import Edit, Evidence, Signal
from actorscope.analysis.moments import stamp


@dataclass(frozen=True)
class Config:
    """Thresholds of the widened delegation."""

    skew_seconds: float = 60.0
    """How much later than the delegation above one may end."""


@dataclass(frozen=True)
class _Fault:
    """One way in which a delegation does not fit."""

    what: str
    why: str
    change: str
    expected: Any
    observed: Any
    column: str
    value: Any
    """What `change` says, as a column of the delegation."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per delegation and way in which it does not fit."""
    grants = frames["grants"].filter("is_settled").unique(["trace_id", "span_id"])
    limits = pl.col("delegation_max_depth").is_not_null() | pl.col("under_max_depth").is_not_null()
    grants = grants.filter(pl.col("upper_span_id").is_not_null() | limits | _chained())
    return [_signal(grant, fault) for grant in rows(grants.sort("start_time", "span_id")) for fault in _faults(grant, config)]


def _short(who: str) -> str:
    """One party may be told as a name here and as an id there: what stands after the last slash or colon counts."""
    return re.split(r"[/:]", who.rstrip("/"))[-1].lower()


def _chained() -> pl.Expr:
    return (pl.col("delegation_chain").list.len() > 0).fill_null(False)


def _faults(grant: dict[str, Any], config: Config) -> Iterator[_Fault]:
    chain, upper = grant["delegation_chain"] or [], grant["upper_delegation_chain"] or []
    same_root = not chain or not upper or chain[0] == upper[0]
    if same_root:
        yield from _wider(grant, config)
        shared = list(zip(map(_short, chain), map(_short, upper), strict=False))
        if chain and upper and any(mine != above for mine, above in shared):
            expected = " > ".join([*upper, chain[-1]])
            yield _Fault(
                "broken chain", f"its chain {' > '.join(chain)} does not go on from {' > '.join(upper)}",
                f"silent if actorscope.delegation.chain had been {expected}", expected, " > ".join(chain),
                "delegation_chain", [*upper, chain[-1]],
            )  # fmt: skip
    yield from _deeper(grant, chain)
    giver = grant["delegator_id"]
    if giver and len(chain) > 1 and _short(giver) not in map(_short, chain):
        yield _Fault(
            "broken chain", f"the delegator {giver} is not in its chain {' > '.join(chain)}",
            f"silent if actorscope.delegation.chain had named {giver} before {chain[-1]}", giver, " > ".join(chain),
            "delegation_chain", [*chain[:-1], giver, chain[-1]],
        )  # fmt: skip


def _deeper(grant: dict[str, Any], chain: list[str]) -> Iterator[_Fault]:
    """Deeper than it or any delegation above allows; the chain tells the depth where nothing else does."""
    limits = (grant[f"{whose}_max_depth"] for whose in ("delegation", "upper_delegation", "under"))
    limit = min((d for d in limits if d is not None), default=None)
    is_told = grant["delegation_depth"] is not None
    depth = grant["delegation_depth"] if is_told else max(0, len(chain) - 1)
    if limit is not None and depth > limit:
        yield _Fault(
            "too deep", f"delegation {depth} levels deep, allowed are {limit}",
            f"silent if actorscope.delegation.{'depth' if is_told else 'chain'} had told of {limit} levels or less", limit, depth,
            *(("delegation_depth", limit) if is_told else ("delegation_chain", chain[: limit + 1])),
        )  # fmt: skip


def _wider(grant: dict[str, Any], config: Config) -> Iterator[_Fault]:
    granted, upper = grant["scope_granted"] or [], grant["upper_scope_granted"] or []
    beyond = grant["beyond_upper"]
    if beyond and _kinds(beyond) <= _kinds(upper):
        names = ", ".join(beyond)
        yield _Fault(
            "wider scope", f"grants {names}, which the delegation above does not hold",
            f"silent if actorscope.delegation.scope.granted had left out {names}", upper, granted,
            "scope_granted", [scope for scope in granted if scope not in beyond],
        )  # fmt: skip
    ends, upper_ends = grant["own_ends"], grant["upper_grant_ends"]
    if ends and upper_ends and ends > upper_ends + timedelta(seconds=config.skew_seconds):
        limit = stamp(upper_ends)
        yield _Fault(
            "longer grant", f"ends at {stamp(ends)}, after the delegation above",
            f"silent if actorscope.delegation.expires_at had been {limit} or earlier", limit, stamp(ends),
            "grant_expires_at", limit,
        )  # fmt: skip


def _kinds(scopes: list[str]) -> set[str]:
    """In which notation scopes are written: only `tool:` ones can be compared with each other, and only others with others."""
    return {"tool" if scope.startswith("tool:") else "other" for scope in scopes if scope != "*"}


def _signal(grant: dict[str, Any], fault: _Fault) -> Signal:
    above = (
        (Evidence(grant["upper_trace_id"], grant["upper_span_id"], "context: delegation above", "what it rests on"),)
        if grant["upper_span_id"]
        else ()
    )
    chains = grant["delegation_chain"] and grant["upper_delegation_chain"]
    is_linked = bool(grant["upper_is_named"] or chains or fault.what == "too deep" or not above)
    name = grant["actor_name"] or grant["delegate_name"] or "An agent"
    return Signal(
        rule="P2",
        severity="high" if is_linked and fault.what != "longer grant" else "low",
        confidence=0.9 if is_linked else 0.5,
        title=f"The delegation to {name} does not fit the one it rests on: {fault.what}",
        subject_id=grant["actor_id"] or "unknown",
        subject_name=grant["actor_name"] or "",
        scope=(fault.what,),
        trace_id=grant["trace_id"],
        span_id=grant["span_id"],
        at=grant["start_time"],
        evidence=(*above, Evidence(grant["trace_id"], grant["span_id"], fault.what, fault.why)),
        baseline={"level": "delegation above", "expected": fault.expected, "observed": fault.observed},
        counterfactual=fault.change,
        edits=(Edit(grant["trace_id"], grant["span_id"], fault.column, fault.value),),
        impact={"scope": grant["scope_granted"] or []},
        basis="declared" if is_linked else "derived",
        caveats=() if is_linked else ("only the place in the trace says on which delegation this one rests",),
    )


DETECTOR = Detector(
    id="authority_widened",
    family="authority",
    title="Delegation wider than the one above",
    version=1,
    needs={
        "grants": (
            "trace_id", "span_id", "actor_id", "actor_name", "delegate_name", "start_time", "is_settled", "scope_granted", "own_ends",
            "delegation_depth", "delegation_max_depth", "delegation_chain", "delegator_id", "upper_scope_granted", "beyond_upper",
            "upper_grant_ends", "upper_delegation_chain", "upper_delegation_max_depth", "upper_span_id", "upper_trace_id", "upper_is_named",
            "under_max_depth",
        )
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Find out who issued the wider grant, and let delegates exchange their token for a narrower one.",
)  # fmt: skip
