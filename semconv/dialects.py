"""Dialects as data: which attribute of which vocabulary means which of our columns.

A dialect is one file in `dialects/`; its format is in `dialects/README.md`. Nothing here knows spans or frames:
`actorscope.ingest.normalise` applies what this module reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from actorscope.errors import DefinitionError, Problem
from actorscope.semconv.generated import attributes

BASES = ("declared", "derived", "inferred")
COLUMN_TYPES = ("name", "text", "int", "double", "bool", "names")
SOURCES = ("@name", "@scope", "@service", "@status", "@kind", "@event", "@body")
"""What a rule can read besides attributes; the last two exist for log records only."""
_RULE_KEYS = {
    "from", "where", "present", "absent", "same", "values", "otherwise", "ignore", "lower", "strip_prefix",
    "strip_suffix", "extract", "json", "content", "constant", "basis", "first", "event", "keys", "resource",
    "plus", "nothing",
}  # fmt: skip
_CONTENT = ("request", "tool_calls", "arguments")
MARK = attributes.ACTORSCOPE_EDGE_DIALECT
"""On a record whose facts the Collector plugin already read: the dialect in which it was sent."""
BASIS_MARKS = {
    "operation": (attributes.ACTORSCOPE_EDGE_OPERATION_BASIS, "declared"),
    "agent_name": (attributes.ACTORSCOPE_EDGE_AGENT_BASIS, "declared"),
    "side_effect": (attributes.ACTORSCOPE_EDGE_SIDE_EFFECT_BASIS, "inferred"),
}
"""Where on such a record stands how a column is known, and what it means that nothing stands there: it is the usual basis."""


@dataclass(frozen=True)
class Column:
    """A typed column of a span: its type is one of COLUMN_TYPES."""

    name: str
    type: str
    attribute: str
    brief: str


@dataclass(frozen=True)
class Rule:
    """One way to fill one column; the fields are explained in `dialects/README.md`."""

    column: str
    source: str = ""
    constant: str | None = None
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    values: dict[str, str] | None = None
    otherwise: str = "drop"
    ignore: tuple[str, ...] = ()
    lower: bool = False
    strip_prefix: str = ""
    strip_suffix: str = ""
    extract: str = ""
    json: str = ""
    content: str = ""
    basis: str = "derived"
    first: bool = False
    event: str = ""
    keys: str = ""
    resource: bool = False
    plus: tuple[str, ...] = ()
    nothing: bool = False

    @property
    def place(self) -> str:
        """Where the value stands: an attribute key, or a name that no attribute key can have."""
        if self.keys:
            return f"keys {self.keys}"
        return f"{'event ' + self.event + ' ' if self.event else 'resource ' if self.resource else ''}{self.source}"

    def attribute_keys(self, columns: frozenset[str]) -> set[str]:
        """The span attributes that this rule looks at."""
        own = {self.source, *self.plus} if not (self.event or self.resource) else set()
        named = {key for key in (*self.where, *self.present, *self.absent, *self.same) if key not in columns}
        return {key for key in own | named if key and not key.startswith("@")}


@dataclass(frozen=True)
class Dialect:
    """One vocabulary: how to recognise it and its rules in order of preference."""

    name: str
    title: str
    order: int
    attributes: tuple[str, ...]
    prefixes: tuple[str, ...]
    scopes: tuple[str, ...]
    rules: tuple[Rule, ...]


@cache
def columns() -> tuple[Column, ...]:
    """The typed columns in the order in which they are filled."""
    raw = yaml.safe_load(files("actorscope.semconv").joinpath("columns.yaml").read_text())
    return tuple(Column(**item) for item in raw["columns"])


_own: list[Path] = []


def use(paths: Iterable[Path]) -> None:
    """Know the dialects in these files or folders too; at start, before the first span is read.

    Raises DefinitionError naming every wrong rule and every file that cannot be read.
    """
    found = [file for path in paths for file in (sorted(path.glob("*.yaml")) if path.is_dir() else [path])]
    if found == _own:
        return
    if dialects.cache_info().currsize:
        raise RuntimeError("dialects of one's own must be named before the first span is read")
    _own[:] = found
    dialects()


@cache
def dialects() -> tuple[Dialect, ...]:
    """All dialects, the preferred one first. Raises DefinitionError naming every wrong rule."""
    folder = files("actorscope.semconv").joinpath("dialects")
    shipped = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    documents, problems = {}, []
    for file in (*shipped, *_own):
        try:
            documents[file.name if file in shipped else str(file)] = yaml.safe_load(file.read_text())
        except (OSError, yaml.YAMLError) as error:
            problems.append(Problem(str(file), f"cannot be read as YAML: {error}".splitlines()[0]))
    if problems:
        raise DefinitionError(problems)
    return load(documents)


@cache
def edge() -> Dialect:
    """How a record with MARK is read: every column from its canonical attribute, its basis as marked. Such a record speaks
    no other dialect. It is not one of `dialects()`, since nobody sends it: it is what the plugin writes.
    """
    rules: list[Rule] = []
    for column in columns():
        if column.name in BASIS_MARKS:
            mark, usual = BASIS_MARKS[column.name]
            rules += [Rule(column.name, column.attribute, where={mark: (basis,)}, basis=basis) for basis in BASES]
            rules.append(Rule(column.name, column.attribute, absent=(mark,), basis=usual))
        rules.append(Rule(column.name, column.attribute))
    rules.append(Rule("model", "gen_ai.request.model"))
    return Dialect("edge", "Already normalised by the Collector plugin", 0, (MARK,), (), (), tuple(rules))


def load(documents: dict[str, Any]) -> tuple[Dialect, ...]:
    """Dialects from parsed YAML documents by file name. Raises DefinitionError naming every wrong rule."""
    problems: list[Problem] = []
    result = [_dialect(name, document, problems) for name, document in documents.items()]
    names = [d.name for d in result if d.name]
    problems += [Problem(n, "dialect is defined twice") for n in {n for n in names if names.count(n) > 1}]
    if problems:
        raise DefinitionError(problems)
    return tuple(sorted(result, key=lambda d: (d.order, d.name)))


def _dialect(file: str, document: Any, problems: list[Problem]) -> Dialect:
    if not isinstance(document, dict) or "dialect" not in document:
        problems.append(Problem(file, "a dialect file needs `dialect: name`"))
        return Dialect("", "", 0, (), (), (), ())
    detect = document.get("detect") or {}
    if not any(detect.get(key) for key in ("attributes", "prefixes", "scopes")):
        problems.append(Problem(file, "detect needs attributes, prefixes or scopes"))
    known = {column.name for column in columns()}
    rules = []
    for column, raw_rules in (document.get("columns") or {}).items():
        if not isinstance(raw_rules, list):
            problems.append(Problem(f"{file}: {column}", "needs a list of rules"))
            continue
        if column not in known:
            problems.append(Problem(f"{file}: {column}", "no such column", "columns.yaml lists them"))
        rules += [_rule(f"{file}: {column}[{i}]", column, raw, problems) for i, raw in enumerate(raw_rules)]
    return Dialect(
        name=document["dialect"],
        title=str(document.get("title", document["dialect"])),
        order=int(document.get("order", 100)),
        attributes=tuple(detect.get("attributes") or ()),
        prefixes=tuple(detect.get("prefixes") or ()),
        scopes=tuple(detect.get("scopes") or ()),
        rules=tuple(rules),
    )


def _rule(where: str, column: str, raw: Any, problems: list[Problem]) -> Rule:
    if isinstance(raw, str):
        raw = {"from": raw}
    unknown = set(raw) - _RULE_KEYS
    if unknown:
        problems.append(Problem(where, f"unknown keys {sorted(unknown)}"))
    if sum(key in raw for key in ("from", "constant", "keys", "nothing")) != 1:
        problems.append(Problem(where, "a rule needs either `from`, `keys`, `constant` or `nothing`"))
    if raw.get("basis", "derived") not in BASES:
        problems.append(Problem(where, f"basis must be one of {', '.join(BASES)}"))
    if raw.get("content", "request") not in _CONTENT:
        problems.append(Problem(where, f"content must be one of {', '.join(_CONTENT)}"))
    if "keys" in raw and "content" not in raw:
        problems.append(Problem(where, "`keys` needs `content`"))
    if len(_strings(raw.get("same"))) not in (0, 2):
        problems.append(Problem(where, "`same` compares two keys"))
    if _groups(where, "extract", raw.get("extract", "()"), problems) == 0:
        problems.append(Problem(where, "extract needs a group"))
    _groups(where, "keys", raw.get("keys", ""), problems)
    source = raw.get("from", "")
    if source.startswith("@") and source not in SOURCES:
        problems.append(Problem(where, f"unknown source {source}", f"one of {', '.join(SOURCES)}"))
    return Rule(
        column=column,
        source=source,
        constant=raw.get("constant"),
        where={key: _strings(value) for key, value in (raw.get("where") or {}).items()},
        present=_strings(raw.get("present")),
        absent=_strings(raw.get("absent")),
        same=_strings(raw.get("same")),
        values={str(k): str(v) for k, v in raw["values"].items()} if raw.get("values") else None,
        otherwise=raw.get("otherwise", "drop"),
        ignore=_strings(raw.get("ignore")),
        lower=bool(raw.get("lower")),
        strip_prefix=raw.get("strip_prefix", ""),
        strip_suffix=raw.get("strip_suffix", ""),
        extract=raw.get("extract", ""),
        json=raw.get("json", ""),
        content=raw.get("content", ""),
        basis=raw.get("basis", "derived"),
        first=bool(raw.get("first")),
        event=raw.get("event", ""),
        keys=raw.get("keys", ""),
        resource=bool(raw.get("resource")),
        plus=_strings(raw.get("plus")),
        nothing=bool(raw.get("nothing")),
    )


def _groups(where: str, key: str, pattern: str, problems: list[Problem]) -> int | None:
    """How many groups a regular expression has; None, and a problem, when it is none."""
    try:
        return re.compile(pattern).groups
    except re.error as error:
        problems.append(Problem(where, f"{key} is no regular expression: {error}"))
        return None


def _strings(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)
