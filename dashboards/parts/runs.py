"""The latest runs as a table; a click opens one."""

from __future__ import annotations

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.live import ask, choose
from actorscope.dashboards.parts.tables import COUNT, MONEY, counted, full, height
from actorscope.dashboards.parts.text import line
from actorscope.dashboards.parts.welcome import first_steps

_MOST = 100


def choose_run(actor_id: str = "", limit: int = _MOST, is_asked: bool = False) -> None:
    """Runs of an actor, else those that nobody delegated, the newest first; a click opens one, or asks this page about it."""
    found = data.latest_runs(actor_id, limit)
    if not found:
        first_steps(data.health(), "runs of this agent" if actor_id else "runs of agents")
        return
    frame = pl.DataFrame(
        {
            "Started": [words.clock(run["start_time"]) for run in found],
            "Actor": [line(run["actor_name"], 80) for run in found],
            "Task": [line(run["task_kind"], 80) for run in found],
            "Asked by": [line(run["caller_name"] or run["trigger"], 80) for run in found],
            "Result": ["✖ error" if run["is_error"] else "✓ ok" for run in found],
            "Duration": [words.duration(run["duration_ms"]) for run in found],
            "Model calls": [run["model_calls"] for run in found],
            "Tokens": [run["tokens"] for run in found],
            "Cost": pl.Series([run["cost_usd"] for run in found], dtype=pl.Float64),
            "Service": [line(run["service_name"], 80) for run in found],
        }
    )
    clicked = choose(
        full(frame),
        [(run["trace_id"], run["span_id"]) for run in found],
        f"runs-{actor_id}",
        walk="runs",
        column_config={"Cost": MONEY, "Tokens": COUNT, "Model calls": COUNT},
        height=height(len(found)),
        placeholder="",
        alt="Latest runs",
    )
    whose = "of this actor" if actor_id else "that nobody delegated"
    st.text(f"The latest {counted(len(found), 'run')} {whose}; at most {limit} are shown. Click a row to open it.")
    if clicked and is_asked:
        ask(trace_id=clicked[0], span_id=clicked[1])
    elif clicked:
        st.switch_page("views/run.py", query_params={"trace_id": clicked[0], "span_id": clicked[1]})
