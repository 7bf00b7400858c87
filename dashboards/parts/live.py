"""Pages that refresh themselves, and tables whose rows lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, NoReturn, TypeVar

import polars as pl
import streamlit as st

from actorscope.dashboards.parts.text import visible
from actorscope.errors import ActorscopeError

REFRESH_SECONDS = 2.0
_T = TypeVar("_T")


def live(page: Callable[[], None]) -> None:
    """Show `page` now, and again every two seconds while the live switch is on."""
    every = REFRESH_SECONDS if st.session_state.get("live", True) else None
    rounds = count()
    st.fragment(lambda: answered(page) if next(rounds) else waited(page), run_every=every)()


def waited(page: Callable[[], None]) -> None:
    """Show `page`; until it is there, a sign that it comes. A refresh needs none, for what was shown stays."""
    with st.spinner("Asking the store …", show_time=True):
        answered(page)


def answered(page: Callable[[], None]) -> None:
    """Show `page`; when the store fails, say so in its place."""
    try:
        page()
    except ActorscopeError as error:
        st.warning("The store did not answer. The page tries again by itself while it is live.")
        st.code(visible(error), language=None, wrap_lines=True)


def unless_away(question: Callable[[], _T], otherwise: _T) -> _T:
    """An answer that the head of a page needs; where the store does not give it, the page below says so."""
    try:
        return question()
    except ActorscopeError:
        return otherwise


def numbers(named: dict[str, Any]) -> None:
    """Figures of ours side by side, as wide as they need."""
    with st.container(horizontal=True, gap="medium"):
        for name, value in named.items():
            st.metric(name, value, width="content")


def ask(**fields: str) -> NoReturn:
    """Show the page one is on for what was chosen: its fields get these values. A link to the page itself would not change them."""
    st.session_state["asked"] = fields
    st.rerun(scope="app")


def take_asked() -> None:
    """Stands above the fields that `ask` fills."""
    for key, value in st.session_state.pop("asked", {}).items():
        st.session_state[key] = value


def _walk(ids: list[Any], name: str) -> tuple[Any, Any]:
    """Keys over the rows of a table; what was opened just now, and where the mark stands. The table's own arrows choose at once."""
    state = f"{name} at"
    with st.container(horizontal=True, gap="small"):
        for title, step, letter in (("Next", 1, "J"), ("Previous", -1, "K")):
            if st.button(title, shortcut=letter, type="tertiary", key=f"{name}-{letter}"):
                now = ids.index(st.session_state[state]) + step if st.session_state.get(state) in ids else 0
                st.session_state[state] = ids[min(max(now, 0), len(ids) - 1)]
        at = st.session_state.get(state)
        is_opened = st.button("Open", shortcut="O", type="tertiary", key=f"{name}-open")
    return (at if at in ids else ids[0]) if is_opened else None, at


def choose(frame: pl.DataFrame, ids: Sequence[Any], key: str, walk: str = "", **options: Any) -> Any:
    """A table; returns the id of the row that was clicked since the last time, else None.

    The ids are those of the rows on the screen: a refresh between the click and its arrival cannot change what was meant.
    The main table of a page has a name to `walk` it by: then keys move a mark over its rows, and open the one that has it.
    """
    arrived = f"{key} chosen"
    if walk and ids:
        opened, at = _walk(list(ids), walk)
        first = frame.columns[0]
        marks = pl.Series(["▶ " if each == at else "" for each in ids])
        frame = frame.with_columns((marks + frame[first].cast(pl.String)).alias(first))
        if opened is not None:
            return opened

    def take(shown: tuple[Any, ...]) -> None:
        selection = st.session_state[key]["selection"]
        rows = [*selection["rows"], *(cell[0] for cell in selection["cells"])]
        if rows and 0 <= rows[0] < len(shown):
            st.session_state[arrived] = shown[rows[0]]

    st.dataframe(
        frame,
        key=key,
        hide_index=True,
        lazy=False,
        on_select=lambda: take(tuple(ids)),
        selection_mode=["single-row", "single-cell"],
        **options,
    )
    return st.session_state.pop(arrived, None)
