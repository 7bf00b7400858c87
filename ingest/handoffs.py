"""Tools that hand work to another agent, known by name and arguments (`semconv/handoffs.yaml`)."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import polars as pl
import yaml


@cache
def _known() -> Any:
    return yaml.safe_load(files("actorscope.semconv").joinpath("handoffs.yaml").read_text())


@cache
def argument_names() -> frozenset[str]:
    """The arguments of such tools that name an agent."""
    return frozenset(name for entry in _known()["tools"] for name in entry.get("argument", ()))


def entries() -> list[dict[str, Any]]:
    """The tools as data, for the native normaliser."""
    return [{"tool": e["tool"], "argument": list(e.get("argument", ())), "mode": e["mode"]} for e in _known()["tools"]]


def nobody() -> list[str]:
    """Names that stand for no agent."""
    return list(_known()["nobody"])


def target(tool: pl.Expr, arguments: pl.Expr) -> pl.Expr:
    """The agent that gets the work; null where the tool is none of these or does not say."""
    found: list[pl.Expr] = []
    for entry in _known()["tools"]:
        if "argument" in entry:
            said = pl.coalesce(arguments.str.json_path_match(f"$.{key}") for key in entry["argument"])
            found.append(pl.when(_is(tool, entry)).then(said))
        else:
            found.append(tool.str.extract(f"^{entry['tool']}$", 1))
    agent = pl.coalesce(found)
    return pl.when(_nobody(agent).not_()).then(agent)


def agent_in(tool: pl.Expr) -> pl.Expr:
    """The agent that a tool is by its name, if model calls inside show that it is one."""
    pattern = f"^(?:{_known()['agents_as_tools']})$"
    agent = pl.coalesce(tool.str.extract(pattern, 1), tool.str.extract(pattern, 2))
    return pl.when(_nobody(agent).not_()).then(agent)


def mode(tool: pl.Expr) -> pl.Expr:
    """Whether the delegator waits (`return_to_caller`) or passes control; null where the tool is none of these, or
    hands over to a person.
    """
    found: list[pl.Expr] = []
    for entry in _known()["tools"]:
        is_it = _is(tool, entry)
        if "argument" not in entry:
            is_it = is_it & _nobody(tool.str.extract(f"^{entry['tool']}$", 1)).not_()
        found.append(pl.when(is_it).then(pl.lit(entry["mode"])))
    return pl.coalesce(found)


def _nobody(agent: pl.Expr) -> pl.Expr:
    return agent.str.to_lowercase().is_in(_known()["nobody"])


def _is(tool: pl.Expr, entry: dict[str, Any]) -> pl.Expr:
    return tool.str.contains(f"^(?:{entry['tool']})$")
