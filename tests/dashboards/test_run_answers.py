"""Runs in columns: the tree, the critical path, what lies around them, and two of them side by side."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dashboards.conftest import keep
from tests.dashboards.otlp import HOSTILE, body, fleet_of, notes_body, office, run_of, span

from actorscope.analysis.answers import around, compare, run, tree
from actorscope.analysis.runner import Runner
from actorscope.dashboards.parts import graph, summary, waterfall
from actorscope.dashboards.parts.export import csv
from actorscope.ingest.spool import record_of
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.writer import log_rows, span_rows
from actorscope.settings import AnalysisSettings

CAREFUL, HASTY = "d1" * 16, "d2" * 16


@pytest.fixture
def offices(store: Store) -> Store:
    """Two runs of an office, the second hasty and linked to the first."""

    def fill() -> None:
        link = (CAREFUL, f"{CAREFUL[:12]}0003")
        for at, (spans, notes) in enumerate((office(CAREFUL), office(HASTY, link, is_careful=False))):
            store.insert("log_rows", log_rows("test", 50 + 100 * at, [record_of("logs", notes_body(notes))]))
            keep(store, 100 * at + 1, body(spans))

    in_worker(fill)
    return store


def _whole(store: Store, trace: str) -> run.Run:
    found = in_worker(lambda: run.whole(store, trace))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        ([(0, 10, -1)], [(0, 0, 10)]),
        ([(0, 10, -1), (1, 4, 0), (5, 9, 0)], [(0, 0, 1), (1, 1, 4), (0, 4, 5), (2, 5, 9), (0, 9, 10)]),
        ([(0, 15, -1), (0, 10, 0), (5, 12, 0)], [(0, 0, 5), (2, 5, 12), (0, 12, 15)]),  # the first ran beside the second
        ([(0, 5, -1), (2, 9, 0)], [(0, 0, 2), (1, 2, 9)]),  # it outlived its parent
        ([(0, 5, -1), (7, 9, -1)], [(0, 0, 5), (-1, 5, 7), (1, 7, 9)]),  # nothing was recorded in between
        ([(0, 5, -1), (0, 5, 0), (0, 5, 1)], [(2, 0, 5)]),
        ([], []),
    ],
)
def test_the_critical_path_is_what_was_waited_for(spans: list[Any], pieces: list[tree.Piece]) -> None:
    starts, ends, parents = ([one[at] for one in spans] for at in range(3))
    assert tree.critical_path(starts, ends, parents) == pieces


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(-1, 30)), min_size=1, max_size=30))
def test_any_critical_path_covers_the_whole_time_once(rows: list[tuple[int, int, int]]) -> None:
    starts = [float(start) for start, _, _ in rows]
    ends = [float(start + length) for start, length, _ in rows]
    pieces = tree.critical_path(starts, ends, [min(parent, at - 1) for at, (_, _, parent) in enumerate(rows)])
    assert sum(to - begin for _, begin, to in pieces) == max(ends) - min(starts)
    assert all(one[2] == other[1] for one, other in itertools.pairwise(pieces))


def test_an_open_span_an_approval_and_the_time_are_part_of_the_run(offices: Store) -> None:
    found = _whole(offices, HASTY)
    told, spans = found.told, found.spans
    assert (told["spans_shown"], told["spans_matched"], told["spans_open"], told["rows_scanned"]) == (9, 9, 1, 8)
    begun = spans.filter("is_open").to_dicts()[0]
    assert begun["name"] == "execute_tool wait_for_bank" and begun["duration_ms"] is None and begun["depth"] == 2
    assert begun["ends_ms"] == pytest.approx(100_000, abs=200), "as long as anything of its trace"
    asked = [(each["state"], each["approver_id"]) for each in told["approvals"]]
    assert asked == [("pending", ""), ("granted", "ada@example.com"), ("used", "ada@example.com")]
    pay = spans.filter(pl.col("tool_name") == "pay").to_dicts()[0]
    assert (pay["scopes"], pay["target"], pay["side_effect"]) == (["payments.write"], "invoice/881", "write")
    assert told["time_went_to"][0]["what"] == "gpt-4o-mini"
    assert sum(each["share"] for each in told["time_went_to"]) == pytest.approx(1)
    objects = in_worker(lambda: run.run(offices, HASTY))
    assert objects is not None and datetime.fromisoformat(objects["spans"][0]["start_time"]).tzinfo == UTC
    assert [one["scopes"] for one in objects["spans"]][-1] == []


def test_a_run_knows_what_it_is_linked_with_both_ways(offices: Store) -> None:
    first, second = (in_worker(lambda trace=trace: around.of(offices, _there(offices, trace))) for trace in (CAREFUL, HASTY))
    assert [(link["is_out"], link["to_trace_id"]) for link in second["links"]] == [(True, CAREFUL)]
    assert [(link["is_out"], link["from_trace_id"]) for link in first["links"]] == [(False, HASTY)]
    assert [other["trace_id"] for other in first["conversation"]] == [HASTY]
    assert [other["trace_id"] for other in second["siblings"]] == [CAREFUL]


def _there(store: Store, trace: str) -> run.Run:
    found = run.whole(store, trace)
    assert found is not None
    return found


def test_work_that_goes_on_in_another_trace_is_joined_from_both_ends(store: Store) -> None:
    give, take = "e1" * 16, "e2" * 16
    hand = {"actorscope__delegation__id": "dl-9"}
    acts = [
        run_of(give, "e1" * 8, "", "boss", 60, 10),
        span(give, "e1" * 7 + "02", "e1" * 8, "hand over", 50, 49, **hand, actorscope__delegation__delegate__name="helper"),
    ]

    def ask() -> Any:
        keep(store, 1, body(acts))
        keep(store, 100, body([run_of(take, "e2" * 8, "", "helper", 45, 20, **hand)]))
        return [around.of(store, _there(store, trace))["joins"] for trace in (give, take)]

    out, back = in_worker(ask)
    assert [(join["is_out"], join["run_trace_id"], join["delegate_name"]) for join in out] == [(True, take, "helper")]
    assert [(join["is_out"], join["trace_id"]) for join in back] == [(False, give)]


def test_search_reads_attributes_events_and_status(offices: Store) -> None:
    def ask(text: str, limit: int = 10) -> dict[str, Any]:
        return in_worker(lambda: run.search(offices, HASTY, text, limit))

    assert ask("INVOICE/881")["spans"] == [f"{HASTY[:12]}0006"], "case does not matter"
    assert ask("no such account")["spans"] == [f"{HASTY[:12]}0007"]
    assert ask("gen_ai", 2)["is_cut"] and len(ask("gen_ai", 2)["spans"]) == 2
    assert ask("' OR 1=1")["spans"] == [] and ask("  ")["spans"] == []


def test_the_version_of_a_run_changes_with_it(offices: Store) -> None:
    before = _whole(offices, HASTY).version
    assert in_worker(lambda: run.version(offices, HASTY)) == before
    in_worker(lambda: keep(offices, 900, body([span(HASTY, "ab" * 8, "", "late", 3, 2)])))
    assert in_worker(lambda: run.version(offices, HASTY)) != before


def test_rows_for_the_browser_hold_every_span_once_and_no_text_as_it_came(offices: Store) -> None:
    wild = [run_of("b3" * 16, "b3" * 8, "", HOSTILE[0], 9, 1), span("b3" * 16, "b4" * 8, "b3" * 8, "\x1b[31m\u202e" + "x" * 5000, 5, 2)]
    in_worker(lambda: keep(offices, 900, body(wild)))
    found = waterfall.rows(_whole(offices, "b3" * 16))
    assert found["strings"][0] == "" and found["strings"][found["name"][0]] == f"invoke_agent {HOSTILE[0]}"
    assert found["strings"][found["name"][1]].startswith("\\x1b[31m\\u202exxx") and all(len(text) < 160 for text in found["strings"])
    hasty = waterfall.rows(_whole(offices, HASTY))
    sizes = {name: len(column) for name, column in hasty.items() if isinstance(column, list)}
    assert {sizes[name] for name in ("parent", "kind", "at", "ms", "cost", "flags", "name", "who", "finding")} == {9}
    assert len(hasty["ids"]) == 9 * 16 and hasty["parent"][0] == -1
    assert [one["shape"] for one in hasty["approvals"]] == ["?", "✓", "●"]


def test_the_graph_of_runs_leads_to_each_run(offices: Store) -> None:
    found = _whole(offices, HASTY)
    drawn = graph.runs(found.spans, found.told["delegations"], set())
    assert drawn.spans == [f"{HASTY[:12]}0001", f"{HASTY[:12]}0004"] and drawn.left_out == 0
    assert len(drawn.spec["series"][0]["links"]) == 1
    actors = graph.actors(found.told["delegations"], set(), graph.first_runs(found.spans))
    assert set(actors.spans) == set(drawn.spans)


def test_a_spreadsheet_runs_nothing_of_an_export(store: Store) -> None:
    spans = [run_of("b5" * 16, "b5" * 8, "", "a", 9, 1), span("b5" * 16, "b6" * 8, "b5" * 8, "=cmd|'/c calc'!A0", 5, 2)]
    in_worker(lambda: keep(store, 1, body(spans)))
    found = _whole(store, "b5" * 16)
    names = pl.read_csv(csv(summary.rows(found)).encode())["name"].to_list()
    assert names == ["invoke_agent a", "'=cmd|'/c calc'!A0"] and len(summary.whole(found)) > 100


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_an_alignment_keeps_order_and_as_much_as_can_be_kept(left: list[str], right: list[str]) -> None:
    pairs = compare.aligned(left, right)
    assert [i for i, _ in pairs if i is not None] == list(range(len(left)))
    assert [j for _, j in pairs if j is not None] == list(range(len(right)))
    kept = [(i, j) for i, j in pairs if i is not None and j is not None]
    assert all(left[i] == right[j] for i, j in kept) and len(kept) == _longest(left, right)


def _longest(left: list[str], right: list[str]) -> int:
    """The textbook's table."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if one == other else max(table[i][j + 1], table[i + 1][j])
    return table[-1][-1]


