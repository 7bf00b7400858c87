"""Dialect files: what is shipped loads, and whoever writes a new one hears of every mistake at once."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import pytest
from tests.ingest import otlp

from actorscope.errors import DefinitionError
from actorscope.ingest.decode import decode_traces
from actorscope.ingest.normalise import normalise
from actorscope.semconv import dialects as loader
from actorscope.semconv.dialects import BASES, COLUMN_TYPES, columns, dialects, load

_README = files("actorscope.semconv").joinpath("dialects/README.md").read_text()


def _document(**given: Any) -> dict[str, Any]:
    return {"dialect": "mine", "detect": {"prefixes": ["mine."]}, **given}


def _problems(*documents: Any) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionError) as caught:
        load({f"{n}.yaml": document for n, document in enumerate(documents)})
    return [(problem.where, problem.message) for problem in caught.value.problems]


def test_the_shipped_dialects_load_the_preferred_first() -> None:
    names = [dialect.name for dialect in dialects()]
    assert {"actorscope", "otel_genai", "traceloop", "openinference"} <= set(names)
    assert names[:2] == ["actorscope", "otel_genai"]
    assert [d.order for d in dialects()] == sorted(d.order for d in dialects())
    assert len(names) == len(set(names))


def test_every_column_has_a_type_and_one_attribute() -> None:
    assert {column.type for column in columns()} <= set(COLUMN_TYPES)
    attributes = [column.attribute for column in columns()]
    assert len(attributes) == len(set(attributes))


def test_shipped_rules_can_be_applied() -> None:
    """What only shows when spans come: groups in expressions, pairs in `same`, words after `otherwise`."""
    for dialect in dialects():
        for rule in dialect.rules:
            assert not rule.extract or re.compile(rule.extract).groups >= 1, (dialect.name, rule)
            assert len(rule.same) in (0, 2), (dialect.name, rule)
            assert rule.otherwise in ("drop", "keep"), (dialect.name, rule)


def test_all_problems_are_told_at_once() -> None:
    rules = [
        {"from": "a", "when": 1, "unless": 2},
        {"from": "a", "constant": "b"},
        {"where": {"a": "b"}},
        {"from": "a", "basis": "guessed"},
        {"from": "@trace"},
        {"from": "a", "content": "answer"},
    ]
    found = _problems(_document(columns={"agent_name": rules, "agent_nam": ["x"]}), {"dialect": "other"}, ["no"])
    assert found == [
        ("0.yaml: agent_name[0]", "unknown keys ['unless', 'when']"),
        ("0.yaml: agent_name[1]", "a rule needs either `from`, `keys`, `constant` or `nothing`"),
        ("0.yaml: agent_name[2]", "a rule needs either `from`, `keys`, `constant` or `nothing`"),
        ("0.yaml: agent_name[3]", f"basis must be one of {', '.join(BASES)}"),
        ("0.yaml: agent_name[4]", "unknown source @trace"),
        ("0.yaml: agent_name[5]", "content must be one of request, tool_calls, arguments"),
        ("0.yaml: agent_nam", "no such column"),
        ("1.yaml", "detect needs attributes, prefixes or scopes"),
        ("2.yaml", "a dialect file needs `dialect: name`"),
    ]


def test_a_dialect_defined_twice_is_a_problem() -> None:
    assert _problems(_document(), _document()) == [("mine", "dialect is defined twice")]


@pytest.mark.parametrize("detect", [None, {}, {"attributes": []}, {"prefixes": None, "scopes": []}])
def test_a_dialect_must_say_how_it_is_recognised(detect: Any) -> None:
    assert _problems(_document(detect=detect)) == [("0.yaml", "detect needs attributes, prefixes or scopes")]


def test_a_rule_comes_out_as_it_was_written() -> None:
    written = {
        "from": "a", "where": {"x": "1", "y": [2, "3"]}, "present": "p", "absent": ["q", "r"], "same": ["@name", "a"],
        "values": {"A": "b", 1: 2}, "otherwise": "keep", "ignore": ["", "none"], "lower": True, "strip_prefix": "pre",
        "strip_suffix": "suf", "extract": "^(.+)$", "json": "$.x", "content": "request", "basis": "inferred",
        "first": True,
    }  # fmt: skip
    [mine] = load({"m.yaml": _document(order=7, columns={"agent_name": [written, "b", {"constant": "c"}]})})
    assert (mine.order, mine.prefixes, mine.attributes, mine.scopes) == (7, ("mine.",), (), ())
    full, short, constant = mine.rules
    assert full == loader.Rule(
        "agent_name", "a", None, {"x": ("1",), "y": ("2", "3")}, ("p",), ("q", "r"), ("@name", "a"),
        {"A": "b", "1": "2"}, "keep", ("", "none"), True, "pre", "suf", "^(.+)$", "$.x", "request", "inferred", True,
    )  # fmt: skip
    assert full.attribute_keys(frozenset({"y"})) == {"a", "x", "p", "q", "r"}
    assert (short.source, short.basis, constant.constant, constant.source) == ("b", "derived", "c", "")


def test_the_readme_names_every_key_of_a_rule_and_no_other() -> None:
    rows = [line for line in _README.splitlines() if line.startswith("| `")]
    named = {key for row in rows for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == loader._RULE_KEYS
    keys_of_basis = next(row for row in rows if row.startswith("| `basis`"))
    assert set(re.findall(r"`(\w+)`", keys_of_basis.split("|")[2])) == set(BASES)


def test_the_example_in_the_readme_loads() -> None:
    import yaml

    [example] = re.findall(r"```yaml\n(.*?)```", _README, re.DOTALL)
    [dialect] = load({"example.yaml": yaml.safe_load(example)})
    assert (dialect.name, dialect.rules[0].where) == ("traceloop", {"traceloop.span.kind": ("agent",)})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"from": "a.b", "extract": "(["}, "no regular expression"),
        ({"from": "a.b", "extract": "abc"}, "needs a group"),
        ({"from": "a.b", "same": ["a.b"]}, "two keys"),
    ],
)
def test_a_rule_that_could_only_fail_later_is_refused_at_once(rule: dict[str, object], says: str) -> None:
    document = {"dialect": "x", "detect": {"prefixes": ["x."]}, "columns": {"model": [rule]}}
    with pytest.raises(DefinitionError, match=says):
        load({"x.yaml": document})


def test_rules_that_are_no_list_are_named() -> None:
    document = {"dialect": "x", "detect": {"prefixes": ["x."]}, "columns": {"model": "gen_ai.request.model"}}
    with pytest.raises(DefinitionError, match="needs a list"):
        load({"x.yaml": document})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"keys": "([", "content": "tool_calls"}, "keys is no regular expression"),
        ({"keys": "a"}, "`keys` needs `content`"),
        ({"keys": "a", "from": "a", "content": "tool_calls"}, "needs either"),
        ({"nothing": True, "constant": "x"}, "needs either"),
        ({"from": "a", "content": "result"}, "content must be one of"),
    ],
)
def test_the_newer_keys_are_checked_too(rule: dict[str, object], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        load({"x.yaml": _document(columns={"tool_calls": [rule]})})


def test_the_newer_keys_come_out_as_they_were_written() -> None:
    rules = [
        {"from": "a", "event": "e", "plus": ["b", "c"]},
        {"from": "a", "resource": True},
        {"keys": "k", "content": "tool_calls"},
        {"nothing": True},
    ]
    [mine] = load({"m.yaml": _document(columns={"tool_calls": rules})})
    event, resource, keys, nothing = mine.rules
    assert (event.place, resource.place, keys.place, nothing.place) == ("event e a", "resource a", "keys k", "")
    assert (event.plus, nothing.nothing) == (("b", "c"), True)
    assert event.attribute_keys(frozenset()) == resource.attribute_keys(frozenset()) == set()


def test_no_rule_reads_a_column_where_only_attributes_are_read() -> None:
    """Attributes with the name of a column are few; a new one is either named here or a mistake."""
    names = {column.name for column in columns()}
    found = {(d.name, rule.source) for d in dialects() for rule in d.rules if rule.source in names}
    claude = {
        ("claude_code", name)
        for name in ("agent_id", "tool_name", "model", "input_tokens", "output_tokens", "error_type")
    }
    real = {
        ("otel_genai", "tool_calls"),
        ("logfire", "response_id"),
        ("pydantic_ai", "agent_name"),
        ("mlflow", "tool_call_id"),
    }
    assert found - claude - real <= {("agt", "agent_id")}, "agt is a known mistake: see tests/vectors/agt.yaml"


@pytest.mark.parametrize("name", ["agent", "OpenAI Agent", "ChatClient", "Strands Agents", "AgentRunner.run", ""])
def test_a_default_name_makes_no_agent(name: str) -> None:
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}
    [row] = normalise(decode_traces([otlp.traces(otlp.span(1, attributes, name=f"invoke_agent {name}"))])).to_pylist()
    assert (row["operation"], row["agent_name"], row["agent_basis"]) == ("invoke_agent", None, None)
