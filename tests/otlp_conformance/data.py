"""Rows D1 to D5: what becomes of the data."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from tests.e2e.harness import Program
from tests.ingest import otlp
from tests.otlp_conformance.grpc import inside
from tests.otlp_conformance.peer import JSON, Code, Peer, good, hex_of, trace
from tests.otlp_conformance.rows import row


@row("D1", "M", "spans with ids of wrong length or of zeros are rejected by number, the others kept")
def invalid_ids(peer: Peer) -> None:
    def body(number: int) -> bytes:
        bad: list[dict[str, Any]] = [
            {"trace_id": bytes(16)}, {"trace_id": b"x" * 15}, {"trace_id": b""}, {"span_id": bytes(8)}, {"span_id": b"x" * 9},
        ]  # fmt: skip
        spans = [otlp.span(n + 10, **{"trace": number, **wrong}) for n, wrong in enumerate(bad)]
        return otlp.traces(otlp.span(1, trace=number), *spans, otlp.span(2, trace=number))

    first, second = trace(), trace()
    assert peer.call("traces", body(first)).response.partial_success.rejected_spans == 5
    assert peer.post(body(second)).read().partial_success.rejected_spans == 5
    if peer.inside:
        for number in (first, second):
            assert len(peer.inside.rows(hex_of(number), 2)) == 2


def _full(number: int) -> ExportTraceServiceRequest:
    """A request that uses every field."""
    nested = {"list": ["a", 1, 0.5, True, b"\x00\xff"], "map": {"deep": {"er": "x"}}, "none": None, "empty": ""}
    span = otlp.span(
        1, [*nested.items(), ("twice", "old"), ("twice", "new")], trace=number, parent_span_id=b"parent##",
        trace_state="a=b,c=d", flags=0xFFFFFF01, name="all", kind=Span.SPAN_KIND_PRODUCER, dropped_attributes_count=1,
        dropped_events_count=2, dropped_links_count=3, status=Status(code=Status.STATUS_CODE_ERROR, message="sorry"),
        start_time_unix_nano=0, end_time_unix_nano=2**63 + 5,
    )  # fmt: skip
    span.events.add(name="event", time_unix_nano=otlp.START, attributes=otlp.pairs({"e": 1}), dropped_attributes_count=4)
    span.links.add(trace_id=b"t" * 16, span_id=b"s" * 8, attributes=otlp.pairs({"l": 2}), trace_state="l=1", flags=1)
    reversed_times = otlp.span(2, trace=number, start_time_unix_nano=otlp.START + 9, end_time_unix_nano=otlp.START)
    request = ExportTraceServiceRequest.FromString(otlp.traces(span, reversed_times, scope="lib", resource={"r": 1}))
    request.resource_spans[0].schema_url = "https://opentelemetry.io/schemas/1.40.0"
    return request


@row("D2", "O", "every field comes back as it was sent, over both doors and encodings")
def round_trip(peer: Peer) -> str:
    own, numbers = inside(peer), [trace(), trace(), trace()]
    # A field 99 that no one knows yet stands behind the request and must not disturb it.
    assert peer.call("traces", _full(numbers[0]).SerializeToString() + b"\x9a\x06\x01x").code is Code.OK
    assert peer.post(_full(numbers[1]).SerializeToString()).status == 200
    assert peer.post(json.dumps(_as_json(_full(numbers[2]))).encode(), JSON).status == 200
    for number in numbers:
        one, two = own.rows(hex_of(number), 2, settles=0.0)
        expected = {
            "trace_state": "a=b,c=d", "flags": 0xFFFFFF01, "name": "all", "kind": "producer", "status_code": "error",
            "status_message": "sorry", "service_name": "desk", "scope_name": "lib", "scope_version": "1.0",
            "parent_span_id": b"parent##", "dropped_count": 6, "event_names": ["event"], "link_trace_ids": [b"t" * 16],
            "link_span_ids": [b"s" * 8],
        }  # fmt: skip
        assert {name: one[name] for name in expected} == expected
        attributes = dict(one["attributes"])
        assert attributes["list"] == '["a",1,0.5,true,"AP8="]' and json.loads(attributes["map"]) == {"deep": {"er": "x"}}
        assert (attributes["none"], attributes["empty"], attributes["twice"]) == ("", "", "new")
        assert dict(one["resource_attributes"]) == {"service.name": "desk", "r": "1"}
        assert [dict(each) for each in one["event_attributes"]] == [{"e": "1"}]
        assert [dict(each) for each in one["link_attributes"]] == [{"l": "2"}]
        assert two["start_time"] > two["end_time"], "reversed times are told as they came"
    return (
        "the three dropped counts are kept as their sum; of events and links their own dropped counts, and of links flags and "
        "trace state, are not kept, nor are schema URLs and attributes of the scope; times after 2262 become the last one"
    )


def _as_json(request: ExportTraceServiceRequest) -> Any:
    """The request in OTLP/JSON: as protobuf writes it, with ids in hex and enums as numbers."""
    made = MessageToDict(request, use_integers_for_enums=True)
    for span, source in zip(
        made["resourceSpans"][0]["scopeSpans"][0]["spans"], request.resource_spans[0].scope_spans[0].spans, strict=True
    ):
        span |= {"traceId": source.trace_id.hex(), "spanId": source.span_id.hex(), "parentSpanId": source.parent_span_id.hex()}
        for link, linked in zip(span.get("links", []), source.links, strict=True):
            link |= {"traceId": linked.trace_id.hex(), "spanId": linked.span_id.hex()}
    return made


@row("D3", "O", "what was acknowledged survives kill -9")
def survives(peer: Peer) -> str:
    inside(peer)
    number = trace()
    with tempfile.TemporaryDirectory() as folder, Program(Path(folder) / "data") as program:
        killed = Peer(program.where["grpc"].removeprefix("http://"), program.where["http"].removeprefix("http://"), peer.limit)
        for span in range(1, 21):
            body = otlp.traces(otlp.span(span, trace=number))
            assert killed.call("traces", body).code is Code.OK if span % 2 else killed.post(body).status == 200
        program.kill()
        program.start()
        program.settle(20)
        rows = program.sql(f"SELECT count(), uniqExact(span_id) FROM spans WHERE trace_id = '{hex_of(number)}'")
    assert rows == [[20, 20]], f"20 acknowledged, {rows} stored"
    return "the real program, killed right after the last answer of either door"


@row("D4", "S", "the same bytes sent again make no second row")
def duplicates(peer: Peer) -> str:
    own, number = inside(peer), trace()
    body = good(number)
    for _ in range(3):
        assert peer.call("traces", body).code is Code.OK
        assert peer.post(body).status == 200
    assert len(own.rows(hex_of(number), 1)) == 1
    return "six times over both doors"


@row("D5", "S", "a full server says so at once, within the ten seconds that senders wait")
def backpressure(peer: Peer) -> str:
    with inside(peer).full():
        began = time.monotonic()
        assert peer.call("traces", good()).code is Code.UNAVAILABLE
        assert peer.post(good()).status == 503
        assert time.monotonic() - began < 5
    return "both doors together in less than 5 s"
