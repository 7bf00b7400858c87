"""Coverage: for each actor how well the six questions can be answered, and the line of code that says what is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.coverage import NOBODY, actor_coverage, cell
from actorscope.dashboards.parts.live import choose, live
from actorscope.dashboards.parts.period import chosen_period
from actorscope.dashboards.parts.tables import COUNT, height
from actorscope.dashboards.parts.text import line
from actorscope.dashboards.parts.welcome import first_steps

_CONFIG = {
    "Actor": st.column_config.TextColumn(width=120),
    "Service": st.column_config.TextColumn(width=150),
    "Score": st.column_config.TextColumn(width=60),
    "Spans": COUNT,
    **{title: st.column_config.TextColumn(width=105) for title in words.QUESTIONS.values()},
}


def _table(actors: list[dict[str, Any]]) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {"Actor": [line(actor["actor_name"] or NOBODY, 100) for actor in actors]}
    columns["Score"] = ["–" if actor["score"] is None else f"{actor['score']:.0%}" for actor in actors]
    for at, title in enumerate(words.QUESTIONS.values()):
        columns[title] = [cell(actor["questions"][at]) for actor in actors]
    columns["Service"] = [line(", ".join(actor["services"]), 100) for actor in actors]
    columns["Spans"] = [actor["spans"] for actor in actors]
    columns["Kind"] = [line(actor["kind"], 40) for actor in actors]
    columns["Dialects"] = [line(", ".join(actor["dialects"]), 100) for actor in actors]
    return pl.DataFrame(columns)


st.title("Coverage", anchor=False)
st.text("How well the six questions can be answered from what each actor's spans say. A fact that is declared counts 1, "
        "derived 0.8, inferred 0.5, missing 0. “58% · 2 of 4”: the score, and how many facts are declared.")  # fmt: skip
period = chosen_period("7d")


def page() -> None:
    since, chosen = period.since, st.query_params.get("actor", "")
    answer = data.coverage(since)
    actors = answer["actors"]
    if answer["newest_at"] is None and not answer["spans"]:
        first_steps(data.health(), "actors")
        return
    if not actors:
        st.info("No actor did anything in this range; choose a longer one.", icon=":material/schedule:")
        if answer["newest_at"]:
            st.text(f"The newest known span is from {words.clock(answer['newest_at'])}.")
        return
    ids = [actor["actor_id"] for actor in actors]
    clicked = choose(
        _table(actors),
        ids,
        f"coverage-{hash(tuple(ids))}",
        walk="coverage",
        column_config=_CONFIG,
        height=height(len(ids), 560),
        placeholder="",
        alt="Coverage of actors",
    )
    cut = f"the latest {answer['traces']} traces; more exist" if answer["is_cut"] else f"{answer['traces']} traces"
    st.text(f"{len(actors)} actors shown, from {cut}. Click one to see what is missing and how to say it.")
    if answer["unknown_spans"]:
        st.text(f"{answer['unknown_spans']} of {answer['spans']} spans speak no dialect that is known.")
    if clicked is not None:
        st.query_params["actor"] = chosen = clicked
    if "actor" in st.query_params:
        _chosen(actors, chosen, since)


def _chosen(actors: list[dict[str, Any]], wanted: str, since: datetime | None) -> None:
    """The actor of the address, also when the latest traces are without it."""
    more = actors if wanted in [a["actor_id"] for a in actors] else data.coverage(since, wanted)["actors"]
    found = next((actor for actor in more if actor["actor_id"] == wanted), None)
    if found:
        actor_coverage(found)
    else:
        st.warning("This actor did nothing in this range.", icon=":material/search_off:")
        st.code(line(wanted, 200), language=None)


live(page)
