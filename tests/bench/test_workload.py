"""The load is what it says: no span twice, the same trees in every round, JSON that means the same."""

from __future__ import annotations

from tests.bench.workload import SPANS_PER_REQUEST, Rounds, as_json

from actorscope.ingest import decode
from actorscope.ingest.normalise import normalise


def test_rounds_repeat_no_span_and_keep_the_trees() -> None:
    rounds = Rounds(2 * SPANS_PER_REQUEST)
    first, second = (decode.decode_traces(list(rounds.take(2 * SPANS_PER_REQUEST))).to_pylist() for _ in range(2))
    keys = [{(row["trace_id"], row["span_id"]) for row in rows} for rows in (first, second)]
    assert not keys[0] & keys[1] and len(keys[0] | keys[1]) == 4 * SPANS_PER_REQUEST
    trees = [[{row["span_id"]: n for n, row in enumerate(rows)}.get(row["parent_span_id"]) for row in rows] for rows in (first, second)]
    assert trees[0] == trees[1] and any(trees[0])
    assert len({b["start_time"] - a["start_time"] for a, b in zip(first, second, strict=True)}) == 1


def test_no_round_does_what_another_one_did() -> None:
    rounds = Rounds(2 * SPANS_PER_REQUEST)
    first, second = (normalise(decode.decode_traces(list(rounds.take(2 * SPANS_PER_REQUEST)))).to_pylist() for _ in range(2))
    for column in ("conversation_id", "request", "input_digest", "response_id", "tool_call_id"):
        said = [{row[column] for row in rows} - {None, ""} for rows in (first, second)]
        assert said[0] and len(said[0] & said[1]) < len(said[0]) / 100, column
    talks = [[row["conversation_id"] for row in rows] for rows in (first, second)]
    assert len(set(zip(*talks, strict=True))) == len(set(talks[0])) == len(set(talks[1]))


def test_json_says_the_same() -> None:
    (body,) = Rounds(SPANS_PER_REQUEST).first(1)
    assert decode.decode_traces([decode.from_json("traces", as_json(body))]).equals(decode.decode_traces([body]))
