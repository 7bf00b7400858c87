"""The fleet: what each actor did, as whom, at what cost; a click shows its findings and latest runs."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from actorscope.dashboards import data
from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.export import export
from actorscope.dashboards.parts.live import choose, live
from actorscope.dashboards.parts.period import chosen_period
from actorscope.dashboards.parts.runs import choose_run
from actorscope.dashboards.parts.summary import findings_here
from actorscope.dashboards.parts.tables import COUNT, MONEY, full, height
from actorscope.dashboards.parts.text import label, line
from actorscope.dashboards.parts.welcome import first_steps

_CONFIG = {
    "Actor": st.column_config.TextColumn(width=160), "Cost": MONEY,
    **{name: COUNT for name in ("Runs", "Model calls", "Tokens", "Errors", "Handed on", "Handed to it")},
}  # fmt: skip


def _joined(names: list[str]) -> str:
    return line(", ".join(names[:5]), 200) + (f" +{len(names) - 5}" if len(names) > 5 else "")


def _open(actor: dict[str, Any]) -> str:
    return f"{words.severity(actor['worst_severity'])} · {actor['open_findings']}" if actor["open_findings"] else ""


def _table(actors: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "Actor": [line(a["actor_name"] or a["actor_id"], 100) for a in actors],
            "Open findings": [_open(a) for a in actors],
            "Runs": [a["runs"] for a in actors],
            "Model calls": [a["model_calls"] for a in actors],
            "Tokens": [(a["input_tokens"] or 0) + (a["output_tokens"] or 0) for a in actors],
            "Cost": pl.Series([a["cost_usd"] for a in actors], dtype=pl.Float64),
            "Errors": [a["errors"] for a in actors],
            "Handed on": [a["delegations_out"] for a in actors],
            "Handed to it": [a["delegations_in"] for a in actors],
            "Last seen": [f"{words.ago(a['last_seen'])} ago" for a in actors],
            "First seen": [f"{words.ago(a['first_seen'])} ago" for a in actors],
            "Acts as": [_joined([*a["principals"], *a["credentials"]]) for a in actors],
            "Dialects": [_joined(a["dialects"]) for a in actors],
        }
    )


def _actor(actor: dict[str, Any]) -> None:
    st.subheader(label(actor["actor_name"] or actor["actor_id"]), anchor=False)
    st.code(line(actor["actor_id"]), language=None)
    with st.container(horizontal=True, gap="small"):
        st.page_link("views/actor.py", label="All of this actor", icon=":material/person:", query_params={"actor": actor["actor_id"]})
        st.page_link("views/radius.py", label="Blast radius", icon=":material/crisis_alert:", query_params={"id": actor["actor_id"]})
    for name in ("principals", "credentials", "services", "dialects"):
        if actor[name]:
            st.text(f"{name}: {line(', '.join(actor[name]), 600)}")
    answer = data.attention(data.Wanted(subject=actor["actor_id"]), limit=20)
    findings_here(answer["findings"])
    shown = len(answer["findings"])
    st.text(f"{shown} of {answer['matched']} findings shown." if shown else "Nothing was found against this actor.")
    choose_run(actor["actor_id"], 50)


st.title("Fleet", anchor=False)
period = chosen_period("24h")


def page() -> None:
    answer = data.fleet(period.since)
    actors = answer["actors"]
    if answer["newest_at"] is None:
        first_steps(data.health(), "actors")
        return
    if not actors:
        st.info("No actor did anything in this range; choose a longer one.", icon=":material/schedule:")
        st.text(f"The newest known span is from {words.clock(answer['newest_at'])}.")
        return
    ids = [actor["actor_id"] for actor in actors]
    # Another order of rows is another table: a selection by row number would mean another actor.
    clicked = choose(full(_table(actors)), ids, f"fleet-{hash(tuple(ids))}", walk="fleet", column_config=_CONFIG,
                     height=height(len(ids), 560), placeholder="", alt="Actors")  # fmt: skip
    cut = "; more exist, choose a shorter range" if answer["is_cut"] else ""
    st.text(f"{len(actors)} actors shown{cut}. Click one for its findings and runs.")
    export(lambda: actors, "fleet")
    if clicked:
        st.query_params["actor"] = clicked
    chosen = st.query_params.get("actor", "")
    for actor in actors:
        if actor["actor_id"] == chosen:
            _actor(actor)


live(page)
