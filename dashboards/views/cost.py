"""Cost: who started what costs money, through which agents it went, what was wasted, and how the budgets stand."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.live import live, numbers
from actorscope.dashboards.parts.period import chosen_period
from actorscope.dashboards.parts.summary import findings_here
from actorscope.dashboards.parts.tables import COUNT, MONEY, counted, full, height
from actorscope.dashboards.parts.text import line
from actorscope.dashboards.parts.welcome import first_steps

_KINDS = {"reasoning_usd": "reasoning", "execution_usd": "execution", "retry_waste_usd": "retry waste", "loop_waste_usd": "loop waste"}
_STARTERS = {"human": "☺ person", "schedule": "◷ schedule", "event": "⚡ event", "agent": "◆ agent", "service": "▣ service"}


def _rows(starters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The trees as lines, each node below the one that it works for."""
    found = []
    for starter, name in zip(starters, _names(starters), strict=True):
        kind = _STARTERS.get(starter["starter_type"], "? unknown")
        found.append(_row(f"{kind} {name}", starter, None))
        waiting = [(agent, 1) for agent in reversed(starter["agents"])]
        while waiting:
            node, depth = waiting.pop()
            found.append(_row("\u2007\u2007" * depth + "└ " + line(node["name"] or "(no agent)", 60), node, node["own_usd"]))
            waiting += [(each, depth + 1) for each in reversed(node["agents"])]
    return found


def _names(starters: list[dict[str, Any]]) -> list[str]:
    """Names, with the id where two have the same."""
    names = [starter["starter_name"] or starter["starter_id"] or "nobody known" for starter in starters]
    return [
        line(name if names.count(name) == 1 or not starter["starter_id"] else f"{name} ({starter['starter_id']})", 80)
        for name, starter in zip(names, starters, strict=True)
    ]


def _row(name: str, node: dict[str, Any], own: float | None) -> dict[str, Any]:
    wasted = node["retry_waste_usd"] + node["loop_waste_usd"]
    return {
        "Who": name,
        "Total": node["total_usd"],
        "Own": own,
        **{kind.capitalize(): node[key] or None for key, kind in _KINDS.items()},  # a table of zeros hides what is not zero
        "Wasted": 100 * wasted / node["total_usd"] if wasted and node["total_usd"] else None,
        "Spans": node["spans"],
    }


def _split(starters: list[dict[str, Any]]) -> None:
    """Where the money went, starter by starter."""
    rows = [
        {"who": name, "kind": kind, "usd": s[key]}
        for s, name in list(zip(starters, _names(starters), strict=True))[:12]
        for key, kind in _KINDS.items()
    ]
    spec = {
        "mark": {"type": "bar"},
        "encoding": {
            "y": {"field": "who", "type": "nominal", "title": None, "sort": "-x", "axis": {"labelLimit": 340}},
            "x": {"field": "usd", "type": "quantitative", "title": "US$", "stack": "zero"},
            "color": {
                "field": "kind", "type": "nominal", "title": None,
                "scale": {"domain": list(_KINDS.values()), "range": ["#7c5cff", "#0ea5e9", "#f59e0b", "#e11d48"]},
            },
            "tooltip": [{"field": "who"}, {"field": "kind"}, {"field": "usd", "format": "$.4f"}],
        },
        "height": {"step": 24},
    }  # fmt: skip
    st.vega_lite_chart(pl.DataFrame(rows), spec, width="stretch", alt="Spend by starter and kind")


st.title("Cost", anchor=False)
period = chosen_period("7d", "Spent in the last (event time)")
starter = st.text_input("Started by (id or name)", key="starter", bind="query-params", icon=":material/search:", width=360)


def page() -> None:
    answer = data.spend(period.since, (starter or "").strip())
    starters = answer["starters"]
    if not starters:
        if answer["newest_at"] is None:
            first_steps(data.health(), "costs")
            return
        st.info("Nothing with a known cost was done in this period; choose a longer one.", icon=":material/savings:")
        st.text(f"The newest known span is from {words.clock(answer['newest_at'])}.")
        return
    wasted = sum(s["retry_waste_usd"] + s["loop_waste_usd"] for s in starters)
    numbers(
        {
            "Spent": words.money(answer["total_usd"]),
            "Wasted on retries and loops": words.money(wasted),
            "Share wasted": f"{wasted / answer['total_usd']:.1%}" if answer["total_usd"] else "–",
            "Starters": words.amount(len(starters)),
        }
    )
    found = data.attention(data.Wanted(families=("cost",), states=("open", "acknowledged")), limit=20)
    if found["matched"]:
        st.subheader("Budgets and outliers", anchor=False)
        findings_here(found["findings"])
    st.subheader("Who started it", anchor=False)
    _split(starters)
    rows = _rows(starters)
    money = {name: MONEY for name in ("Total", "Own", *(k.capitalize() for k in _KINDS.values()))}
    share = st.column_config.NumberColumn(format="%.1f%%")
    config: dict[str, Any] = {"Who": st.column_config.TextColumn(width=330), **money, "Wasted": share, "Spans": COUNT}
    table = full(pl.DataFrame(rows, infer_schema_length=None))
    st.dataframe(table, hide_index=True, column_config=config, height=height(len(rows)), placeholder="", alt="Cost by starter and agent")
    more = "; more exist" if answer["is_cut"] else ""
    st.text(f"{counted(len(starters), 'starter')} and the agents below them{more}. “Own” is what the agent spent itself; "
            "reasoning went into thinking and planning, execution into the work, waste into retries and loops.")  # fmt: skip
    export(lambda: rows, "cost")


live(page)
