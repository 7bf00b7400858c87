"""What tokens cost, from the `genai-prices` library; only for calls whose span states no cost."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import polars as pl
from genai_prices import Usage, calc_price

# Provider names of the GenAI convention that the price list calls otherwise.
_PROVIDERS = {
    "aws.bedrock": "aws", "azure.ai.openai": "azure", "azure.ai.inference": "azure", "gcp.gemini": "google",
    "gcp.gen_ai": "google", "gcp.vertex_ai": "google", "mistral_ai": "mistral", "moonshot_ai": "moonshotai", "x_ai": "x-ai",
}  # fmt: skip
_PROBE = 1000
_STEP = 100_000
"""Input tokens up to which prices are taken as proportional when a probe agrees; beyond, price steps may begin."""
_UNITS = ("per_input", "per_output", "per_cached", "per_cache_write")
_KEYS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens")


def price(model: str, provider: str, tokens: tuple[int, int, int, int], at: datetime | None = None) -> float | None:
    """US dollars for input, output, cached and cache-write tokens (input includes both); None for an unknown model.

    Some prices depend on the time of the call, `at`: lists change, and some providers are cheaper at night.
    """
    usage = Usage(
        input_tokens=max(tokens[0], tokens[2] + tokens[3]),
        output_tokens=tokens[1],
        cache_read_tokens=tokens[2],
        cache_write_tokens=tokens[3],
    )
    known = _PROVIDERS.get(provider, provider) or None
    for provider_id in dict.fromkeys((known, None)):
        try:
            found = calc_price(usage, model_ref=model, provider_id=provider_id, genai_request_timestamp=at)
            return float(found.total_price)
        except (LookupError, ValueError):
            continue
    return None


@lru_cache(16_384)
def _unit_prices(model: str, provider: str, hour: datetime) -> tuple[float, ...] | None:
    """Dollars per token of each kind for up to _STEP input tokens in one hour; empty where even these are not
    proportional; None for an unknown model.
    """
    probes = ((_PROBE, 0, 0, 0), (0, _PROBE, 0, 0), (_PROBE, 0, _PROBE, 0), (_PROBE, 0, 0, _PROBE))
    base = [price(model, provider, tokens, hour) for tokens in probes]
    if any(value is None for value in base):
        return None
    unit = tuple(float(value or 0) / _PROBE for value in base)
    large = price(model, provider, (_STEP, _STEP, 0, 0), hour) or 0.0
    return unit if abs(large - _STEP * (unit[0] + unit[1])) <= 1e-6 + 1e-6 * large else ()


def price_calls(calls: pl.DataFrame) -> pl.Series:
    """Cost in US dollars of model calls (`model`, `provider`, `start_time` and the four token columns); null where
    unknown.
    """
    asked = calls.select(
        pl.col("model").fill_null(""),
        pl.col("provider").fill_null(""),
        pl.col("start_time").dt.truncate("1h").dt.cast_time_unit("us").alias("hour"),
        pl.any_horizontal(pl.col("input_tokens", "output_tokens").is_not_null()).alias("has_tokens"),
        *(pl.col(key).fill_null(0).cast(pl.Float64) for key in _KEYS),
    ).with_row_index("row")
    asked = asked.filter("has_tokens", pl.col("model") != "")
    names = ["model", "provider", "hour"]
    units = {key: _unit_prices(*key) for key in asked.select(names).unique().iter_rows()}
    prices = [(*key, *(unit or (None,) * 4), unit == ()) for key, unit in units.items() if unit is not None]
    schema: Any = {**asked.select(names).schema, **dict.fromkeys(_UNITS, pl.Float64), "is_stepped": pl.Boolean}
    table = pl.DataFrame(prices, schema=schema, orient="row")
    found = asked.join(table, on=names, how="inner", maintain_order="left").with_columns(_proportional().alias("usd"))
    steep = found.filter(pl.col("is_stepped") | (pl.col("input_tokens") > _STEP))
    exact = {
        row: price(model, provider, (int(a), int(b), int(c), int(d)), hour)
        for row, model, provider, hour, a, b, c, d in steep.select("row", *names, *_KEYS).iter_rows()
    }
    costs = dict(found.select("row", "usd").iter_rows()) | exact
    return pl.Series("price_usd", [costs.get(row) for row in range(calls.height)], dtype=pl.Float64)


def _proportional() -> pl.Expr:
    plain = (pl.col("input_tokens") - pl.col("cached_tokens") - pl.col("cache_write_tokens")).clip(0)
    parts = (plain, pl.col("output_tokens"), pl.col("cached_tokens"), pl.col("cache_write_tokens"))
    return pl.sum_horizontal(*(tokens * pl.col(unit) for tokens, unit in zip(parts, _UNITS, strict=True)))
