"""Spans in a few words, and cases of detectors made of them: a tree in YAML becomes rows of the store.

```yaml
- trace: loop                  # name of the trace; its id follows from it
  at: 10m                      # start, seconds or 5m, 2h, 3d, counted from BASE; may be negative
  repeat: 8                    # copies loop-1 ... loop-8, `every` apart, with {n} replaced in every text
  every: 1h
  spans:
    - agent: planner           # or tool:, chat: (a model), handoff: (to whom), op: (any operation)
      request: Plan the trip
      children:
        - {tool: send_email, effect: write, args: {to: ann}, error: timeout}
```

Short keys are in SHORT and MOMENTS, every column of `actorscope.ingest.columns` may be named in full. A child starts when its elder
sibling ends unless `at` (seconds from the start of its parent) says otherwise; a span lasts as long as its children or
`for` seconds. A span is called `trace/label`: its `as`, else its agent, tool or operation, the second one `label#2`.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import yaml

from actorscope.analysis import ledger
from actorscope.analysis.answers.findings import occurrences
from actorscope.analysis.detector import Detector
from actorscope.analysis.frames import unstored
from actorscope.analysis.runner import Runner
from actorscope.ingest import content
from actorscope.ingest.columns import FACTS, SPANS
from actorscope.ingest.store.client import Store
from actorscope.settings import AnalysisSettings, BudgetSettings

# Yesterday, because the store drops effects after 400 days. Ids follow from names, not from times.
BASE = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=1)
KINDS = {"agent": "invoke_agent", "tool": "execute_tool", "chat": "chat", "handoff": "handoff", "op": ""}
SHORT = {
    "task": "task_kind", "user": "user_id", "conversation": "conversation_id", "cost": "cost_amount", "used": "scope_used",
    "key": "idempotency_digest", "to": "delegate_name", "by": "delegator_name", "budget": "budget_limit", "status": "status_code",
    "service": "service_name", "response": "response_id", "id": "agent_id", "principal": "principal_id",
}  # fmt: skip
MOMENTS = {
    "grant_ends": "grant_expires_at", "credential_begins": "credential_issued_at", "credential_ends": "credential_expires_at",
    "approval_ends": "approval_expires_at",
}  # fmt: skip
"""Keys with a time from BASE, as `at` has it, for columns that hold an instant as text."""
_OWN = {"as", "at", "for", "children", "args", "effect", "error", "grant", "tokens", *MOMENTS}
_COLUMNS = {f.name for f in SPANS}
Row = dict[str, Any]
Place = tuple[str, str]


@dataclass
class Made:
    """Spans as rows of `span_rows`, in the order in which they end, and what each is called."""

    rows: list[Row] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)

    def table(self, rows: Sequence[Row] | None = None, first_seq: int = 1) -> pa.Table:
        """Rows for the store, numbered in their order."""
        numbered = [{**row, "seq": first_seq + i} for i, row in enumerate(self.rows if rows is None else rows)]
        return pa.Table.from_pylist(numbered, schema=SPANS)

    def frame(self, rows: Sequence[Row] | None = None) -> pl.DataFrame:
        """What analysis reads of the rows: as `frames.read` returns it."""
        table = pl.from_arrow(self.table(rows))
        assert isinstance(table, pl.DataFrame)
        return unstored(table, pl.DataFrame(schema={"trace_id": pl.Binary, "span_id": pl.Binary}))

    def name(self, trace_id: str, span_id: str) -> str:
        """What a place is called, as `trace/label`."""
        return next((n for n, p in self.places.items() if p == (trace_id, span_id)), f"{trace_id}/{span_id}")

    def edited(self, edits: Iterable[Mapping[str, Any]]) -> list[Row]:
        """The rows as a counterfactual has them; edits as in a finding's JSON, those of thresholds are left out."""
        rows = {(row["trace_id"].hex(), row["span_id"].hex()): dict(row) for row in self.rows}
        for edit in edits:
            place = (edit["trace_id"], edit["span_id"])
            if edit["column"] and place[1]:
                rows[place][edit["column"]] = _typed(edit["column"], edit["value"])
            elif place[1]:
                _remove(rows, place)
        return list(rows.values())

    def shuffled(self, seed: int) -> list[Row]:
        """The rows in another order."""
        return random.Random(seed).sample(self.rows, len(self.rows))

    def named(self, woven: pl.DataFrame) -> dict[str, Row]:
        """The rows of a frame with trace_id and span_id, by what they are called."""
        return {self.name(row["trace_id"], row["span_id"]): row for row in woven.to_dicts()}


