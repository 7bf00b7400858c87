"""Each view over the real answers, without a browser: it comes up, and shows strangers' text as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from tests.conftest import ROOT
from tests.dashboards.otlp import HOSTILE

from actorscope.analysis.answers.attention import attention
from actorscope.analysis.answers.fleet import fleet
from actorscope.dashboards import data
from actorscope.dashboards.parts import graph
from actorscope.errors import TransientError
from actorscope.ingest.store.client import Store, in_worker

TRACE, HOSTILE_TRACE = "a1" * 16, "b2" * 16
_ALIVE = re.compile(r"(?<!\\)(<img|<script|\]\(|!\[)")
_MARKDOWN = ("markdown", "title", "header", "subheader", "caption", "info", "warning", "error", "success")


def _open(view: str = "", **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "dashboards" / "app.py"), default_timeout=30)
    app.session_state["live"] = False
    if view:
        app.run()
        app.switch_page(f"views/{view}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def _texts(app: AppTest) -> str:
    return "\n".join(str(text.value) for text in app.text)


def _is_inert(app: AppTest) -> bool:
    rendered = [str(one.value) for name in _MARKDOWN for one in getattr(app, name)]
    return not any(_ALIVE.search(text) for text in rendered)


def _finding(store: Store, at: int = 0) -> str:
    return str(in_worker(lambda: attention(store))["findings"][at]["id"])


def _actor(store: Store, name: str) -> str:
    """The id of an actor; that of a name is its slug."""
    found = in_worker(lambda: fleet(store))["actors"]
    return str(next(actor["actor_id"] for actor in found if actor["actor_name"] == name))


def test_the_first_page_lists_open_findings(connected: Store) -> None:
    app = _open()
    assert not app.exception and _is_inert(app)
    assert app.title[0].value == "Needs attention"
    assert "2 of 2 findings shown" in _texts(app)
    assert app.dataframe[0].value["Severity"][0] == "▽ low", "never by colour alone"


def test_filters_are_read_from_the_address(connected: Store) -> None:
    app = _open(severity="critical")
    assert not app.exception
    assert "None of the 2 findings" in app.info[0].value


@pytest.mark.parametrize("at", [0, 1])
def test_a_finding_is_shown_with_its_evidence(connected: Store, at: int) -> None:
    app = _open("finding", finding=_finding(connected, at))
    assert not app.exception and _is_inert(app)
    assert "This claim is declared" in _texts(app)
    assert "Delegation cycle" in app.subheader[0].value.replace("\\", "")


@pytest.mark.parametrize("query", [{}, {"finding": "fnd_none"}, {"finding": HOSTILE[1]}])
def test_a_finding_that_is_not_there_is_said_to_be_so(connected: Store, query: dict[str, str]) -> None:
    app = _open("finding", **query)
    assert not app.exception and _is_inert(app) and app.warning


@pytest.mark.parametrize("trace", [TRACE, HOSTILE_TRACE, TRACE.upper()])
def test_a_run_is_shown_with_the_selected_span(connected: Store, trace: str) -> None:
    app = _open("run", trace_id=trace, span_id=trace[:14] + "04")
    assert not app.exception and _is_inert(app)
    assert "The time went to: " in _texts(app)
    assert "Selected span" in [s.value for s in app.subheader]


@pytest.mark.parametrize("query", [{"trace_id": "0c" * 16}, {"trace_id": HOSTILE[0]}, {"span_id": "xyz"}])
def test_a_run_that_is_not_there_is_said_to_be_so(connected: Store, query: dict[str, str]) -> None:
    app = _open("run", **query)
    assert not app.exception and _is_inert(app) and app.warning


def test_two_runs_stand_side_by_side(connected: Store) -> None:
    app = _open("compare", a=TRACE, b=HOSTILE_TRACE)
    assert not app.exception and _is_inert(app)
    assert list(app.dataframe[0].value["What"])[:2] == ["Duration", "Cost"]
    assert "− removed" in list(app.dataframe[1].value["Change"]), "the actors have other names"
    assert "steps shown of" in _texts(app)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({}, "Compare with"),
        ({"a": TRACE}, "No other run"),
        ({"a": TRACE, "b": HOSTILE[0]}, "no such trace"),
        ({"a": TRACE, "b": "0c" * 16}, "No span of this trace"),
    ],
)
def test_a_comparison_that_lacks_a_run_says_what_to_do(connected: Store, query: dict[str, str], told: str) -> None:
    app = _open("compare", **query)
    assert not app.exception and _is_inert(app)
    assert told in "\n".join(str(one.value) for one in [*app.info, *app.warning])


def test_the_fleet_shows_actors_and_the_chosen_one(connected: Store) -> None:
    app = _open("fleet", range="all", actor=_actor(connected, HOSTILE[0]))
    assert not app.exception and _is_inert(app)
    assert "4 actors shown" in _texts(app) and "runs of this actor" in _texts(app)


@pytest.mark.parametrize("actor", ["planner", HOSTILE[0]])
def test_coverage_shows_the_questions_of_an_actor_and_how_to_say_what_is_missing(connected: Store, actor: str) -> None:
    app = _open("coverage", range="all", actor=_actor(connected, actor))
    assert not app.exception and _is_inert(app)
    assert "4 actors shown, from 2 traces" in _texts(app)
    cells = app.dataframe[0].value
    assert set(cells["Identity"]) == {"33% · 1 of 3"}, "readable without colour"
    assert "○ missing" in list(app.dataframe[1].value["Known"])
    assert "otel_genai: gen_ai.agent.name" in list(app.dataframe[1].value["By which rule"])
    code = "\n".join(str(one.value) for one in app.code)
    name = actor if actor == "planner" else "my-agent"
    assert f'with semconv.agent("{name}", version="1.4.2"): ...' in code


def test_coverage_of_an_actor_that_was_not_there_is_said_to_be_so(connected: Store) -> None:
    app = _open("coverage", range="all", actor=HOSTILE[1])
    assert not app.exception and _is_inert(app) and "did nothing in this range" in app.warning[0].value


@pytest.mark.parametrize(
    ("view", "told"),
    [("", "Send spans"), ("fleet", "Send spans"), ("coverage", "Send spans"), ("run", "No runs of agents yet")],
)
def test_an_empty_store_says_what_to_do(store: Store, view: str, told: str) -> None:
    data.connect(store, lambda: {"status": "ok", "spans_stored": 0, "grpc": "127.0.0.1:4317"})
    app = _open(view)
    data.disconnect()
    assert not app.exception
    assert told in app.info[0].value


def test_a_store_that_is_away_does_not_break_the_page(connected: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: Any, **named: Any) -> None:
        raise TransientError("the store is away")

    monkeypatch.setattr(connected, "named", fail)
    app = _open()
    assert not app.exception and "did not answer" in app.warning[0].value


def test_names_in_the_graph_are_plain_text_and_never_templates() -> None:
    edge = {"delegator_id": "a", "delegator_name": HOSTILE[0], "delegate_id": "a", "delegate_name": "{b}"}
    drawn = graph.actors([{**edge, "basis": "inferred", "delegations": 3}], {"a"}, {}).spec["series"][0]
    assert drawn["data"][0]["name"].startswith("⚑") and drawn["links"][0]["label"]["formatter"] == "3× inferred"
    formatters: list[str] = []
    _walk(drawn, lambda key, value: formatters.append(value) if key == "formatter" else None)
    assert formatters and not [f for f in formatters if "<" in f or "{" in f]


def _walk(value: Any, see: Callable[[str, Any], Any]) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            see(key, item)
            _walk(item, see)
    elif isinstance(value, list):
        for item in value:
            _walk(item, see)


def test_ingest_health_comes_up_empty_and_with_senders(connected: Store) -> None:
    app = _open("ingest")
    assert not app.exception and _is_inert(app)
    assert app.title[0].value == "Ingest health"


@pytest.mark.parametrize(
    ("view", "query"),
    [
        ("change", {"resource": HOSTILE[0], "range": "all"}),
        ("delegation", {"trace_id": HOSTILE_TRACE}),
        ("again", {"trace_id": HOSTILE_TRACE}),
        ("radius", {"id": "desk/planner", "range": "all"}),
        ("cost", {"range": "all"}),
        ("alerts", {}),
        ("sql", {"q": "SELECT actor_name FROM agent_runs"}),
    ],
)
def test_the_pages_of_the_questions_come_up_and_show_names_as_text(connected: Store, view: str, query: dict[str, str]) -> None:
    app = _open(view, **query)
    assert not app.exception and _is_inert(app), [one.message for one in app.exception]


def test_an_actor_is_shown_with_what_it_uses(connected: Store) -> None:
    app = _open("actor", actor=_actor(connected, HOSTILE[0]), range="all")
    assert not app.exception and _is_inert(app)
    assert "Identities over time" in [s.value for s in app.subheader]


@pytest.mark.parametrize("view", ["change", "delegation", "again", "radius", "actor", "sql"])
def test_pages_that_were_asked_nothing_say_what_to_give(connected: Store, view: str) -> None:
    app = _open(view)
    assert not app.exception and app.info
