"""Ingest health: is everything that is sent also kept, how soon can it be queried, and who sends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.live import live, numbers
from actorscope.dashboards.parts.period import CLOCK_AXIS
from actorscope.dashboards.parts.tables import COUNT, height
from actorscope.dashboards.parts.text import line
from actorscope.dashboards.parts.welcome import first_steps


def _verdict(answer: dict[str, Any]) -> None:
    """One look tells whether somebody has to do something."""
    if answer["problems"]:
        st.error("Something is wrong with the intake.", icon=":material/error:")
        for problem in answer["problems"]:
            st.text(f"• {problem}")
    else:
        st.success("What is sent is kept and can be queried.", icon=":material/check_circle:")


def _figures(answer: dict[str, Any]) -> None:
    minutes, health = answer["minutes"], data.health()
    spans, logs = (sum(minute[key] for minute in minutes) for key in ("spans", "logs"))
    lag = health.get("ingest_lag_seconds")
    if lag is None:
        lag = max((one["lag_seconds"] for one in answer["ingesters"]), default=None)
    held = sum(one["spool_bytes"] for one in answer["ingesters"])
    limit = sum(one["spool_limit"] for one in answer["ingesters"])
    numbers({
        "Spans stored, last hour": words.amount(spans),
        "Log records, last hour": words.amount(logs),
        "Longest wait for the store": "–" if lag is None else "none" if not lag else words.duration(lag * 1000),
        "Write-ahead log filled": f"{held / limit:.1%}" if limit else "–",
        "Sources, last day": words.amount(len(answer["sources"])),
    })  # fmt: skip


def _rates(minutes: list[dict[str, Any]]) -> None:
    st.subheader("Stored per minute", anchor=False)
    if not minutes:
        st.text("Nothing was stored in the last hour.")
        return
    times = [datetime.fromisoformat(minute["minute"]) for minute in minutes]
    frame = pl.DataFrame({"minute": times, "spans": [m["spans"] for m in minutes], "log records": [m["logs"] for m in minutes]})
    last = max(times)
    hour = [(moment.year, moment.month, moment.day, moment.hour, moment.minute) for moment in (last - timedelta(minutes=59), last)]
    domain = [dict(zip(("year", "month", "date", "hours", "minutes"), moment, strict=True), utc=True) for moment in hour]
    spec = {
        "transform": [{"fold": ["spans", "log records"], "as": ["what", "stored"]}],
        "mark": {"type": "bar", "width": 9},
        "encoding": {
            "x": {"field": "minute", "type": "temporal", "title": None, "scale": {"type": "utc", "domain": domain}, "axis": CLOCK_AXIS},
            "y": {"field": "stored", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "color": {
                "field": "what", "type": "nominal", "title": None, "legend": {"orient": "top"},
                "scale": {"domain": ["spans", "log records"], "range": ["#7c5cff", "#0ea5e9"]},
            },
            "tooltip": [{"field": "minute", "type": "temporal", "format": "%H:%M", "scale": {"type": "utc"}}, {"field": "what"},
                        {"field": "stored", "type": "quantitative", "format": ","}],
        },
        "height": 150,
    }  # fmt: skip
    st.vega_lite_chart(frame, spec, width="stretch", alt="Stored per minute")
    slow = max(minute["worst_seconds"] for minute in minutes)
    usual = sorted(minute["median_seconds"] for minute in minutes)[len(minutes) // 2]
    st.text(f"From arrival to queryable: usually {words.duration(usual * 1000)}, at worst {words.duration(slow * 1000)} in the last hour.")


def _reasons(reasons: list[dict[str, Any]]) -> None:
    st.subheader("Not kept as it came, last hour", anchor=False)
    if not reasons:
        st.text("Nothing was refused, rejected, cut or sent twice.")
        return
    told = {
        "What": [row["what"].replace(".", ": ").replace("_", " ") for row in reasons],
        "Amount": [row["amount"] for row in reasons],
        "What to do": [row["advice"] for row in reasons],
    }
    st.dataframe(pl.DataFrame(told), hide_index=True, height="content", column_config={"Amount": COUNT}, alt="What was not kept as it came")


def _sources(sources: list[dict[str, Any]]) -> None:
    st.subheader("Sources", anchor=False)
    if not sources:
        st.text("No service sent spans in the last day.")
        return
    told: dict[str, list[Any]] = {"Service": [line(s["service_name"], 100) for s in sources]}
    if any(s["tenants"] for s in sources):
        told["Tenants"] = [line(", ".join(s["tenants"]), 100) for s in sources]
    told |= {
        "Spans, last hour": [s["spans_last_hour"] for s in sources],
        "Spans, last day": [s["spans_last_day"] for s in sources],
        "Last span arrived": [f"{words.ago(s['last_at'])} ago" for s in sources],
    }
    config = {"Spans, last hour": COUNT, "Spans, last day": COUNT}
    st.dataframe(pl.DataFrame(told), hide_index=True, height=height(len(sources)), column_config=config, alt="Services that send")


def _ingesters(ingesters: list[dict[str, Any]]) -> None:
    st.subheader("Ingesters", anchor=False)
    told = {
        "Ingester": [line(one["ingester"], 40) for one in ingesters],
        "State": ["● alive" if one["is_alive"] else "○ no report" for one in ingesters],
        "Longest wait": [words.duration(one["lag_seconds"] * 1000) for one in ingesters],
        "Write-ahead log": [f"{one['spool_bytes'] / 2**20:,.1f} of {one['spool_limit'] / 2**20:,.0f} MiB" for one in ingesters],
        "Up for": [words.ago(one["started_at"]) for one in ingesters],
        "Last report": [f"{words.ago(one['reported_at'])} ago" for one in ingesters],
    }
    st.dataframe(pl.DataFrame(told), hide_index=True, height="content", alt="Ingesters")


st.title("Ingest health", anchor=False)
st.text("Whether everything that is sent is kept, how soon it can be queried, and who sends.")


def page() -> None:
    answer = data.ingest()
    if not answer["ingesters"] and not answer["sources"]:
        first_steps(data.health(), "senders")
        return
    _verdict(answer)
    _figures(answer)
    _rates(answer["minutes"])
    _reasons(answer["reasons"])
    _sources(answer["sources"])
    _ingesters(answer["ingesters"])


live(page)
