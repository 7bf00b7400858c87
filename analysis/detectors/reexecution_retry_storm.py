"""A tool fails everywhere, and everybody tries again.

**What it finds.** Within five minutes at least twenty calls of one tool fail in the same way, over all agents, and they are
few requests tried again and again: three tries and more for each (X5). A request is a call with its arguments in one trace.

**Why it matters.** Retries keep a service down that would come back by itself, and each costs a turn of a model.

**Evidence and basis.** The failures before the twentieth are shown, that one and what follows accuse. Derived from recorded errors.

**What it cannot know.** Calls without recorded arguments, and tries that a client makes below its span. Minutes are counted
by the clock: a storm across two of them is seen when one holds enough. Of more than 200 failures the earliest count.

**False positives.** A load test.

**Next step.** Back off with jitter, limit tries per request, open a circuit breaker for the tool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actorscope.analysis.detector import Detector, Frames
from actorscope.analysis.finding import Edit, Evidence, Signal

_SHOWN = 8


@dataclass(frozen=True)
class Config:
    """Thresholds of the retry storm."""

    failures: int = 20
    """Failures of one tool in the same way within five minutes."""
    tries: float = 3.0
    """Failed tries per request."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per tool, kind of error and five minutes."""
    key = ["tool_name", "error_type", "bucket"]
    failures = frames["failures"].unique(["trace_id", "span_id"]).sort("at", "trace_id", "span_id")
    signals = []
    for bucket in failures.partition_by(key, maintain_order=True):
        requests = bucket.select("trace_id", "signature").n_unique()
        if bucket.height >= config.failures and bucket.height >= config.tries * requests:
            signals.append(_signal(bucket.to_dicts(), requests, config))
    return signals


def _signal(failed: list[dict[str, Any]], requests: int, config: Config) -> Signal:
    tipped = failed[config.failures - 1]
    error, traces = tipped["error_type"] or "an error", len({f["trace_id"] for f in failed})
    earlier, later = failed[: config.failures - 1][-_SHOWN:], failed[config.failures - 1 :][:_SHOWN]
    return Signal(
        rule="X5",
        severity="high",
        confidence=0.9,
        title=f"{tipped['tool_name']} failed {len(failed)} times in five minutes with {error}, for {requests} requests",
        subject_id=tipped["tool_name"],
        subject_name=tipped["tool_name"],
        scope=("retry storm", tipped["error_type"] or ""),
        trace_id=tipped["trace_id"],
        span_id=tipped["span_id"],
        at=tipped["at"],
        evidence=(
            *(_evidence(f, "context: earlier failure") for f in earlier),
            *(_evidence(f, "failed try") for f in later),
        ),
        baseline={
            "level": "fleet",
            "expected": f"fewer than {config.failures} failures, or fewer than {config.tries:g} for each request",
            "observed": len(failed),
            "requests": requests,
            "traces": traces,
            "threshold": {"failures": config.failures, "tries": config.tries},
            "cause_class": "retry",
        },
        counterfactual=f"silent with {config.failures - 1} failures in these minutes: without {tipped['span_id']} and what followed",
        edits=tuple(Edit(f["trace_id"], f["span_id"]) for f in failed[config.failures - 1 :]),
        impact={"failed_calls": len(failed), "retries": len(failed) - requests},
        basis="derived",
        caveats=("only the earliest 200 failures are counted",) if len(failed) >= 200 else (),
    )


def _evidence(failed: dict[str, Any], role: str) -> Evidence:
    return Evidence(failed["trace_id"], failed["span_id"], role, f"{failed['actor_id'] or 'an agent'} got this error")


DETECTOR = Detector(
    id="reexecution_retry_storm",
    family="reexecution",
    title="Retry storm",
    version=1,
    needs={"failures": ("tool_name", "error_type", "bucket", "at", "trace_id", "span_id", "actor_id", "signature")},
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Back off with jitter, limit the tries per request, open a circuit breaker for the tool.",
)  # fmt: skip
