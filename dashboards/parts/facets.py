"""Choices with counts: what a filter would bring stands beside its word; the address holds the words alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from actorscope.dashboards.parts.text import label


def pills(name: str, options: Sequence[str], key: str, counts: Mapping[str, int], default: Sequence[str] = ()) -> tuple[str, ...]:
    """Any number of a few words."""
    state, keep = _from_address(key, options, default)
    st.pills(name, options, selection_mode="multi", key=state, on_change=keep, format_func=_counted(counts))
    return tuple(st.session_state[state])


def many(name: str, options: Sequence[str], key: str, counts: Mapping[str, int], width: int = 420) -> tuple[str, ...]:
    """Any number of many words."""
    known = sorted({*options, *filter(None, st.query_params.get_all(key))})
    state, keep = _from_address(key, known, ())
    st.multiselect(name, known, key=state, on_change=keep, format_func=_counted(counts), width=width, placeholder="any")
    return tuple(st.session_state[state])


def _from_address(key: str, options: Sequence[str], default: Sequence[str]) -> tuple[str, Callable[[], None]]:
    """The state of a widget as the address has it, and what writes a choice back; an empty parameter means no choice."""
    state = f"facet-{key}"
    given = st.query_params.get_all(key)
    st.session_state[state] = [word for word in (given or default) if word in options]

    def keep() -> None:
        chosen = list(st.session_state[state])
        if chosen == list(default):
            st.query_params.pop(key, None)
        else:
            st.query_params[key] = chosen or ""

    return state, keep


def _counted(counts: Mapping[str, int]) -> Callable[[str], str]:
    return lambda word: f"{label(word, 80)} · {counts[word]}" if word in counts else label(word, 80)
