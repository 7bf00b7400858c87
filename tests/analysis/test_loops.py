"""Loops and double workers are the same findings however their spans arrive: in order, mixed, one by one, twice."""

from __future__ import annotations

from typing import Any

import pytest
from tests.analysis.analyst import Analyst
from tests.analysis.test_runner import parts, summary
from tests.conftest import TABLES
from tests.make import spans

from actorscope.ingest.store.client import Store, in_worker

STORY = """
- trace: stuck
  spans:
    - agent: scout
      request: Find the report
      children:
        - {chat: x, tokens: [2600, 60]}
        - {tool: get_page, effect: read, args: {n: 1}, result: empty}
        - {chat: x, tokens: [2600, 60]}
        - {tool: get_page, effect: read, args: {n: 1}, result: empty}
        - {chat: x, tokens: [2600, 60]}
        - {tool: get_page, effect: read, args: {n: 1}, result: empty}
        - {tool: search, effect: read, args: {q: the official report of the harbour on traffic}, result: a}
        - {chat: x, tokens: [2600, 60]}
        - {tool: search, effect: read, args: {q: official report of the harbour on its traffic}, result: b}
        - {chat: x, tokens: [2600, 60]}
        - {tool: search, effect: read, args: {q: report of the harbour on traffic}, result: c}
        - {tool: open_link, effect: read, args: {n: 2}, error: HTTPError}
        - {chat: x, tokens: [5600, 60]}
        - {tool: open_link, effect: read, args: {n: 2}, error: HTTPError}
- trace: coder
  at: 5m
  spans:
    - agent: coder
      request: Where is the port set?
      children:
        - op: step
          attributes: {output.value: "logs: the port []"}
          children: [{chat: x, tokens: [3000, 60], attributes: {output.value: "```names = find('port'); print('the port', names)```"}}]
        - op: step
          attributes: {output.value: "logs: the PORT []"}
          children: [{chat: x, tokens: [3000, 60], attributes: {output.value: "```names = find('PORT'); print('the PORT', names)```"}}]
        - op: step
          attributes: {output.value: "logs: files port []"}
          children: [{chat: x, tokens: [3000, 60], attributes: {output.value: "```names = files('port'); print('files port', names)```"}}]
        - op: step
          attributes: {output.value: "logs: 8080"}
          children: [{chat: x, tokens: [3000, 60], attributes: {output.value: "```print(text)```"}}]
- trace: first
  at: 10m
  spans: [{agent: anna, user: u, request: Book a flight, children: [{tool: book, effect: write, args: {seat: 1}}]}]
- trace: second
  at: 20m
  spans: [{agent: bert, user: u, request: Book a flight, children: [{tool: book, effect: write, args: {seat: 2}}]}]
"""
FOUND = [
    "reexecution_double_worker", "reexecution_error_loop", "reexecution_fruitless_code", "reexecution_near_duplicate",
    "reexecution_read_loop",
]  # fmt: skip


@pytest.mark.parametrize("way", ["in order", "one by one", "mixed 1", "mixed 2", "backwards", "twice"])
def test_how_spans_arrive_does_not_change_what_is_found(store: Store, way: str) -> None:
    made = spans(STORY)

    def found(batches: list[list[Any]]) -> list[tuple[Any, ...]]:
        for table in TABLES:
            store.command(f"TRUNCATE TABLE {table}")
        analyst = Analyst(store)
        for batch in batches:
            analyst.look(made, batch)
        return summary(analyst, made)

    whole = in_worker(lambda: found([made.rows]))
    rows = made.shuffled(int(way[-1])) if way.startswith("mixed") else made.rows[::-1] if way == "backwards" else made.rows
    batches = parts(rows, len(rows) if way == "one by one" else 5)
    again = in_worker(lambda: found([*batches, *(batches[::-1] if way == "twice" else [])]))
    assert sorted(detector for _, detector, *_ in whole) == FOUND
    assert again == whole
