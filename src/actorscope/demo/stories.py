"""The scenario library: small stories of one fault each, and of its twin, which does the same without the fault.

A file of `stories/` is named after the detector that must find its fault. `traces` are spans in the short form of
`analysis/casebook.py` with places for words in braces: those under `draws` follow from the seed, those under `differs` have one
value for the fault and one for the twin, and `serial` marks everything that belongs to one telling. Each trace has one root.
The tests of detectors run every story (`tests/demo/test_stories.py`), and the demo fleet plays it through real exporters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import yaml
from opentelemetry.trace import SpanKind

from actorscope.analysis.casebook import BASE, MOMENTS, Made, Row, spans
from actorscope.demo.genai import message
from actorscope.demo.run import SECOND, Attributes, Failure, Node, Scope
from actorscope.semconv.dialects import columns

SCOPE = Scope("acme.shop.agents", "1.0.0")
SIDES = ("fault", "twin")
SHOPS = {"fault": "store-north", "twin": "store-south"}
"""Two shops of one company run the same agents; what is told of the one must not be told of the other."""
STEP = 300
"""Stories begin at whole multiples of so many seconds, as the buckets of storms do."""
_MOMENTS = set(MOMENTS.values())
_GENAI = {"invoke_agent", "invoke_workflow", "execute_tool", "chat"}
_TWICE = 2
"""Words may stand in words that are filled in."""


@dataclass(frozen=True)
class Story:
    """One fault and its twin."""

    detector: str
    fault: str
    twin: str
    agent: str
    draws: Mapping[str, list[Any]]
    differs: Mapping[str, list[Any]]
    traces: list[Row]

    @property
    def family(self) -> str:
        return self.detector.partition("_")[0]

    def told(self) -> dict[str, str]:
        """The story as `--describe` tells it."""
        return {
            "scenario": self.detector, "family": self.family, "service": SHOPS["fault"], "agent": self.agent, "expects": self.fault,
        }  # fmt: skip

    def made(self, side: str, seed: int, mark: str = "") -> Made:
        """The spans of one telling, by day from BASE on; equal seeds and marks tell the same."""
        dice = Random(f"{seed}:{self.detector}")
        words = {name: dice.choice(options) for name, options in self.draws.items()}
        words |= {name: values[SIDES.index(side)] for name, values in self.differs.items()}
        words["serial"] = f"{mark}{dice.getrandbits(24):06X}{side[0].upper()}"
        traces = self.traces
        for _ in range(_TWICE):
            traces = _filled(traces, words)
        return spans([{**trace, "trace": f"{words['serial']} {trace['trace']}"} for trace in traces], service=SHOPS[side])


@cache
def stories() -> tuple[Story, ...]:
    """The library, by name."""
    found = {path.name: yaml.safe_load(path.read_text()) for path in (files("actorscope.demo") / "stories").iterdir()}
    return tuple(Story(name.removesuffix(".yaml"), **{"draws": {}, "differs": {}, **found[name]}) for name in sorted(found))


def _filled(value: Any, words: Mapping[str, Any]) -> Any:
    """A value with its words; where one word is all there is, it keeps its type, and a key whose word is null goes."""
    if isinstance(value, dict):
        full = {key: _filled(each, words) for key, each in value.items()}
        return {key: each for key, each in full.items() if each is not None}
    if isinstance(value, list):
        return [_filled(each, words) for each in value]
    if not isinstance(value, str):
        return value
    if value[1:-1] in words and value == f"{{{value[1:-1]}}}":
        return words[value[1:-1]]
    for name, word in words.items():
        value = value.replace(f"{{{name}}}", str(word))
    return value


def played(made: Made, start: int) -> Iterator[tuple[str, Node]]:
    """The traces of a telling as runs of the fleet that begin at `start`: service and root of each."""
    nodes: dict[bytes, Node] = {}
    shift = start - int(BASE.timestamp()) * SECOND
    rows = sorted(made.rows, key=lambda row: (row["start_time"], -row["end_time"].timestamp()))
    for row in rows:
        node = nodes[row["trace_id"] + row["span_id"]] = _node(row, shift)
        above = nodes.get(row["trace_id"] + row["parent_span_id"])
        if above is not None:
            above.children.append(node)
    for row in rows:
        if row["parent_span_id"] == bytes(8):
            yield row["service_name"], nodes[row["trace_id"] + row["span_id"]]


def _node(row: Row, shift: int) -> Node:
    error, operation = row.get("error_type"), row["operation"]
    kind = SpanKind.CLIENT if operation == "chat" else SpanKind.INTERNAL
    what = row.get("agent_name") if operation == "invoke_agent" else row.get("tool_name") or row.get("model")
    return Node(
        SCOPE, f"{operation} {what or ''}".strip(), kind, _nanos(row["start_time"]) + shift, _attributes(row, shift),
        end=_nanos(row["end_time"]) + shift, failure=Failure(error, f"failed with {error}") if error else None,
    )  # fmt: skip


def _nanos(moment: datetime) -> int:
    return int((moment - BASE) / timedelta(microseconds=1)) * 1000 + int(BASE.timestamp()) * SECOND


def _attributes(row: Row, shift: int) -> Attributes:
    """The facts of a row under their canonical names."""
    found: Attributes = {}
    for column in columns():
        value = row.get(column.name)
        if value in (None, [], "", "unknown") or column.name in ("error_type", "input_digest"):
            continue
        if column.name in _MOMENTS:
            value = (datetime.fromisoformat(str(value)) + timedelta(seconds=shift // SECOND)).isoformat()
        found[column.attribute] = tuple(value) if isinstance(value, list) else value
    if row["operation"] not in _GENAI:
        found["actorscope.operation.name"] = found.pop("gen_ai.operation.name")
    if row["operation"] in ("invoke_agent", "invoke_workflow"):
        for attribute, key, role in (("request", "gen_ai.input.messages", "user"), ("result", "gen_ai.output.messages", "assistant")):
            if row.get(attribute):
                found[key] = message(role, row[attribute])
        found.pop("gen_ai.tool.call.result", None)
    if "actorscope.cost.amount" in found:
        found["actorscope.cost.currency"] = "USD"
    return found

