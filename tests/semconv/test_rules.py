"""The laws: the sound registry keeps them all, and for each there is a registry that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from actorscope.semconv import rules
from actorscope.semconv.generate import ROOM
from actorscope.semconv.load import load

Write = Callable[..., Path]

ID = "key: acme.delegation.id"
TEXT = '    type: string\n    brief: Identifier of a delegation.\n    examples: ["dlg_1"]\n    stability: development\n'
ANOTHER = '  - key: {key}\n    type: string\n    brief: X.\n    examples: ["x"]\n    stability: development\n'
GROUPS = "attribute_groups:\n"
CORE = "  - id: acme.core\n"
EVENT_REF = "      - ref: acme.delegation.scopes\n"


def another(key: str) -> str:
    return ANOTHER.format(key=key) + GROUPS


def gone(reason: str) -> str:
    return TEXT + f"    deprecated: {{{reason}}}\n"


BREACHES = [
    (rules.well_formed_names, ID, "key: acme.Delegation.id", "`acme.Delegation.id` is not a well-formed name"),
    (rules.well_formed_names, ID, "key: acme.delegation..id", "not a well-formed name"),
    (rules.well_formed_names, ID, "key: acme.delegation__id", "not a well-formed name"),
    (rules.well_formed_names, ID, "key: acme.delegation.id_", "not a well-formed name"),
    (rules.well_formed_names, ID, "key: acme.delegation.1st", "not a well-formed name"),
    (rules.well_formed_names, ID, "key: acme", "not a well-formed name"),
    (rules.well_formed_names, ID, "key: gen_ai.delegation.id", "outside the namespace `acme`"),
    (rules.well_formed_names, "name: acme.delegation.accepted", "name: other.accepted", "outside the namespace"),
    (rules.well_formed_names, "type: acme.delegate.internal", "type: acme.delegate-it", "not a well-formed name"),
    (rules.unique_names, GROUPS, another("acme.delegation.id"), "`acme.delegation.id` is defined 2 times"),
    (rules.unique_names, CORE, "  - id: acme.delegation.common\n", "is defined 2 times"),
    (rules.no_name_is_a_namespace, GROUPS, another("acme.delegation"), "the namespace of `acme.delegation.id`"),
    (rules.distinct_constants, GROUPS, another("acme.delegation_id"), "become the same constant"),
    (rules.plural_means_array, ID, "key: acme.delegation.ids", "`acme.delegation.ids` is plural but not an array"),
    (rules.plural_means_array, "key: acme.delegation.scopes", "key: acme.delegation.scope", "its name is singular"),
    (rules.described, "Identifier of a delegation.", "Identifier of a delegation", "acme.delegation.id` is not a sent"),
    (rules.described, "brief: The delegator waits.", "brief: waiting", "`acme.delegation.mode=wait` is not a sentence"),
    (rules.described, "brief: Handing work over.", "brief: delegate", "`acme.delegate.internal` is not a sentence"),
    (rules.described, "brief: Record these first.", "brief: core", "`acme.core` is not a sentence"),
    (rules.exemplified, '    examples: ["dlg_1"]\n', "", "`acme.delegation.id` has no examples"),
    (rules.exemplified, '["dlg_1"]', "[1]", "example 1 of `acme.delegation.id` is not string"),
    (rules.exemplified, '["dlg_1"]', "[2026-11-20T18:00:00Z]", "is not string"),
    (rules.exemplified, '["a:read", "a:write"]', '"a:read"', "'a:read' of `acme.delegation.scopes` is not string[]"),
    (rules.exemplified, "type: string\n", "type: int\n", "is not int"),
    (rules.exemplified, 'type: string\n    brief: Identifier of a delegation.\n    examples: ["dlg_1"]',
     "type: int\n    brief: Identifier of a delegation.\n    examples: [true]", "example True"),
    (rules.sound_enums, "id: detached", "id: wait", "member id `wait` of `acme.delegation.mode` is given twice"),
    (rules.sound_enums, 'value: "detached"', 'value: "wait"', "value `wait` of `acme.delegation.mode` is given twice"),
    (rules.sound_enums, 'value: "detached"', "value: 2", "value 2 of `acme.delegation.mode` is not text"),
    (rules.sound_enums, "id: detached", "id: De-tached", "`De-tached` is not a well-formed member id"),
    (rules.sound_enums, "    type: string\n", "    type: {members: []}\n", "`acme.delegation.id` has no members"),
    (rules.resolved_references, EVENT_REF, "      - ref: acme.unknown\n", "attribute `acme.unknown` is not defined"),
    (rules.resolved_references, EVENT_REF, "      - ref: mcp.method.name\n", "`mcp.method.name` is not defined"),
    (rules.resolved_references, "ref_group: acme.delegation.common", "ref_group: acme.lost", "`acme.lost` is not"),
    (rules.resolved_references, "    ref: gen_ai.invoke_agent", "    ref: acme.invoke_agent", "upstream registry"),
    (rules.unambiguous_references, EVENT_REF, EVENT_REF * 2, "`acme.delegation.scopes` is referred to 2 times"),
    (rules.unambiguous_references, EVENT_REF,
     "      - ref_group: acme.core\n      - ref_group: acme.delegation.common\n", "contain `acme.delegation.id`"),
    (rules.acyclic_groups, "      - ref: acme.delegation.id\nspans:",
     "      - ref_group: acme.core\nspans:", "`acme.core` contains itself"),
    (rules.honest_deprecation, TEXT, gone("reason: renamed, renamed_to: acme.x"), "`acme.x`, which is not defined"),
    (rules.honest_deprecation, TEXT, gone("reason: renamed, renamed_to: acme.delegation.mode"), "but `acme.delegation"),
    (rules.honest_deprecation, TEXT, gone("reason: renamed, renamed_to: acme.delegation.id"), "is deprecated itself"),
    (rules.honest_deprecation, TEXT, gone("reason: obsoleted"), "is obsoleted without a note"),
    (rules.every_attribute_is_used, EVENT_REF, "", "no event or span uses `acme.delegation.scopes`"),
    (rules.every_attribute_is_used, TEXT, gone("reason: obsoleted, note: x"), "is deprecated but still referred to"),
    (rules.stability_flows_down, "brief: The delegate took the work.\n    stability: development",
     "brief: The delegate took the work.\n    stability: stable", "relies on development `acme.delegation.scopes`"),
]  # fmt: skip


def test_the_sound_registry_breaks_no_law(write: Write) -> None:
    assert rules.broken(load(write())) == []


@pytest.mark.parametrize(("rule", "old", "new", "message"), BREACHES)
def test_a_breach_is_found_by_its_rule(
    write: Write, words: str, rule: rules.Rule, old: str, new: str, message: str
) -> None:
    assert old in words
    registry = load(write(words.replace(old, new, 1)))
    found = list(rule(registry))
    assert any(message in problem.message for problem in found), found
    assert all(problem.where.startswith("registry/words.yaml:") for problem in found)
    assert set(found) <= set(rules.broken(registry))


def test_every_rule_has_a_breach() -> None:
    assert {rule for rule, *_ in BREACHES} == set(rules.RULES)


@pytest.mark.parametrize("line", ["", "requirement_level: opt_in\n"])
def test_a_stable_signal_may_offer_what_is_not_stable_only_by_choice(write: Write, words: str, line: str) -> None:
    spoilt = words.replace("took the work.\n    stability: development", "took the work.\n    stability: stable")
    spoilt = spoilt.replace(EVENT_REF, EVENT_REF + (f"        {line}" if line else ""))
    assert bool(list(rules.stability_flows_down(load(write(spoilt))))) is (not line)


@pytest.mark.parametrize("why", ["reason: renamed, renamed_to: acme.delegation.id", "reason: obsoleted, note: Gone."])
def test_a_deprecated_attribute_that_nobody_carries_is_fine(write: Write, words: str, why: str) -> None:
    old = ANOTHER.format(key="acme.delegation.key") + f"    deprecated: {{{why}}}\n"
    assert rules.broken(load(write(words.replace(GROUPS, old + GROUPS)))) == []


def test_our_own_registry_breaks_no_law() -> None:
    assert rules.broken(load()) == []


def test_every_column_of_ours_is_a_word_of_ours() -> None:
    columns = yaml.safe_load((ROOM / "columns.yaml").read_text(encoding="utf-8"))["columns"]
    named = {c["attribute"] for c in columns if str(c.get("attribute", "")).startswith("actorscope.")}
    assert named
    assert named <= set(load().attribute_by_key)
