"""Under what authority a step ran: the grant's end, its delegation, and what stands above both.

Only what the spans above in the same trace say, and the delegation that a grant names as its parent. Pure.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from actorscope.analysis.paths import Rows, above, flag, nearest, parent_rows, take

_MOMENTS = {
    "grant_ends": "grant_expires_at", "credential_ends": "credential_expires_at", "credential_begins": "credential_issued_at",
    "approval_ends": "approval_expires_at",
}  # fmt: skip
_UPPER = ("scope_granted", "grant_ends", "delegation_chain", "span_id", "delegation_max_depth")
GRANT = pl.col("scope_granted").list.len() > 0
STATES = GRANT | pl.col("delegation_depth").is_not_null() | (pl.col("delegation_chain").list.len() > 0)
"""The span says something of the delegation that it stands for."""
DONE = (
    pl.col("is_error").not_()
    & pl.col("is_replayed").not_()
    & pl.col("state").fill_null("").is_in(["waiting", "control"]).not_()
)
"""The action took place, now and here."""
KNOWN = pl.col("actor_id").is_not_null() & (pl.col("actor_basis") != "inferred") & (pl.col("actor_kind") != "service")
"""The telemetry itself says who acted."""


def authorities(steps: pl.DataFrame) -> pl.DataFrame:
    """`steps` with moments as times (`grant_ends`, `credential_begins`, `credential_ends`, `approval_ends`), and from the
    nearest span above that says so: `grant_ends` with `ends_span_id`, `under_id` (the delegation it runs under) with
    its `under_chain`, `under_max_depth`, and for a delegation what its own rests on (`upper_*`; its own end is `own_ends`).
    """
    moments = (
        pl.col(text).str.to_datetime("%+", time_unit="ns", time_zone="UTC", strict=False).alias(name)
        for name, text in _MOMENTS.items()
    )
    steps = steps.with_columns(moments)
    parent = parent_rows(steps)
    return _above(_upper(steps, parent), parent)


def _above(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """A delegating action states what the delegate gets; it runs itself under what stands above it."""
    gives = flag((pl.col("role") != "run") & (GRANT | pl.col("delegate_name").is_not_null()), steps)
    found = {}
    columns = {
        "grant_ends": pl.col("grant_ends").is_not_null(), "delegation_id": pl.col("delegation_id").is_not_null(),
        "delegation_chain": pl.col("delegation_chain").list.len() > 0, "delegation_max_depth": pl.col("delegation_max_depth").is_not_null(),
    }  # fmt: skip
    for column, stated in columns.items():
        says = flag(stated, steps)
        found[column] = np.where(gives, above(says, parent), nearest(says, parent))
    return steps.with_columns(
        pl.col("grant_ends").alias("own_ends"),
        take(steps["grant_ends"], found["grant_ends"]).alias("grant_ends"),
        take(steps["delegation_chain"], found["delegation_chain"]).alias("under_chain"),
        take(steps["span_id"], found["grant_ends"]).alias("ends_span_id"),
        take(steps["delegation_id"], found["delegation_id"]).alias("under_id"),
        take(steps["delegation_max_depth"], found["delegation_max_depth"]).alias("under_max_depth"),
    )


def _upper(steps: pl.DataFrame, parent: Rows) -> pl.DataFrame:
    """What the delegation above says: the one that is named as the parent, else the next one up the tree."""
    steps = steps.with_row_index("row")
    named = steps.filter(pl.col("delegation_id").is_not_null(), STATES).sort("start_time", "span_id")
    named = named.unique("delegation_id", keep="first", maintain_order=True)
    ids = steps.select("row", "delegation_parent_id").join(
        named.select(pl.col("delegation_id").alias("delegation_parent_id"), pl.col("row").alias("upper")),
        on="delegation_parent_id", how="left", maintain_order="left",
    )  # fmt: skip
    by_id = ids["upper"].fill_null(steps.height).cast(pl.Int64).to_numpy()
    states = flag(STATES, steps)
    # Both sides of one act of delegation tell of it; the other side is not above.
    same = np.append(steps["delegation_id"].fill_null("").to_numpy(), "")
    tree = above(states, parent)
    for _ in range(2):
        is_same = (same[tree] == same[:-1]) & (same[:-1] != "") & (tree < steps.height)
        tree = np.where(is_same, np.append(tree, steps.height)[tree], tree)
    rows = np.where(by_id < steps.height, by_id, tree)
    return steps.with_columns(
        *(take(steps[column], rows).alias(f"upper_{column}") for column in _UPPER),
        take(steps["trace_id"], rows).alias("upper_trace_id"),
        pl.Series("upper_is_named", by_id < steps.height),
    ).drop("row")
