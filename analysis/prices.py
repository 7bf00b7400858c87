"""What tokens cost, from the `genai-prices` library; only for calls whose span states no cost."""

from __future__ import annotations

from functools import lru_cache

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
_KEYS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens")


def price(model: str, provider: str, tokens: tuple[int, int, int, int]) -> float | None:
    """US dollars for input, output, cached and cache-write tokens (input includes both); None for an unknown model."""
    usage = Usage(
        input_tokens=max(tokens[0], tokens[2] + tokens[3]),
        output_tokens=tokens[1],
        cache_read_tokens=tokens[2],
        cache_write_tokens=tokens[3],
    )
    known = _PROVIDERS.get(provider, provider) or None
    for provider_id in dict.fromkeys((known, None)):
        try:
            return float(calc_price(usage, model_ref=model, provider_id=provider_id).total_price)
        except (LookupError, ValueError):
            continue
    return None


@lru_cache(4096)
def _unit_prices(model: str, provider: str) -> tuple[float, float, float, float] | None | str:
    """Dollars per token of each kind for up to _STEP input tokens; None for an unknown model, "stepped" where even
    these are not proportional.
    """
    base = [
        price(model, provider, t)
        for t in ((_PROBE, 0, 0, 0), (0, _PROBE, 0, 0), (_PROBE, 0, _PROBE, 0), (_PROBE, 0, 0, _PROBE))
    ]
    if any(value is None for value in base):
        return None
    unit = tuple(float(value or 0) / _PROBE for value in base)
    large = price(model, provider, (_STEP, _STEP, 0, 0)) or 0.0
    if abs(large - _STEP * (unit[0] + unit[1])) > 1e-6 + 1e-6 * large:
        return "stepped"
    return unit[0], unit[1], unit[2], unit[3]


def price_calls(calls: pl.DataFrame) -> pl.Series:
    """Cost in US dollars of model calls (`model`, `provider` and the four token columns); null where unknown."""
    counts = calls.select(pl.col(key).fill_null(0).cast(pl.Float64) for key in _KEYS)
    keys = calls.select(pl.col("model").fill_null(""), pl.col("provider").fill_null(""))
    units = {pair: _unit_prices(*pair) for pair in keys.unique().iter_rows()}
    table = pl.DataFrame(
        [(*pair, *unit) for pair, unit in units.items() if isinstance(unit, tuple)],
        schema=["model", "provider", "p_in", "p_out", "p_read", "p_write"],
        orient="row",
        schema_overrides={"model": pl.String, "provider": pl.String},
    )
    frame = pl.concat([keys, counts], how="horizontal").join(
        table, on=["model", "provider"], how="left", maintain_order="left"
    )
    plain = (pl.col("input_tokens") - pl.col("cached_tokens") - pl.col("cache_write_tokens")).clip(0)
    cost = frame.select(
        plain * pl.col("p_in")
        + pl.col("output_tokens") * pl.col("p_out")
        + pl.col("cached_tokens") * pl.col("p_read")
        + pl.col("cache_write_tokens") * pl.col("p_write")
    ).to_series()
    slow = (pl.col("input_tokens") > _STEP) | pl.struct("model", "provider").is_in(
        [{"model": m, "provider": p} for (m, p), unit in units.items() if unit == "stepped"]
    )
    known = pl.Series([units[pair] is not None for pair in keys.iter_rows()], dtype=pl.Boolean)
    rows = frame.select("model", "provider", *_KEYS).with_row_index("row").filter(slow & known)
    exact = {row: price(m, p, (int(a), int(b), int(c), int(d))) for row, m, p, a, b, c, d in rows.iter_rows()}
    if exact:
        cost = cost.scatter(list(exact), [value for value in exact.values()])
    has_tokens = calls.select(pl.col("input_tokens").is_not_null() | pl.col("output_tokens").is_not_null()).to_series()
    return pl.select(pl.when(pl.lit(has_tokens)).then(pl.lit(cost))).to_series().alias("price_usd")
