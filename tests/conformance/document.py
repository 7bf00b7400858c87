"""docs/dialects.md: what each framework's telemetry shows of what happened, on what basis, and why the rest cannot be seen."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.conformance.facts import FACTS, Fact, truth
from tests.conftest import ROOT

from actorscope.semconv.dialects import dialects

PATH = ROOT / "docs" / "dialects.md"
_LIMITS = Path(__file__).with_name("limits.yaml")


@cache
def limits() -> dict[str, dict[str, dict[str, Any]]]:
    """What a recording cannot show: recording -> fact -> {shows, wrong, why}. See the head of `limits.yaml`."""
    raw: dict[str, dict[str, Any]] = yaml.safe_load(_LIMITS.read_text())
    return {
        name: {fact: {"shows": 0, "wrong": 0, **said} for fact, said in found.items()} for name, found in raw.items()
    }


def text(measured: dict[str, dict[str, Fact]]) -> str:
    """The whole document for these recordings."""
    parts = [
        "# Dialects",
        "Made by `python -m tests.conformance` from the recordings in `tests/recordings`; do not edit.",
        "Actorscope reads these vocabularies (`semconv/dialects/*.yaml`). A span may speak several; what none of them "
        "says stays as it came.",
        "\n".join(f"- `{d.name}`: {d.title}" for d in dialects()),
        "## What a framework's telemetry shows",
        "Real frameworks ran one story with a scripted model; what really happened was noted beside the telemetry. A cell says how many "
        "of the real facts the views show and on what basis: **decl**ared (an attribute says so), **deri**ved (a rule over official "
        "attributes), **infe**rred (names, order, structure). `-`: the story has no such fact. A number below the whole has its reason in "
        "the list below; a test keeps every number.",
        "\n".join(f"- **{fact}**: {meaning}" for fact, meaning in FACTS.items()),
        _table(measured),
        "## What cannot be seen, and why",
        "\n".join(_reasons(measured)),
        "## What was recorded",
        "\n".join(_packages(measured)),
    ]
    return "\n\n".join(parts) + "\n"


def _table(measured: dict[str, dict[str, Fact]]) -> str:
    head = "| recording | " + " | ".join(FACTS) + " |\n|" + " --- |" * (len(FACTS) + 1)
    return "\n".join(
        [
            head,
            *(f"| {name} | " + " | ".join(_cell(found[f]) for f in FACTS) + " |" for name, found in measured.items()),
        ]
    )


def _cell(fact: Fact) -> str:
    if not fact.expected:
        return "-" if not fact.wrong else f"{fact.wrong} too many"
    parts = [f"{fact.shown}/{fact.expected}" if fact.expected < 1000 else f"{fact.shown / fact.expected:.0%}"]
    if fact.wrong:
        parts.append(f"+{fact.wrong} wrong" if fact.expected < 1000 else f"+{fact.wrong / fact.expected:.0%} wrong")
    if fact.basis and fact.shown:
        parts.append(fact.basis[:4])
    return " ".join(parts)


def _reasons(measured: dict[str, dict[str, Fact]]) -> list[str]:
    lines = []
    for name in measured:
        by_reason: dict[str, list[str]] = {}
        for fact, said in limits().get(name, {}).items():
            by_reason.setdefault(said["why"], []).append(fact)
        lines += [f"- {name}: {', '.join(facts)}: {why}" for why, facts in by_reason.items()]
    return lines


def _packages(measured: dict[str, dict[str, Fact]]) -> list[str]:
    lines = []
    for name in measured:
        packages = truth(name).get("packages") or {}
        if isinstance(packages, dict) and packages:
            lines.append(f"- {name}: " + ", ".join(f"{package} {version}" for package, version in packages.items()))
    return lines
