"""The answers that the explorer asks for, over a small real store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.dashboards.conftest import keep
from tests.dashboards.otlp import HOSTILE, body, run_of, span

from actorscope.analysis.answers import findings, fleet, ids, run
from actorscope.analysis.answers.attention import Wanted, attention
from actorscope.analysis.detectors import DETECTORS
from actorscope.ingest.store.client import Store, in_worker

TRACE = "a1" * 16
ROOT = TRACE[:14] + "01"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (TRACE, TRACE),
        (f"  0x{TRACE.upper()} ", TRACE),
        ("a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1", TRACE),
        ("0" * 32, None),
        ("a1" * 15, None),
        ("g1" * 16, None),
        ("' OR 1=1 --", None),
        ("", None),
    ],
)
def test_trace_ids_are_read_as_people_paste_them(text: str, found: str | None) -> None:
    assert ids.trace_id(text) == found


def test_attention_filters_counts_and_pages(filled: Store) -> None:
    def ask() -> tuple[dict[str, Any], ...]:
        return (
            attention(filled),
            attention(filled, Wanted(families=("cost",))),
            attention(filled, Wanted(states=("open",)), limit=1, offset=1),
            attention(filled, Wanted(subject="desk/planner")),
        )

    everything, other, second, mine = in_worker(ask)
    assert everything["matched"] == everything["total"] == len(everything["findings"]) == 2
    first = everything["findings"][0]
    assert first["family"] == "delegation" and first["state"] == "open" and len(first["evidence"][0]["trace_id"]) == 32
    assert other["findings"] == [] and other["matched"] == 0 and other["total"] == 2
    assert other["counts"]["family"]["delegation"] == 2, "a filter's own counts show what another choice would bring"
    assert other["counts"]["state"]["open"] == 0
    assert len(second["findings"]) == 1 and second["findings"][0]["id"] != first["id"] and second["matched"] == 2
    assert [f["subject"]["name"] for f in mine["findings"]] == ["planner"]


def test_a_finding_comes_with_its_history_and_explanation(filled: Store) -> None:
    def ask() -> Any:
        wanted = attention(filled, Wanted(subject="desk/planner"))["findings"][0]["id"]
        return findings.detail(filled, wanted), findings.detail(filled, "fnd_unknown")

    found, unknown = in_worker(ask)
    assert unknown is None
    assert "What it finds" in found["explanation"]
    assert [t["kind"] for t in found["transitions"]] == ["opened"]
    assert found["occurrences"][0]["trace_id"] == TRACE
    assert all(findings.explanation(d.id) for d in DETECTORS) and findings.explanation("nothing") == ""


def test_a_run_is_a_tree_with_its_marks_and_edges(filled: Store) -> None:
    found = in_worker(lambda: run.run(filled, TRACE))
    assert found is not None
    assert [(s["depth"], s["is_error"], bool(s["findings"])) for s in found["spans"]] == [
        (0, False, True), (1, False, True), (2, False, True), (3, True, False)
    ]  # fmt: skip
    assert found["spans"][0]["offset_ms"] == 0 and found["spans"][3]["duration_ms"] == pytest.approx(5000, abs=1)
    edges = {(e["delegator_name"], e["delegate_name"]): e["delegations"] for e in found["delegations"]}
    assert edges == {("planner", "worker"): 1, ("worker", "planner"): 1}
    told = found["summary"]
    assert (told["spans"], told["runs"], told["model_calls"], told["errors"], told["input_tokens"]) == (4, 3, 1, 1, 90)
    assert [f["family"] for f in found["findings"]] == ["delegation"]
    assert in_worker(lambda: run.run(filled, "0c" * 16)) is None


def test_a_run_longer_than_the_limit_says_so(filled: Store) -> None:
    found = in_worker(lambda: run.run(filled, TRACE, limit=2))
    assert found is not None and (found["spans_shown"], found["spans_matched"]) == (2, 4)


def test_parents_that_are_missing_or_go_in_circles_lose_no_span(store: Store) -> None:
    trace, a, b, c = "d4" * 16, "d4" * 7 + "01", "d4" * 7 + "02", "d4" * 7 + "03"
    spans = [
        run_of(trace, a, b, "one", 60, 10),
        run_of(trace, b, a, "two", 50, 15),
        span(trace, c, "ff" * 8, "lost", 40, 20),
    ]

    def ask() -> Any:
        keep(store, 1, body(spans))
        return run.run(store, trace)

    found = in_worker(ask)
    assert {s["span_id"] for s in found["spans"]} == {a, b, c}


def test_one_span_is_shown_in_full_and_found_by_its_id_alone(filled: Store) -> None:
    hostile = "b2" * 16
    last = hostile[:14] + "04"
    found, trace = in_worker(lambda: (run.span(filled, hostile, last), run.trace_of(filled, last)))
    assert found is not None and trace == hostile
    assert found["name"] == f"chat {HOSTILE[0]}" and found["status_message"] == HOSTILE[0]
    assert found["attributes"]["gen_ai.request.model"] == "gpt-4o-mini"
    assert found["resource_attributes"] == {"service.name": "desk"}
    assert found["actor_basis"] == "declared" and found["events"] == [] and found["links"] == []
    assert in_worker(lambda: run.span(filled, hostile, "ff" * 8)) is None
    assert in_worker(lambda: run.trace_of(filled, "ff" * 8)) is None


def test_the_fleet_counts_each_actor_once(filled: Store) -> None:
    now = datetime.now(UTC)
    found = in_worker(lambda: fleet.fleet(filled))
    actors = {a["actor_name"]: a for a in found["actors"]}
    planner = actors["planner"]
    assert len(found["actors"]) == 4 and not found["is_cut"]
    assert (planner["runs"], planner["model_calls"], planner["input_tokens"], planner["errors"]) == (2, 1, 90, 1)
    assert (planner["delegations_in"], planner["delegations_out"], planner["open_findings"]) == (1, 1, 1)
    assert planner["services"] == ["desk"] and planner["dialects"] == ["otel_genai"]
    assert found["actors"][0]["open_findings"] == 1, "what needs attention comes first"
    later = in_worker(lambda: fleet.fleet(filled, since=now + timedelta(hours=1)))
    assert later["actors"] == [] and later["newest_at"] is not None


def test_the_latest_runs_of_all_leave_out_the_delegated_ones(filled: Store) -> None:
    tops, own = in_worker(lambda: (run.latest_runs(filled), run.latest_runs(filled, "desk/planner")))
    assert len(tops) == 2 and {r["span_id"][-2:] for r in tops} == {"01"}
    assert [r["span_id"] for r in own] == [TRACE[:14] + "03", ROOT], "the newest first, delegated ones too"
    assert len(in_worker(lambda: run.latest_runs(filled, limit=1))) == 1