@dataclass(frozen=True)
class Case:
    """One file of `cases/<detector>/`: traces in the short form and the findings that they must give."""

    path: Path
    what: str
    made: Made
    expect: list[Row]
    thresholds: dict[str, Any]
    also: tuple[str, ...]
    """Other detectors that may have something to say."""
    budgets: tuple[BudgetSettings, ...] = ()

    @property
    def detector(self) -> str:
        return self.path.parent.name

    @property
    def kind(self) -> str:
        """`fires`, `quiet` or `near`."""
        return self.path.stem.partition("_")[0]


@dataclass(frozen=True)
class Outcome:
    """What came of a case: findings of its detector as they are and as they should be, and who else spoke."""

    found: list[Row]
    wanted: list[Row]
    others: set[str]


def tried(case: Case, store: Store, detectors: Sequence[Detector] | None = None) -> Outcome:
    """Send a case through the real analysis over a store that holds nothing else; on a worker thread."""
    settings = AnalysisSettings.model_validate({}).model_copy(
        update={"detectors": {case.detector: case.thresholds}, "budgets": case.budgets}
    )
    store.insert("span_rows", case.made.table())
    Runner(store, settings, detectors=detectors).run_to_end()
    every = sorted(ledger.open_findings(store).values(), key=lambda f: (f.first_evidence_at, f.id))
    found: list[Row] = [
        {
            "rule": finding.rule,
            "severity": finding.severity,
            "subject": finding.subject["name"],
            "evidence": [f"{e['role']} @ {case.made.name(e['trace_id'], e['span_id'])}" for e in finding.evidence],
            "places": sorted(case.made.name(o["trace_id"], o["span_id"]) for o in occurrences(store, finding.id)),
            "count": finding.count,
        }
        for finding in every
        if finding.detector == case.detector
    ]
    others = {finding.detector for finding in every} - {case.detector}
    return Outcome(found, [_wanted(each, found) for each in case.expect], others)


def _wanted(expected: Row, found: list[Row]) -> Row:
    """An expectation; without `places` the finding is expected in one place, that of its first accusing evidence."""
    accusing = [e.partition(" @ ")[2] for e in expected["evidence"] if not e.startswith("context")]
    places = expected.get("places")
    if places is None:
        places = next((f["places"] for f in found if len(f["places"]) == 1 and f["places"][0] in accusing), ["one"])
    return {**expected, "places": sorted(places), "count": len(places)}


def emptied(store: Store) -> Store:
    """The store without any data; on a worker thread."""
    tables = store.frame(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name != 'migrations'"
    )
    for name in tables["name"]:
        store.command(f"TRUNCATE TABLE {name}")
    return store


def spans(traces: str | list[Row], service: str = "desk") -> Made:
    """The spans of traces in the short form, given as YAML or as lists and dicts."""
    found = yaml.safe_load(traces) if isinstance(traces, str) else traces
    made = Made()
    for number, trace in enumerate(found, start=1):
        if not isinstance(trace, dict) or "spans" not in trace:
            raise ValueError(f"trace {number} has no spans")
        for copy in _copies(trace):
            _Tree(made, copy.get("trace", f"t{number}"), copy.get("service", service)).grow(copy)
    made.rows.sort(key=lambda row: (row["end_time"], row["start_time"], row["span_id"]))
    return made


def cases(folder: Path) -> list[Case]:
    """Every case of a folder, by detector and file."""
    return [case(path) for path in sorted(folder.glob("*/*.yaml"))]


def case(path: Path) -> Case:
    """The case of a file; raises ValueError where it is no case."""
    raw = yaml.safe_load(path.read_text())
    if unknown := set(raw) - {"what", "traces", "expect", "thresholds", "also", "budgets"}:
        raise ValueError(f"{path}: unknown keys {sorted(unknown)}")
    made, budgets = spans(raw["traces"]), tuple(BudgetSettings(**each) for each in raw.get("budgets", ()))
    return Case(path, raw["what"], made, raw["expect"], raw.get("thresholds", {}), tuple(raw.get("also", ())), budgets)


def _typed(column: str, value: Any) -> Any:
    """A value of JSON as the column has it."""
    is_moment = pa.types.is_timestamp(SPANS.field(column).type)
    return datetime.fromisoformat(value) if is_moment else value


def _remove(rows: dict[Place, Row], place: Place) -> None:
    """Take a span away with all below it."""
    gone = rows.pop(place, None)
    for below in [p for p, row in rows.items() if gone and p[0] == place[0] and row["parent_span_id"].hex() == place[1]]:
        _remove(rows, below)


