"""What `detector new` writes: a package whose detector works at once and is made to be changed."""

from __future__ import annotations

_PROJECT = """[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "actorscope-DASHED"
version = "0.1.0"
description = "A detector for Actorscope: one tool called too often in one run."
requires-python = ">=3.11"
dependencies = ["actorscope[server]"]

[project.entry-points."actorscope.detectors"]
NAME = "NAME:DETECTOR"

[tool.setuptools.packages.find]
where = ["src"]
"""

_DETECTOR = '''"""An agent called one tool too often in one run.

**What it finds.** More calls of one tool in one run than `most_calls`.

**Why it matters.** Say here what goes wrong for whom.

**Evidence and basis.** Every call beyond the limit accuses; the ones before are context. The basis is that of the actor.

**What it cannot know.** Say here what no span shows.

**False positives.** Say here when it is wrong, and what is done against it.

**Next step.** Say here what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from actorscope.analysis.detector import Detector, Frames, rows
from actorscope.analysis.finding import EVIDENCE_LIMIT, Edit, Evidence, Signal, weakest


@dataclass(frozen=True)
class Config:
    """Thresholds; users set them under [analysis.detectors.NAME]."""

    most_calls: int = 3
    """Calls of one tool in one run that are still fine."""


def detect(frames: Frames, config: Config) -> list[Signal]:
    """One signal per run and tool. Pure: no clock, no store; order and repetition of rows do not matter."""
    calls = frames["actions"].filter("is_settled", pl.col("actor_id").is_not_null(), pl.col("tool_name").is_not_null())
    calls = calls.unique(["trace_id", "span_id"]).sort("start_time", "span_id")
    groups = calls.partition_by("trace_id", "run_span_id", "tool_name", maintain_order=True)
    found = [_signal(rows(group), config) for group in groups if group.height > config.most_calls]
    return sorted(found, key=lambda s: (s.at, s.span_id))


def _signal(calls: list[dict[str, Any]], config: Config) -> Signal:
    beyond = calls[config.most_calls :]
    tipped = beyond[0]
    who, tool = tipped["actor_name"] or "An agent", tipped["tool_name"]
    evidence = [Evidence(c["trace_id"], c["span_id"], "context: call", "within the limit") for c in calls[: config.most_calls]]
    evidence += [Evidence(c["trace_id"], c["span_id"], "one too many", f"call of {tool}") for c in beyond]
    return Signal(
        rule="U1",
        severity="medium",
        confidence=0.9,
        title=f"{who} called {tool} {len(calls)} times in one run",
        subject_id=tipped["actor_id"],
        subject_name=tipped["actor_name"] or "",
        scope=(tool,),
        trace_id=tipped["trace_id"],
        span_id=tipped["span_id"],
        at=tipped["start_time"],
        evidence=tuple(evidence[:EVIDENCE_LIMIT]),
        baseline={"level": "run", "n": len(calls), "observed": len(calls), "threshold": config.most_calls},
        counterfactual=f"silent without {tipped['span_id']} and the calls after it",
        edits=tuple(Edit(c["trace_id"], c["span_id"]) for c in beyond),
        impact={"calls_too_many": len(beyond)},
        basis=weakest(tipped["actor_basis"]),
    )


DETECTOR = Detector(
    id="NAME",
    family="FAMILY",
    title="One tool called too often",
    version=1,
    needs={
        "actions": ("trace_id", "span_id", "run_span_id", "is_settled", "actor_id", "actor_name", "actor_basis", "tool_name", "start_time")
    },
    config=Config,
    detect=detect,
    explanation=__doc__,
    next_step="Look at what the calls brought; give the agent a limit.",
)
'''

_PAGE = """# NAME

A detector for Actorscope. What it finds and what it cannot know stands at the top of `src/NAME/__init__.py`; people see it
with every finding.

    actorscope detector test .     # its cases, over an embedded store
    pip install -e .               # from now on it runs with actorscope up

Cases: `cases/NAME/fires_*` must give the findings they expect, `quiet_*` and `near_*` (just short of the limit) none.
"""

_CASE = """what: {what}
traces:
  - trace: one
    spans:
      - agent: clerk
        children:
{calls}
expect:{expect}
"""


def _case(what: str, count: int, expect: str) -> str:
    calls = "\n".join(f"          - {{tool: lookup, effect: read, args: {{n: {n}}}}}" for n in range(1, count + 1))
    return _CASE.format(what=what, calls=calls, expect=expect)


_EXPECTED = """
  - rule: U1
    severity: medium
    subject: clerk
    evidence:
      - "context: call @ one/lookup"
      - "context: call @ one/lookup#2"
      - "context: call @ one/lookup#3"
      - "one too many @ one/lookup#4\""""

_TEST = '''"""The cases of the detector, through the real analysis."""

import subprocess
import sys
from pathlib import Path


def test_cases():
    command = [sys.executable, "-m", "actorscope", "detector", "test", str(Path(__file__).parents[1])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
'''

FILES = {
    "pyproject.toml": _PROJECT,
    "README.md": _PAGE,
    "src/NAME/__init__.py": _DETECTOR,
    "cases/NAME/fires_four_calls.yaml": _case("Four calls of one tool are one too many.", 4, _EXPECTED),
    "cases/NAME/quiet_one_call.yaml": _case("One call is fine.", 1, " []"),
    "cases/NAME/near_three_calls.yaml": _case("Three calls are still fine.", 3, " []"),
    "tests/test_NAME.py": _TEST,
}
"""Text by path; NAME, FAMILY and DASHED are replaced."""
