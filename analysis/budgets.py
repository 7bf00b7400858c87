"""Budgets of the settings: what was spent of each in its window, from sums by the minute that are kept in the store.

A minute's sums are made anew from the rows of that minute whenever one of them changes, so that late, changed and
repeated spans count once and a pass costs what its minutes hold, whatever lies before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import polars as pl

from actorscope.analysis.spending import NODES
from actorscope.ingest.store.client import Store, query_text
from actorscope.settings import BudgetSettings

_UTC = pl.Datetime("ns", "UTC")
WINDOW: Any = {
    "number": pl.Int64, "node": pl.String, "id": pl.String, "name": pl.String, "period": pl.String, "limit": pl.Float64,
    "began": _UTC, "ends": _UTC, "spent_usd": pl.Float64, "recent_usd": pl.Float64, "last_at": _UTC, "trace_id": pl.String,
    "span_id": pl.String, "at": _UTC,
}  # fmt: skip
"""A budget with what was spent in a window that was touched; without a period the window is a run. `recent_usd` is of the
last 15 minutes, the place the latest span that is looked at now."""
BURN: Any = {
    **{c: WINDOW[c] for c in ("number", "node", "id", "name", "period", "limit", "trace_id", "span_id", "at")},
    "pair": pl.Int64, "factor": pl.Float64, "period_minutes": pl.Int64, "long_minutes": pl.Int64, "short_minutes": pl.Int64,
    "long_usd": pl.Float64, "short_usd": pl.Float64, "runs": pl.Int64,
}  # fmt: skip
"""A budget with what was spent in two windows that end with a touched minute; `runs` spent in the short one."""
_MINUTES = {"day": 24 * 60, "month": 30 * 24 * 60}
PAIRS = {
    "month": ((14.4, 60, 5), (6.0, 360, 30), (3.0, 1440, 120), (1.0, 4320, 360)),
    "day": ((14.4, 10, 2), (6.0, 30, 5), (2.0, 120, 15)),
}
"""By period: how many times as fast as the budget lasts, over which long and short window in minutes."""
_NAMES = {"actor_id": "actor_name", "starter_id": "starter_name"}
_NODES = {node: (id_, _NAMES.get(id_, id_)) for node, id_ in NODES.items()}
_TRUNCATE = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo"}
_PERIOD = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=31)}
_BACK = timedelta(days=35)


def nothing() -> dict[str, pl.DataFrame]:
    """The frames where there are no budgets."""
    return {"budgets": pl.DataFrame(schema=WINDOW), "burns": pl.DataFrame(schema=BURN)}


class Budgets:
    """The budgets of the settings over the sums in the store. The first call makes the sums of what lies before it."""

    def __init__(self, store: Store, budgets: Sequence[BudgetSettings]) -> None:
        self._store = store
        self._budgets = list(enumerate(budgets))
        self._is_whole = False

    def frames(self, steps: pl.DataFrame, before: pl.DataFrame, version: int) -> dict[str, pl.DataFrame]:
        """The frames `budgets` and `burns` of touched steps; `before` is what was known of them."""
        if not self._budgets:
            return nothing()
        spent = steps.filter(pl.col("cost_usd") > 0)
        old = before.filter(pl.col("cost_usd") > 0)
        if any(budget.period for _, budget in self._budgets):
            self._sum_up(spent, old, version)
        touched = pl.concat(_nodes(spent, node) for node in _NODES)
        windows = [self._of_runs(n, b, steps) if not b.period else self._of_period(n, b, touched) for n, b in self._budgets]
        burns = [self._burn(n, b, touched) for n, b in self._budgets if b.period in PAIRS]
        return {
            "budgets": pl.concat([pl.DataFrame(schema=WINDOW), *windows]),
            "burns": pl.concat([pl.DataFrame(schema=BURN), *burns]),
        }

    def _sum_up(self, spent: pl.DataFrame, old: pl.DataFrame, version: int) -> None:
        """Make the sums of the touched minutes anew."""
        gone = pl.concat(_nodes(old, node) for node in _NODES) if old.height else pl.DataFrame()
        gone = gone.select("node", "id", _minute("at").alias("minute")).unique() if old.height else gone
        minutes = pl.concat([frame.select(_minute("start_time").alias("minute")) for frame in (spent, old)])["minute"].unique().sort()
        if minutes.is_empty():
            return
        if not self._is_whole:
            first = minutes[0] - int(_BACK.total_seconds())
            minutes = pl.Series([], dtype=pl.Int64)
        else:
            first = minutes[0]
        zero = {key: gone[key].to_list() if gone.height else [] for key in ("node", "id", "minute")}
        asked = {"minutes": minutes.to_list(), "is_all": int(not self._is_whole), "first": first, "version": version}
        named = {"nodes": zero["node"], "ids": zero["id"], "at": zero["minute"]}
        self._store.command(query_text("spend_minutes"), {**asked, **named})
        self._is_whole = True

    def _of_runs(self, number: int, budget: BudgetSettings, steps: pl.DataFrame) -> pl.DataFrame:
        """Runs that match; of other nodes than actors the topmost ones."""
        runs = steps.filter("is_run", pl.col("run_cost_usd") > 0)
        id_, name = _NODES.get(budget.node, _NODES["actor"])
        if budget.node not in ("run", "actor"):
            runs = runs.filter(pl.col("root_span_id") == pl.col("span_id"), pl.col("root_trace_id") == pl.col("trace_id"))
        rows = runs.select(
            pl.lit(number).alias("number"), pl.lit(budget.node).alias("node"), pl.col(id_).fill_null("").alias("id"),
            pl.coalesce(name, id_, pl.lit("")).alias("name"), pl.lit("").alias("period"), pl.lit(budget.usd).alias("limit"),
            pl.col("start_time").alias("began"), pl.col("end_time").alias("ends"), pl.col("run_cost_usd").alias("spent_usd"),
            pl.lit(0.0).alias("recent_usd"), pl.col("end_time").alias("last_at"), "trace_id", "span_id", pl.col("start_time").alias("at"),
        )  # fmt: skip
        return rows.filter(_matches(budget)).cast(WINDOW)

    def _of_period(self, number: int, budget: BudgetSettings, touched: pl.DataFrame) -> pl.DataFrame:
        mine = touched.filter(pl.col("node") == budget.node).filter(_matches(budget))
        mine = mine.with_columns(pl.col("at").dt.truncate(_TRUNCATE[budget.period]).alias("began"))
        if mine.is_empty():
            return pl.DataFrame(schema=WINDOW)
        low, high = mine.select(low=pl.col("began").min(), high=pl.col("began").max()).row(0)
        asked = {"node": budget.node, "ids": mine["id"].unique().sort().to_list(), "period": budget.period}
        sums = self._store.named("budget_windows", **asked, **{"from": low, "to": high + _PERIOD[budget.period]})
        sums = sums.with_columns(pl.col("began", "last_at").cast(_UTC))
        place = mine.sort("at", "trace_id", "span_id").unique(["id", "began"], keep="last", maintain_order=True)
        found = place.join(sums, on=["id", "began"]).with_columns(
            number=pl.lit(number), period=pl.lit(budget.period), limit=pl.lit(budget.usd),
            ends=pl.col("began").dt.offset_by(_TRUNCATE[budget.period]),
        )  # fmt: skip
        return found.select(*WINDOW).cast(WINDOW)

    def _burn(self, number: int, budget: BudgetSettings, touched: pl.DataFrame) -> pl.DataFrame:
        mine = touched.filter(pl.col("node") == budget.node).filter(_matches(budget))
        if mine.is_empty():
            return pl.DataFrame(schema=BURN)
        mine = mine.with_columns(pl.col("at").dt.truncate("1m").alias("minute"))
        place = mine.sort("at", "trace_id", "span_id").unique(["id", "minute"], keep="last", maintain_order=True)
        low, high = place.select(low=pl.col("minute").min(), high=pl.col("minute").max()).row(0)
        longest = timedelta(minutes=max(long for _, long, _ in PAIRS[budget.period]))
        ids = place["id"].unique().sort().to_list()
        minutes = self._store.named("burn_minutes", node=budget.node, ids=ids, **{"from": low - longest, "to": high})
        minutes = minutes.with_columns(pl.col("minute").cast(_UTC)).sort("id", "minute")
        found = []
        for pair, (factor, long, short) in enumerate(PAIRS[budget.period]):
            sums = _over(minutes, long, "long").join(_over(minutes, short, "short"), on=["id", "minute"])
            rows = place.join(sums, on=["id", "minute"]).with_columns(
                number=pl.lit(number), period=pl.lit(budget.period), limit=pl.lit(budget.usd), pair=pl.lit(pair), factor=pl.lit(factor),
                period_minutes=pl.lit(_MINUTES[budget.period]),
                long_minutes=pl.lit(long), short_minutes=pl.lit(short), runs=pl.col("short_runs"),
            )  # fmt: skip
            found.append(rows.select(*BURN).cast(BURN))
        return pl.concat(found)


def _over(minutes: pl.DataFrame, length: int, name: str) -> pl.DataFrame:
    """What was spent in the window that ends with each minute, and by how many runs, counted up to 16 a minute."""
    sums = minutes.rolling("minute", period=f"{length}m", group_by="id").agg(
        pl.col("usd").sum().alias(f"{name}_usd"), pl.col("roots").explode().drop_nulls().n_unique().alias(f"{name}_runs")
    )
    return sums.unique(["id", "minute"])


def _nodes(spent: pl.DataFrame, node: str) -> pl.DataFrame:
    """The spans as spend of one kind of node."""
    id_, name = (column if column in spent.columns else _NODES[node][0] for column in _NODES[node])
    rows = spent.select(
        pl.lit(node).alias("node"), pl.col(id_).fill_null("").alias("id"), pl.coalesce(name, id_, pl.lit("")).alias("name"),
        "trace_id", "span_id", pl.col("start_time").alias("at"),
    )  # fmt: skip
    return rows if node == "tenant" else rows.filter(pl.col("id") != "")


def _minute(column: str) -> pl.Expr:
    return pl.col(column).dt.truncate("1m").dt.epoch("s")


def _matches(budget: BudgetSettings) -> pl.Expr:
    def fits(text: str) -> bool:
        return fnmatchcase(text, budget.name)

    return pl.any_horizontal(pl.col(c).map_elements(fits, return_dtype=pl.Boolean) for c in ("id", "name"))
