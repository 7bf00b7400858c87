"""Each call of a model counts once, however many report it and wherever."""

from __future__ import annotations

import pytest
from tests.analysis.analyst import woven

TOKENS = "tokens: [184, 28]"


def counted(text: str) -> list[str]:
    _, steps = woven(text)
    return sorted(name for name, step in steps.items() if step["is_counted"])


def test_a_response_reported_in_two_traces_counts_once() -> None:
    assert counted(f"""
    - {{trace: t, spans: [{{chat: x, as: one, for: 2, response: r1, {TOKENS}}}]}}
    - {{trace: u, at: 0.5, spans: [{{chat: x, as: two, for: 1, response: r1, {TOKENS}}}]}}
    """) == ["t/one"]  # fmt: skip


@pytest.mark.parametrize("other", ["response: r1, service: shop", "response: r2", "response: r1, at: 60"])
def test_another_service_another_id_or_a_later_time_is_another_call(other: str) -> None:
    found = counted(f"""
    - {{trace: t, spans: [{{chat: x, as: one, for: 2, response: r1, {TOKENS}}}]}}
    - {{trace: u, spans: [{{chat: x, as: two, for: 2, {TOKENS}, {other}}}]}}
    """)
    assert found == ["t/one", "u/two"]


def test_a_nameless_report_beside_a_full_one_of_another_instrumentation_is_its_twin() -> None:
    assert counted(f"""
    - {{trace: t, spans: [{{chat: x, as: bare, for: 2, dialect: openinference, {TOKENS}}}]}}
    - {{trace: u, spans: [{{chat: x, as: full, for: 2, response: r1, {TOKENS}}}]}}
    """) == ["u/full"]  # fmt: skip


@pytest.mark.parametrize(
    "bare",
    [
        f"{{chat: x, as: bare, for: 2, {TOKENS}}}",  # the same instrumentation
        "{chat: x, as: bare, for: 2, dialect: openinference, tokens: [185, 28]}",
        f"{{chat: x, as: bare, at: 60, for: 2, dialect: openinference, {TOKENS}}}",
        f"{{chat: x, as: bare, for: 2, dialect: openinference, service: shop, {TOKENS}}}",
        f"{{op: step, children: [{{chat: x, as: bare, for: 2, dialect: openinference, {TOKENS}}}]}}",  # not at the top
        "{chat: x, as: bare, for: 2, dialect: openinference, tokens: [0, 28]}",
    ],
)
def test_what_is_not_alike_in_all_is_no_nameless_twin(bare: str) -> None:
    found = counted(f"""
    - {{trace: t, spans: [{bare}]}}
    - {{trace: u, spans: [{{chat: x, as: full, for: 2, response: r1, {TOKENS}}}]}}
    """)
    assert found == ["t/bare", "u/full"]


def test_the_tool_calls_of_an_outer_report_belong_to_its_one_inner_report() -> None:
    _, steps = woven("""
    - {trace: t, spans: [{chat: x, tool_calls: "[]", tokens: [9, 1], children: [{chat: x, as: b, tokens: [9, 1]}]}]}
    - trace: u
      spans: [{chat: x, tool_calls: "[]", tokens: [9, 1], children: [{chat: x, as: b, tokens: [9, 1]}, {chat: x, as: c, tokens: [9, 1]}]}]
    """)
    assert [steps[n]["tool_calls"] for n in ("t/b", "u/b", "u/c")] == ["[]", None, None]
