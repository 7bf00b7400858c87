"""Rows to take away: what a page shows, as CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl
import streamlit as st


def export(rows: Callable[[], Sequence[dict[str, Any]]], name: str, whole: Callable[[], str] | None = None) -> None:
    """Buttons that make the files when they are asked for; `rows` may be more than the page shows, `whole` is JSON of its own."""
    told = whole or (lambda: json.dumps(list(rows()), indent=1))
    with st.container(horizontal=True, gap="small"):
        st.download_button("CSV", lambda: csv(rows()), f"{name}.csv", "text/csv", key=f"{name}-csv",
                           icon=":material/download:", on_click="ignore", type="tertiary")  # fmt: skip
        st.download_button("JSON", told, f"{name}.json", "application/json", key=f"{name}-json",
                           icon=":material/download:", on_click="ignore", type="tertiary")  # fmt: skip


def csv(rows: Sequence[dict[str, Any]]) -> str:
    """A table program takes a cell that begins like a formula for one: such cells get a quote in front."""
    flat = [{key: _cell(value) for key, value in row.items()} for row in rows]
    return pl.DataFrame(flat, infer_schema_length=None).write_csv() if flat else ""


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
