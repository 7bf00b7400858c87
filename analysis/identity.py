"""Who a span says it is: one id per agent, neither split by formatting nor merged by default names."""

from __future__ import annotations

import polars as pl

_SERVICE = pl.col("service_name").fill_null("")
_RANDOM = r"[0-9a-f]{16,}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-"
"""Ids that are made anew for each run name the run, not the agent."""


def slug(name: pl.Expr) -> pl.Expr:
    """A name without what is only its spelling: case, and what stands between its words."""
    return name.str.strip_chars().str.to_lowercase().str.replace_all(r"[\s_\-]+", "_")


def named(name: pl.Expr) -> pl.Expr:
    """The id of an agent that is known by its name within the `service_name` of its row."""
    return pl.when(name.is_not_null()).then(pl.format("{}/{}", _SERVICE, slug(name)))


def identify(steps: pl.DataFrame) -> pl.DataFrame:
    """Adds `own_key`, the identity a span states: principal, stable agent id, else service and name.

    A name that has exactly one principal or stable id in its trace and service stands for that one.
    """
    is_stable = pl.col("agent_id").str.contains(_RANDOM).not_()
    stable = pl.when(is_stable).then(pl.format("{}/{}", _SERVICE, "agent_id"))
    by_name = named(pl.col("agent_name"))
    steps = steps.with_columns(pl.coalesce("principal_id", stable).alias("official"), by_name.alias("by_name"))
    known = steps.filter(pl.col("by_name").is_not_null(), pl.col("official").is_not_null())
    names = known.group_by("trace_id", "by_name").agg(
        pl.col("official").first().alias("only"), pl.col("official").n_unique().alias("several")
    )
    only = names.filter(pl.col("several") == 1).drop("several")
    steps = steps.join(only, on=["trace_id", "by_name"], how="left", maintain_order="left")
    random = pl.when(pl.col("agent_id").is_not_null()).then(pl.format("{}/{}", _SERVICE, "agent_id"))
    own = pl.coalesce("official", "only", "by_name", random)
    return steps.with_columns(own.alias("own_key")).drop("official", "only", "by_name")


def is_service(service: pl.Expr) -> pl.Expr:
    """Whether a service name was given; SDKs put a placeholder where it was not."""
    return service.is_not_null() & service.str.starts_with("unknown_service").not_()
