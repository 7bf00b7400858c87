"""The tables of the Collector's ClickHouse exporter as a source: materialised views out of the same rules, in SQL.

What a dialect rule says of one attribute can be said in SQL; content in the forms of all frameworks cannot. So records that
the Collector plugin normalised are read in full, and of the others those that speak OpenTelemetry GenAI or our own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files

from actorscope.ingest import handoffs
from actorscope.ingest.content import REQUEST_LIMIT
from actorscope.ingest.normalise import patterns
from actorscope.semconv.dialects import BASIS_MARKS, MARK, Column, Rule, columns, dialects, edge

SPOKEN = ("actorscope", "otel_genai")
"""The dialects that are read of records without marks."""
_BASES = {"operation": "operation_basis", "agent_name": "agent_basis", "side_effect": "side_effect_basis"}
_SPAN = {"@name": "SpanName", "@scope": "ScopeName", "@service": "ServiceName", "@status": "lower(StatusCode)", "@kind": "lower(SpanKind)"}
_LOG = {"@event": "event_name", "@body": "Body", "@scope": "ScopeName", "@service": "ServiceName"}
_TYPED = {
    "int": "toUInt64OrNull({})",
    "double": "toFloat64OrNull({})",
    "bool": "multiIf(lower({0}) IN ('true', '1'), true, lower({0}) IN ('false', '0'), false, NULL)",
    "names": "if(startsWith({0}, '['), JSONExtract({0}, 'Array(String)'), arrayFilter(x -> x != '', splitByRegexp('[, ]+', {0})))",
}  # fmt: skip
# In the form of the convention: a list of messages with role and parts.
_REQUEST = (
    "substringUTF8(trim(if(startsWith({0}, '['), arrayStringConcat(arrayFilter(x -> x != '', arrayMap(p -> "
    "JSONExtractString(p, 'content'), JSONExtractArrayRaw(arrayLast(m -> JSONExtractString(m, 'role') IN ('user', 'human'), "
    f"JSONExtractArrayRaw({{0}})), 'parts'))), ' '), {{0}})), 1, {REQUEST_LIMIT})"
)
_CALLS = (
    "replaceOne(concat('[', arrayStringConcat(arrayMap(p -> concat('{{\"id\": ', toJSONString(JSONExtractString(p, 'id')), ', \"name\": ', "
    "toJSONString(JSONExtractString(p, 'name')), ', \"arguments\": ', toJSONString(if(JSONType(p, 'arguments') = 'String', "
    "JSONExtractString(p, 'arguments'), JSONExtractRaw(p, 'arguments'))), '}}'), arrayFilter(p -> JSONExtractString(p, 'type') = "
    "'tool_call', arrayFlatten(arrayMap(m -> JSONExtractArrayRaw(m, 'parts'), JSONExtractArrayRaw({0}))))), ', '), ']'), '[]', '')"
)
_CONTENT = {"request": _REQUEST, "tool_calls": _CALLS}
# Canonical where an object holds plain values; what is nested keeps the order of its keys.
_DIGEST = (
    "if(arguments = '', '', concat('sha256:', lower(hex(SHA256(if(JSONType(arguments) = 'Object', concat('{', arrayStringConcat(arrayMap("
    "x -> concat(toJSONString(x.1), ':', x.2), arraySort(x -> x.1, JSONExtractKeysAndValuesRaw(arguments))), ','), '}'), arguments))))))"
)


def views() -> str:
    """The statements that feed our tables from `otel_traces` and `otel_logs`."""
    text = files("actorscope.semconv").joinpath("templates", "otel_tables.sql").read_text()
    return text.format(
        own=_detected("actorscope"),
        genai=_detected("otel_genai"),
        mark=_quoted(MARK),
        guess=_guess(),
        spans=_indented(_facts("SpanAttributes", _SPAN, is_log=False)),
        logs=_indented(_facts("LogAttributes", _LOG, is_log=True)),
    )


def _detected(dialect: str) -> str:
    """What tells that a key is of this dialect."""
    return " OR ".join(f"startsWith(k, {_quoted(prefix)})" for d in dialects() if d.name == dialect for prefix in d.prefixes)


def _indented(lines: Iterator[str]) -> str:
    return ",\n".join(f"    {line}" for line in lines)


def _facts(attributes: str, pseudo: dict[str, str], is_log: bool) -> Iterator[str]:
    sql = _Sql(attributes, pseudo, is_log)
    for column in columns():
        yield from sql.column(column)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class _Sql:
    """Rules as expressions over the rows of one table."""

    def __init__(self, attributes: str, pseudo: dict[str, str], is_log: bool) -> None:
        self._attributes, self._pseudo, self._is_log = attributes, pseudo, is_log
        self._columns = {column.name for column in columns()}

    def column(self, column: Column) -> Iterator[str]:
        """A column and its basis, each with its name."""
        done = self._first(column, [rule for rule in edge().rules if rule.column == column.name and not (rule.where or rule.absent)])
        own = [Rule(column.name, column.attribute, basis="declared")] if column.attribute.startswith("actorscope.") else []
        rules = [rule for d in dialects() if d.name in SPOKEN for rule in d.rules if rule.column == column.name]
        said = [rule for rule in (*own, *rules) if self._can_say(rule)]
        later = _later(column.name)
        spoken = self._first(column, said, later)
        empty = {"names": "[]", "int": "NULL", "double": "NULL", "bool": "NULL"}.get(column.type, "''")
        yield f"multiIf(is_done, {done}, is_spoken, {spoken}, {empty}) AS {column.name}"
        if column.name in _BASES and not self._is_log:
            mark, usual = BASIS_MARKS[column.name]
            pairs = [f"{self._value(rule)} != '', {_quoted(rule.basis)}" for rule in said]
            bases = f"multiIf({', '.join(pairs)}, {'true' if later else 'false'}, 'inferred', '')"
            done = f"firstNonDefault({self._at(mark)}, {_quoted(usual)})"
            yield f"multiIf({column.name} = '', '', is_done, {done}, {bases}) AS {_BASES[column.name]}"

    def _can_say(self, rule: Rule) -> bool:
        """Whether SQL says of a row of this table what the rule says."""
        is_missing = (rule.source.startswith("@") and rule.source not in self._pseudo) or any(
            key.startswith("@") and key not in self._pseudo for key in rule.where
        )
        is_odd = rule.keys or rule.plus or rule.same or rule.nothing or rule.first or rule.strip_prefix or rule.strip_suffix
        is_other = rule.content not in ("", *_CONTENT) or (rule.json and not re.fullmatch(r"\$\.\w+", rule.json))
        return not (is_missing or is_odd or is_other or (self._is_log and (rule.event or rule.resource)))

    def _first(self, column: Column, rules: list[Rule], later: str = "") -> str:
        """The first of the values that is there."""
        values = [self._value(rule) for rule in rules] + ([later] if later else []) or ["''"]
        if column.type not in ("name", "text"):
            typed = [_TYPED[column.type].format(value) for value in values]
            return typed[0] if len(typed) == 1 else f"coalesce({', '.join(typed)})"
        return values[0] if len(values) == 1 else f"firstNonDefault({', '.join(values)})"

    def _at(self, key: str) -> str:
        return f"{self._attributes}[{_quoted(key)}]"

    def _value(self, rule: Rule) -> str:
        """The text that a rule says, empty where it says nothing."""
        key = _quoted(rule.source)
        if rule.constant is not None:
            value = _quoted(rule.constant)
        elif rule.event:
            named = f"n = {_quoted(rule.event)} AND mapContains(m, {key})"
            value = f"arrayLast((m, n) -> {named}, Events.Attributes, Events.Name)[{key}]"
        elif rule.resource:
            value = f"ResourceAttributes[{key}]"
        else:
            value = self._pseudo.get(rule.source) or self._at(rule.source)
        if rule.json:
            at = _quoted(rule.json[2:])
            value = f"if(JSONType({value}, {at}) = 'String', JSONExtractString({value}, {at}), JSONExtractRaw({value}, {at}))"
        if rule.extract:
            value = f"extract({value}, {_quoted(rule.extract)})"
        if rule.lower:
            value = f"lowerUTF8({value})"
        if rule.ignore:
            value = f"if({value} IN ({', '.join(map(_quoted, rule.ignore))}), '', {value})"
        if rule.values is not None:
            keys, texts = (", ".join(map(_quoted, side)) for side in (rule.values, rule.values.values()))
            value = f"transform({value}, [{keys}], [{texts}], {value if rule.otherwise == 'keep' else _quoted('')})"
        if rule.content:
            value = _CONTENT[rule.content].format(value)
        tests = [*self._tests(rule)]
        return f"if({' AND '.join(tests)}, {value}, '')" if tests else value

    def _tests(self, rule: Rule) -> Iterator[str]:
        for key, allowed in rule.where.items():
            place = key if key in self._columns else self._pseudo.get(key) or self._at(key)
            yield f"{place} IN ({', '.join(map(_quoted, allowed))})"
        for keys, is_there, has in ((rule.present, "!=", ""), (rule.absent, "=", "NOT ")):
            for key in keys:
                yield f"{key} {is_there} ''" if key in self._columns else f"{has}mapContains({self._attributes}, {_quoted(key)})"


def _later(name: str) -> str:
    """What follows from other columns, where no rule says it (see `ingest/normalise.py`)."""
    if name == "input_digest":
        return _DIGEST
    entries, nobody = handoffs.entries(), ", ".join(map(_quoted, handoffs.nobody()))
    is_it = [f"match(tool_name, {_quoted('^(?:' + e['tool'] + ')$')})" for e in entries]
    agent = [
        f"firstNonDefault({', '.join(f'JSONExtractString(arguments, {_quoted(key)})' for key in e['argument'])}, '')" if e["argument"]
        else f"extract(tool_name, {_quoted('^' + e['tool'] + '$')})"
        for e in entries
    ]  # fmt: skip
    action = "operation = 'execute_tool'"
    if name == "delegate_name":
        found = ", ".join(f"{test}, {said}" for test, said in zip(is_it, agent, strict=True))
        return f"arrayFirst(x -> lower(x) NOT IN ({nobody}), [if({action}, multiIf({found}, ''), '')])"
    tests = [
        test if e["argument"] else f"{test} AND lower({said}) NOT IN ({nobody})"
        for e, test, said in zip(entries, is_it, agent, strict=True)
    ]
    if name == "delegation_mode":
        found = ", ".join(f"{test}, {_quoted(e['mode'])}" for e, test in zip(entries, tests, strict=True))
        return f"if({action}, multiIf({found}, ''), '')"
    if name == "side_effect":
        return f"if({action} AND tool_name != '', if({' OR '.join(tests)}, 'none', guess), '')"
    return ""


def _guess() -> str:
    """The effect that the first telling word in the name of a tool suggests."""
    words = r"lower(replaceRegexpAll(tool_name, '([a-z])([A-Z])', '\\1_\\2'))"
    verbs = patterns()["verbs"]
    keys, effects = (", ".join(map(_quoted, side)) for side in (verbs, verbs.values()))
    guess = f"transform(extract({words}, {_quoted(patterns()['verb_pattern'])}),\n        [{keys}],\n        [{effects}], 'unknown')"
    is_worse = f"by_verb = 'write' AND match({words}, {_quoted(patterns()['destructive_pattern'])})"
    return f"{guess} AS by_verb,\n    if({is_worse}, 'destructive', by_verb)"
