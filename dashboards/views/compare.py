"""Two runs side by side: what one did that the other did not, and what it cost; runs to compare with as long as one is missing."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.compare import MOST_STEPS
from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.alignment import differences, steps, totals
from actorscope.dashboards.parts.live import choose, waited
from actorscope.dashboards.parts.summary import missing
from actorscope.dashboards.parts.tables import height
from actorscope.dashboards.parts.text import label, line, visible


def _heads(found: dict[str, Any]) -> None:
    is_in_order = found["a"]["summary"]["start_time"] <= found["b"]["summary"]["start_time"]
    names = ("A, the earlier", "B, the later") if is_in_order else ("A, the later", "B, the earlier")
    for column, side, name in zip(st.columns(2), ("a", "b"), names, strict=True):
        run = found[side]
        with column, st.container(border=True):
            st.subheader(f"{name}: {label(run['actor_name'] or 'run', 60)}", anchor=False)
            st.text(f"{words.clock(run['summary']['start_time'])}   task {line(run['task_kind'] or '(none)', 80)}")
            st.code(run["trace_id"], language=None)
            wanted = {"trace_id": run["trace_id"]}
            st.page_link("views/run.py", label="Open this run", query_params=wanted, icon=":material/account_tree:")
    with st.container(horizontal=True):
        pair = {"a": found["b"]["trace_id"], "b": found["a"]["trace_id"]}
        st.page_link("views/compare.py", label="Swap A and B", query_params=pair, icon=":material/swap_horiz:")


def _choose(trace: str, side: str) -> None:
    """Runs that can be compared with `trace`: the same actor at the same kind of task."""
    run = data.run(trace)
    if run is None:
        missing(trace)
        return
    top = run.spans.filter(pl.col("role") == "run").head(1).to_dicts()
    found = data.siblings(trace, top[0]["actor_id"], top[0]["task_kind"]) if top else []
    st.text("Runs of the same actor at the same task. Click one to compare with it.")
    if not found:
        st.info("No other run of this actor at this task is known.", icon=":material/search_off:")
        return
    frame = pl.DataFrame(
        {
            "Started": [words.clock(each["start_time"]) for each in found],
            "Trace": [each["trace_id"] for each in found],
            "Cost": [words.money(each["cost_usd"]) for each in found],
            "Tokens": [words.amount(each["tokens"]) for each in found],
        }
    )
    clicked = choose(frame, [each["trace_id"] for each in found], f"siblings-{trace}", height=height(len(found)),
                     alt="Runs to compare with")  # fmt: skip
    if clicked:
        st.query_params[side] = clicked
        st.rerun()


def _both(first: str, second: str) -> None:
    found = data.compare(first, second)
    if found is None:
        missing(first if data.run(first) is None else second)
        return
    _heads(found)
    totals(found)
    differences(found)
    steps(found)
    if found["is_cut"]:
        st.text(f"Only the first {MOST_STEPS:,} steps of each run were compared.")


def page() -> None:
    given = {side: st.query_params.get(side, "") for side in ("a", "b")}
    ids = {side: data.trace_id(text) for side, text in given.items()}
    for side in ("a", "b"):
        if given[side] and not ids[side]:
            st.warning("There is no such trace: a trace id has 32 hexadecimal digits.")
            st.code(visible(given[side], 200), language=None)
            return
    if ids["a"] and ids["b"]:
        st.query_params.update(a=ids["a"], b=ids["b"])  # a link to this page itself leaves the address as it was
        _both(ids["a"], ids["b"])
    elif ids["a"] or ids["b"]:
        _choose(ids["a"] or ids["b"] or "", "b" if ids["a"] else "a")
    else:
        st.info("Open a run and press “Compare with…”, or give two traces: /compare?a=TRACE&b=TRACE")
        st.page_link("views/run.py", label="Runs", icon=":material/account_tree:")


st.title("Compare two runs", anchor=False)
waited(page)