def seconds(text: str | float) -> float:
    """`90`, `5m`, `2h` or `3d` in seconds."""
    if isinstance(text, str) and text[-1] in "smhd":
        return float(text[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[text[-1]]
    return float(text)


def _copies(trace: Row) -> Iterator[Row]:
    for n in range(1, trace.get("repeat", 1) + 1):
        copy = _replace(trace, str(n))
        if "repeat" in trace:
            copy["trace"] = f"{trace['trace']}-{n}"
            copy["at"] = seconds(trace.get("at", 0)) + (n - 1) * seconds(trace.get("every", "1h"))
        yield copy


def _replace(value: Any, n: str) -> Any:
    if isinstance(value, dict):
        return {key: _replace(each, n) for key, each in value.items()}
    if isinstance(value, list):
        return [_replace(each, n) for each in value]
    return value.replace("{n}", n) if isinstance(value, str) else value


class _Tree:
    """One trace that grows into rows."""

    def __init__(self, made: Made, name: str, service: str) -> None:
        self.made, self.name, self.service = made, name, service
        self.trace_id = blake2b(name.encode(), digest_size=16).digest()
        self.labels: Counter[str] = Counter()

    def grow(self, trace: Row) -> None:
        start = seconds(trace.get("at", 0))
        for node in trace["spans"]:
            start = self.span(node, start + seconds(node.get("at", 0)), bytes(8)) + 0.1

    def span(self, node: Row, start: float, parent: bytes) -> float:
        """Adds a span with all below it; returns when it ends."""
        label = self.label(node)
        span_id = blake2b(f"{self.name}/{label}".encode(), digest_size=8).digest()
        free = start + 0.1
        end = free
        for child in node.get("children", []):
            begin = start + seconds(child["at"]) if "at" in child else free
            free = self.span(child, begin, span_id) + 0.1
            end = max(end, free)
        end = start + seconds(node["for"]) if "for" in node else max(end, start + 1)
        self.made.places[f"{self.name}/{label}"] = (self.trace_id.hex(), span_id.hex())
        self.made.rows.append(
            {
                **_plain(self.service, label),
                "trace_id": self.trace_id,
                "span_id": span_id,
                "parent_span_id": parent,
                "start_time": BASE + timedelta(seconds=start),
                "end_time": BASE + timedelta(seconds=end),
                "received_at": BASE + timedelta(seconds=end),
                **_facts(node),
            }
        )
        return end

    def label(self, node: Row) -> str:
        kind = next((k for k in KINDS if k in node), None)
        if kind is None:
            raise ValueError(f"a span of trace {self.name} has none of {', '.join(KINDS)}: {node}")
        word = str(node.get("as") or (node[kind] if kind in ("agent", "tool", "op") else kind))
        self.labels[word] += 1
        return word if self.labels[word] == 1 else f"{word}#{self.labels[word]}"


def _plain(service: str, label: str) -> Row:
    return {
        "ingester": "test", "seq": 0, "trace_state": "", "flags": 0, "name": label, "kind": "internal", "status_code": "unset",
        "status_message": "", "service_name": service, "scope_name": "test", "scope_version": "", "attributes": {},
        "attribute_types": "", "resource_attributes": {}, "event_times": [], "event_names": [], "event_attributes": [],
        "link_trace_ids": [], "link_span_ids": [], "link_attributes": [], "dropped_count": 0, "dialect": "otel_genai",
        **{name: [] for name, type_ in FACTS if pa.types.is_list(type_)},
    }  # fmt: skip


def _facts(node: Row) -> Row:
    """The fact columns that a node states."""
    kind = next(k for k in KINDS if k in node)
    facts: Row = {"operation": KINDS[kind] or node["op"], "operation_basis": "declared"}
    about = {"agent": "agent_name", "tool": "tool_name", "chat": "model", "handoff": "delegate_name"}
    if kind in about and node[kind]:
        facts[about[kind]] = node[kind]
    if kind == "chat":
        facts["provider"] = "openai"
    for key, value in node.items():
        column = SHORT.get(key, key)
        if key in KINDS or key in _OWN:
            continue
        if column not in _COLUMNS:
            raise ValueError(f"unknown key {key!r} in {node}")
        facts[column] = value
    if "agent_name" in facts:
        facts.setdefault("agent_basis", "declared")
    return {**facts, **_derived(node, kind)}


def _derived(node: Row, kind: str) -> Row:
    """What the keys that stand for more than one column say."""
    facts: Row = {}
    if "args" in node:
        facts["arguments"] = json.dumps(node["args"])
        facts["input_digest"] = content.digest(facts["arguments"])
    if "effect" in node:
        facts |= {"side_effect": node["effect"], "side_effect_basis": "declared"}
    elif kind == "tool":
        facts |= {"side_effect": "unknown", "side_effect_basis": "inferred"}
    if "error" in node:
        facts |= {"error_type": node["error"], "status_code": "error"}
    for key in MOMENTS.keys() & node.keys():
        facts[MOMENTS[key]] = (BASE + timedelta(seconds=seconds(node[key]))).isoformat()
    if "tokens" in node:
        facts |= dict(zip(("input_tokens", "output_tokens", "cached_tokens"), node["tokens"], strict=False))
    if "grant" in node:
        facts["scope_authorized" if kind == "tool" else "scope_granted"] = node["grant"]
    return facts
