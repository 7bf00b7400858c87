"""SQL over the documented views: read-only, with limits, for questions that no page answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import streamlit as st

from actorscope.analysis.answers.console import VIEWS, QueryError
from actorscope.dashboards import data
from actorscope.dashboards.parts import saved
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.tables import counted
from actorscope.dashboards.parts.text import line, visible
from actorscope.errors import ActorscopeError

_EXAMPLES = {
    "Cost by actor, last day": "SELECT actor_name, round(sum(cost_usd), 4) AS usd, count() AS calls\nFROM model_calls\n"
    "WHERE start_time > now() - INTERVAL 1 DAY\nGROUP BY actor_name\nORDER BY usd DESC",
    "Writes without approval": "SELECT start_time, actor_name, tool_name, target\nFROM actions\n"
    "WHERE side_effect IN ('write', 'destructive') AND approval_id = ''\nORDER BY start_time DESC\nLIMIT 100",
    "Slowest runs": "SELECT trace_id, actor_name, dateDiff('second', start_time, end_time) AS seconds\nFROM agent_runs\n"
    "ORDER BY seconds DESC\nLIMIT 50",
    "Findings by detector": "SELECT detector, severity, count() AS findings\nFROM findings\n"
    "GROUP BY detector, severity\nORDER BY findings DESC",
}
_ROWS = 1000

def _columns() -> None:
    """The names that a query can use; who writes one at night has no manual at hand."""
    with st.popover("Columns", icon=":material/view_column:", type="tertiary"):
        view = st.selectbox("View", VIEWS, key="sql-view")
        try:
            found = data.ask(data.console, f"SELECT * FROM {view} LIMIT 0", 0).columns
        except ActorscopeError:
            st.text("The store did not answer.")
            return
        st.code(", ".join(found), language=None, wrap_lines=True)


st.title("SQL", anchor=False)
st.text("One SELECT over the documented views (docs/views.md), read-only, at most 1,000 rows here.")
st.html("<style>.stTextArea textarea {font-family: monospace}</style>")
with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
    example = st.selectbox("Begin with", list(_EXAMPLES), index=None, placeholder="an example", width=320)
    saved.views("sql")
    _columns()
if example and st.session_state.get("sql-example") != example:
    st.session_state["sql-example"] = example
    st.session_state["q"] = _EXAMPLES[example]
query = st.text_area(
    "Query", key="q", bind="query-params", height=180, placeholder="SELECT actor_name, count() FROM spans GROUP BY actor_name"
)
run = st.button("Run", type="primary", icon=":material/play_arrow:", shortcut="Ctrl+Enter")


def _shown(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return line(value, 500)


def _answer(sql: str) -> None:
    try:
        answer = data.ask(data.console, sql, _ROWS)
    except QueryError as error:
        st.error("The query was refused.", icon=":material/block:")
        st.code(visible(error, 2000), language=None, wrap_lines=True)
        return
    except ActorscopeError as error:
        st.warning("The store did not answer.", icon=":material/cloud_off:")
        st.code(visible(error, 1000), language=None, wrap_lines=True)
        return
    names = [line(name, 80) or "?" for name in answer.columns]
    rows = [dict(zip(names, row, strict=True)) for row in answer.rows]
    shown = [{key: _shown(value) for key, value in row.items()} for row in rows]
    st.dataframe(pl.DataFrame(shown, infer_schema_length=None, strict=False) if shown else pl.DataFrame({n: [] for n in names}),
                 hide_index=True, placeholder="", alt="Result")  # fmt: skip
    cut = "; the result is longer" if answer.is_cut else ""
    st.text(f"{counted(len(rows), 'row')} shown{cut}, {answer.seconds:g} s, asked at {datetime.now():%H:%M:%S}.")
    export(lambda: rows, "query")


if (query or "").strip() and (run or st.session_state.get("sql-asked") == query):
    st.session_state["sql-asked"] = query
    _answer(query or "")
elif not (query or "").strip():
    st.info("Write a query, or begin with an example. Ctrl+Enter runs it.", icon=":material/database:")
else:
    st.info("This query came with the link and has not run yet. Press Run, or Ctrl+Enter.", icon=":material/play_arrow:")