def test_two_runs_are_compared_step_by_step(offices: Store) -> None:
    found = in_worker(lambda: compare.stored(offices, CAREFUL, HASTY))
    assert found is not None and found["counts"] == {"same": 5, "changed": 2, "added": 1, "removed": 0}
    added = next(step for step in found["steps"] if step["change"] == "added")
    assert added["a"] is None and added["b"]["tool_name"] == "delete_mail"
    assert found["scopes"] == {"added": ["mail.delete"], "removed": [], "kept": ["mail.read", "payments.write"]}
    assert found["targets"]["added"] == ["mailbox/9"]
    tokens = next(each for each in found["totals"] if each["name"] == "input_tokens")
    assert tokens == {"name": "input_tokens", "a": 1800, "b": 8000, "difference": 6200}
    changed = [step for step in found["steps"] if step["change"] == "changed"]
    assert all("tokens" in step["differences"] for step in changed)
    back = in_worker(lambda: compare.stored(offices, HASTY, CAREFUL))
    assert back is not None and back["counts"]["removed"] == 1
    assert in_worker(lambda: compare.stored(offices, CAREFUL, "0c" * 16)) is None


def test_another_tool_in_the_place_of_one_is_a_change(store: Store) -> None:
    def one(trace: str, tools: list[str]) -> list[Any]:
        made = [run_of(trace, f"{trace[:14]}00", "", "clerk", 60, 1)]
        call = {"gen_ai__operation__name": "execute_tool"}
        for at, tool in enumerate(tools, 1):
            own = f"{trace[:14]}{at:02x}"
            made.append(span(trace, own, f"{trace[:14]}00", tool, 50 - at, 49.5 - at, **call, gen_ai__tool__name=tool))
        return made

    def ask() -> Any:
        keep(store, 1, body(one("f1" * 16, ["read", "pay", "read"])))
        keep(store, 50, body(one("f2" * 16, ["read", "refund", "read", "read"])))
        return compare.stored(store, "f1" * 16, "f2" * 16)

    found = in_worker(ask)
    told = [(step["change"], (step["a"] or {}).get("tool_name"), (step["b"] or {}).get("tool_name")) for step in found["steps"]]
    assert ("changed", "pay", "refund") in told and found["counts"]["added"] == 1 and found["counts"]["removed"] == 0


def test_twenty_thousand_spans_are_answered_in_columns(store: Store) -> None:
    spans = fleet_of("c7" * 16, 20_001)

    def fill() -> None:
        for at in range(0, len(spans), 5000):
            store.insert("span_rows", span_rows("test", at + 1, [record_of("traces", body(spans[at : at + 5000]))]))
        Runner(store, AnalysisSettings()).run_to_end()

    in_worker(fill)
    began, used = time.monotonic(), time.process_time()
    found = _whole(store, "c7" * 16)
    told = f"answer {time.monotonic() - began:.2f} s, {time.process_time() - used:.2f} s of CPU"
    began = time.monotonic()
    rows = waterfall.rows(found)
    print(f"\n20,000 spans: {told}; columns for the browser {time.monotonic() - began:.2f} s")
    assert (found.told["spans_shown"], found.told["spans_matched"]) == (run.MOST_SPANS, 20_001), "cut, and said so"
    assert len(rows["name"]) == 20_000 and len(rows["strings"]) < 21_000
