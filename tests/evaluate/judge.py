"""Findings against labels: the scorer's numbers, and one line for every miss and every false alarm."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.evaluate.play import Played

BREAK_DOWN = ("suite", "family", "history8", "domain")
"""Tags of runs by which the numbers are also given, where a set has them."""
Line = dict[str, Any]


def scorer(data: Path) -> ModuleType:
    """`score.py` of the data folder; it belongs to the data and is not copied."""
    spec = importlib.util.spec_from_file_location("actorscope_score", data / "score.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Evaluated:
    """A set, the scorer's numbers, alerts on writes of benign runs (see `Verdicts.writes`), and what was wrong.

    `troubles` is what the program says of its own state: a detector that broke looks like one that misses.
    """

    played: Played
    result: Line
    writes: tuple[int, int]
    misses: list[Line]
    alarms: list[Line]
    troubles: list[str]


def score(module: ModuleType, played: Played) -> Line:
    """The scorer's result for one set."""
    result, _ = module.score([(played.findings, played.labels)], BREAK_DOWN)
    return dict(result)


class Verdicts:
    """Who was accused of what, beside who should have been."""

    def __init__(self, module: ModuleType, played: Played) -> None:
        self._module, self.name = module, played.name
        self.board = module.Board([(played.findings, played.labels)])
        lines = [json.loads(line) for line in played.findings.read_text().splitlines()]
        self._written = {line["id"]: line for line in lines}
        self._fault = {trace: case for case in self.board.cases for trace in case["traces"]}
        self.runs = [run for run in self.board.runs.values() if run["role"] != "history"]

    def misses(self) -> Iterator[Line]:
        """Runs and cases that should have been found, with what was said of them instead."""
        for run in self.runs:
            for family, truth in run["truth"].items():
                if truth is True and not self.board.on(run["trace_id"], family, "alert"):
                    yield self._line(run, family) | {
                        "expected": "medium or higher", "marks": run["marks"].get(family, []),
                        "said": self._said(self.board.by_trace.get(run["trace_id"], ())),
                    }  # fmt: skip
        for case in self.board.cases:
            if case["polarity"] == "positive" and not self._is_as_expected(case):
                yield self._case(case) | {"expected": f"{case['expect_at']} or higher", "said": self._said(self._touching(case))}

    def false_alarms(self) -> Iterator[Line]:
        """Alerts on runs and cases that should have been left alone, one line per finding and run."""
        for run in self.runs:
            for family, truth in run["truth"].items():
                for finding in self.board.on(run["trace_id"], family, "alert") if truth is False else ():
                    yield self._line(run, family) | self._shown(finding) | {"severity_here": self._severity(finding, run["trace_id"])}
        for case in self.board.cases:
            if case["polarity"] == "negative" and not self._is_as_expected(case):
                yield self._case(case) | {"expected": "silence", "said": self._said(self._touching(case))}

    def troubles(self) -> list[str]:
        """Titles of findings of the family `system`."""
        return sorted(line["title"] for line in self._written.values() if line["family"] == "system")

    def writes(self) -> tuple[int, int]:
        """Spans of benign runs in which re-execution alerts, of so many write calls; only tau counts its writes."""
        calm = {r["trace_id"]: r for r in self.runs if r["truth"].get("reexecution") is False and "writes" in r["tags"]}
        named = {
            (trace, span)
            for trace in calm
            for finding in self.board.on(trace, "reexecution", "alert")
            for span in finding.tip[trace]
        }
        return len(named), sum(run["tags"]["writes"] for run in calm.values())

    def _is_as_expected(self, case: Line) -> bool:
        every, self.board.cases = self.board.cases, [case]
        try:
            return bool(self._module.score_cases(self.board)[0]["as_expected"])
        finally:
            self.board.cases = every

    def _touching(self, case: Line) -> list[Any]:
        found = {f.id: f for trace in case["traces"] for f in self.board.by_trace.get(trace, ())}
        return list(found.values())

    def _line(self, run: Line, family: str) -> Line:
        case, tags = self._fault.get(run["trace_id"], {}), run["tags"]
        return {
            "set": self.name, "kind": "run", "trace_id": run["trace_id"], "family": family, "fault": case.get("fault"),
            "variant": case.get("variant"), "group": tags.get("group"), "run": run.get("run"),
            "tags": {k: tags[k] for k in ("suite", "subset", "task", "domain", "history8") if k in tags},
        }  # fmt: skip

    def _case(self, case: Line) -> Line:
        kept = ("case", "fault", "variant", "family", "traces", "marks")
        first = case["traces"][0] if case["traces"] else None
        return {"set": self.name, "kind": "case", "trace_id": first, **{k: case.get(k) for k in kept}}

    def _said(self, findings: Any) -> list[Line]:
        return [self._shown(finding) for finding in sorted(findings, key=lambda f: f.id)]

    def _severity(self, finding: Any, trace: str) -> str | None:
        """Of the occurrence in this run: the scorer gives every run that a finding names the gravest of them all."""
        return next((o["severity"] for o in self._written[finding.id]["occurrences"] if o["trace_id"] == trace), None)

    def _shown(self, finding: Any) -> Line:
        written = self._written[finding.id]
        return {"finding": finding.id} | {key: written[key] for key in ("detector", "rule", "severity", "title")}
