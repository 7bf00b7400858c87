"""What log records say of spans: content, approvals, decisions that stand in events of their own join the span they name."""

from __future__ import annotations

import polars as pl

_PLACE = ("trace_id", "span_id", "time")
_TIME = pl.Datetime("ns", "UTC")


def told(spans: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """`spans` with the facts of `logs` (columns of `queries/trace_logs.sql`) where the span itself says nothing.

    A record names its span by its id; one that carries a response id or the id of a tool call means the span of its
    trace with the same one, for such records are often written while an outer span is current. Of several records that
    say the same fact the earliest counts, and an answer to a request for approval before the request (`answered_at`).
    """
    spans = spans.drop("answered_at", strict=False)
    facts = [name for name in logs.columns if name not in _PLACE and name in spans.columns]
    if logs.is_empty() or spans.is_empty():
        return spans.with_columns(pl.lit(None, _TIME).alias("answered_at"))
    ids = ["trace_id", "span_id"]
    for key in ("response_id", "tool_call_id"):
        meant = spans.filter(pl.col(key).is_not_null()).select("trace_id", key, pl.col("span_id").alias("meant"))
        meant = meant.unique(["trace_id", key], keep="none")
        logs = logs.join(meant, on=["trace_id", key], how="left", maintain_order="left")
        logs = logs.with_columns(pl.coalesce("meant", "span_id").alias("span_id")).drop("meant")
    logs = logs.sort("time", *(f for f in facts if logs.schema[f] == pl.String))
    answer = pl.col("approval_status").is_not_null() & (pl.col("approval_status") != "pending")
    answered_at = pl.col("time").filter(answer).first().cast(_TIME).alias("answered_at")
    said = logs.group_by(ids, maintain_order=True).agg(
        answered_at, *(_first(name, logs.schema[name]) for name in facts if name != "approval_status"),
        pl.coalesce(pl.col("approval_status").filter(answer).first(), _first("approval_status", pl.String())),
    )  # fmt: skip
    spans = spans.join(said, on=ids, how="left", suffix="_told", maintain_order="left")
    spans = spans.with_columns(_own_or_told(name, spans.schema[name]) for name in facts)
    return spans.drop(f"{name}_told" for name in facts)


def _first(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return pl.col(name).filter(pl.col(name).list.len() > 0).first()
    return pl.col(name).drop_nulls().first()


def _own_or_told(name: str, dtype: pl.DataType) -> pl.Expr:
    own = pl.when(pl.col(name).list.len() > 0).then(pl.col(name)) if isinstance(dtype, pl.List) else pl.col(name)
    return pl.coalesce(own, pl.col(f"{name}_told"), pl.col(name)).alias(name)
