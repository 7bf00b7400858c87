"""Tables: what is empty is left out, what is long is scrolled, figures are written as people read them."""

from __future__ import annotations

import polars as pl
import streamlit as st

COUNT = st.column_config.NumberColumn(format="localized")
MONEY = st.column_config.NumberColumn(format="$%.4f")
_HEAD, _ROW = 38, 35


def full(frame: pl.DataFrame) -> pl.DataFrame:
    """Without the columns in which no row says anything."""
    empty = [column.name for column in frame if column.is_null().all() or (column.dtype == pl.String and (column == "").all())]
    return frame.drop(empty)


def height(rows: int, most: int = 720) -> int:
    """Pixels of so many rows; more than fit on a screen are scrolled."""
    return min(_HEAD + _ROW * max(1, rows), most)


def counted(number: int, one: str, many: str = "") -> str:
    """1 run, 2,000 runs."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
