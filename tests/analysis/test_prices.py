"""Prices of the library, column-wise and one by one, say the same."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from actorscope.analysis.prices import price, price_calls

SCHEMA = {
    "model": pl.String, "provider": pl.String, "input_tokens": pl.UInt64, "output_tokens": pl.UInt64,
    "cached_tokens": pl.UInt64, "cache_write_tokens": pl.UInt64,
}  # fmt: skip


AT = datetime(2026, 11, 16, 12, tzinfo=UTC)


def calls(*rows: tuple[object, ...], at: datetime = AT) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(pl.lit(at).cast(pl.Datetime("ns", "UTC")).alias("start_time"))


def test_what_a_call_costs_depends_on_when_it_was_made() -> None:
    row = ("deepseek-chat", "deepseek", 1_000, 1_000, 0, 0)
    hours = [AT.replace(month=3, day=1, year=2025, hour=hour) for hour in range(24)]
    each = {price(row[0], row[1], row[2:], hour) for hour in hours}  # type: ignore[arg-type]
    assert len(each) > 1, "this provider was cheaper at night then"
    for hour in hours:
        assert price_calls(calls(row, at=hour))[0] == pytest.approx(price(row[0], row[1], row[2:], hour))  # type: ignore[arg-type]


def test_tokens_are_priced_by_kind_and_cached_ones_cost_less() -> None:
    plain, cached = price_calls(
        calls(("gpt-4o", "openai", 1000, 100, 0, 0), ("gpt-4o", "openai", 1000, 100, 800, 0))
    ).to_list()
    assert plain == pytest.approx(0.0035)
    assert 0 < cached < plain


@pytest.mark.parametrize(
    ("model", "provider"),
    [("gpt-4o", "openai"), ("claude-sonnet-4-5", "anthropic"), ("gemini-2.5-pro", "gcp.gemini"), ("gpt-4o-mini", "")],
)
@pytest.mark.parametrize("tokens", [(10, 5, 0, 0), (250_000, 900, 100, 0), (500_000, 80_000, 400_000, 1000)])
def test_a_column_of_calls_costs_what_each_call_costs(
    model: str, provider: str, tokens: tuple[int, int, int, int]
) -> None:
    each = price(model, provider, tokens, AT)
    assert each is not None
    assert price_calls(calls((model, provider, *tokens)))[0] == pytest.approx(each)


def test_long_contexts_of_tiered_models_cost_more_per_token() -> None:
    short, long = price_calls(
        calls(("gemini-2.5-pro", "gcp.gemini", 100_000, 0, 0, 0), ("gemini-2.5-pro", "gcp.gemini", 400_000, 0, 0, 0))
    ).to_list()
    assert long > 4 * short


def test_unknown_models_and_calls_without_tokens_have_no_price() -> None:
    found = price_calls(
        calls(
            ("of-the-house", "openai", 10, 10, 0, 0),
            (None, None, 10, 10, None, None),
            ("gpt-4o", "openai", None, None, None, None),
            ("gpt-4o", "openai", None, 100, None, None),
        )
    ).to_list()
    assert found[:3] == [None, None, None]
    assert found[3] == pytest.approx(0.001)


def test_the_genai_names_of_providers_are_understood() -> None:
    assert price("gpt-4o", "azure.ai.openai", (1000, 0, 0, 0)) is not None
    assert price("mistral-large-latest", "mistral_ai", (1000, 0, 0, 0)) is not None


def test_more_cached_than_input_tokens_never_make_a_call_cheaper_than_nothing() -> None:
    assert price_calls(calls(("gpt-4o", "openai", 10, 0, 1000, 0)))[0] > 0


def test_no_calls_have_no_prices() -> None:
    assert price_calls(calls()).to_list() == []
