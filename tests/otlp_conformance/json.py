"""Rows J1 to J5: OTLP in JSON. What was read is looked up in the store where that can be done."""

from __future__ import annotations

import json
from typing import Any

from tests.otlp_conformance.peer import JSON, Peer, hex_of, trace
from tests.otlp_conformance.rows import row


def document(number: int, **fields: Any) -> dict[str, Any]:
    """A request of one span; `fields` replace or add to its keys."""
    span = {
        "traceId": hex_of(number), "spanId": "eee19b7ec3c1b174", "name": "step", "kind": 1,
        "startTimeUnixNano": "1780000000000000000", "endTimeUnixNano": "1780000001000000000", **fields,
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "desk"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "tests"}, "spans": [span]}]}]}


def _sent(peer: Peer, given: Any, number: int) -> dict[str, Any]:
    """Send it; the span as it is stored, or nothing of a stranger's."""
    reply = peer.post(json.dumps(given).encode(), JSON)
    assert reply.status == 200, f"{reply.status}: {reply.body[:100]!r}"
    assert not reply.read().HasField("partial_success"), reply.read().partial_success.error_message
    if peer.inside is None:
        return {}
    (found,) = peer.inside.rows(hex_of(number), 1, settles=0.0)
    return found


@row("J1", "M", "ids are hex in any case, not base64")
def ids(peer: Peer) -> None:
    number = trace()
    upper = document(
        number, traceId=hex_of(number).upper(), spanId="EEE19B7ec3c1b174", parentSpanId="AbCdEf0123456789",
        links=[{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B173"}],
    )  # fmt: skip
    found = _sent(peer, upper, number)
    if found:
        assert (found["span_id"].hex(), found["parent_span_id"].hex()) == ("eee19b7ec3c1b174", "abcdef0123456789")
        assert [each.hex() for each in found["link_span_ids"]] == ["eee19b7ec3c1b173"]
    for wrong in ("W47/95gDgQPSabYzgT/GDA==", "zz" * 16, 5, {}, False):
        reply = peer.post(json.dumps(document(1, traceId=wrong)).encode(), JSON)
        assert reply.status == 400, f"{wrong!r} as an id gets {reply.status}"


@row("J2", "M", "enums are numbers; names are not needed")
def enums(peer: Peer) -> None:
    number = trace()
    found = _sent(peer, document(number, kind=3, status={"code": 2, "message": "no"}), number)
    if found:
        assert (found["kind"], found["status_code"], found["status_message"]) == ("client", "error", "no")


@row("J3", "M", "unknown keys are passed over at every level")
def unknown(peer: Peer) -> None:
    number = trace()
    given = document(
        number, next=[{"x": 1}], status={"code": 1, "y": None}, events=[{"name": "e", "z": {}}],
        attributes=[{"key": "a", "w": 1, "value": {"stringValue": "b", "newValue": {}}}],
    )  # fmt: skip
    resource = given["resourceSpans"][0]
    for level in (given, resource, resource["resource"], resource["scopeSpans"][0], resource["scopeSpans"][0]["scope"]):
        level["fromTheFuture"] = {"deep": [None, {"deeper": 1}]}
    found = _sent(peer, given, number)
    if found:
        assert dict(found["attributes"])["a"] == "b" and found["event_names"] == ["e"]


@row("J4", "M", "keys are lowerCamelCase; snake_case is unknown")
def camel_case(peer: Peer) -> None:
    number = trace()
    found = _sent(peer, document(number, trace_state="a=b", traceState="c=d", parent_span_id="00"), number)
    if found:
        assert found["trace_state"] == "c=d" and not found["parent_span_id"].strip(b"\0")
    assert peer.post(b'{"resource_spans": 5}', JSON).status == 200


@row("J5", "M", "64-bit numbers as text or number, bytes as base64, NaN and Infinity as text")
def values(peer: Peer) -> None:
    number = trace()
    given = {
        "text": {"intValue": "9223372036854775807"}, "number": {"intValue": -5}, "bytes": {"bytesValue": "+/8="},
        "url": {"bytesValue": "-_8"}, "nan": {"doubleValue": "NaN"}, "least": {"doubleValue": "-Infinity"},
        "half": {"doubleValue": 0.5},
    }  # fmt: skip
    attributes = [{"key": key, "value": value} for key, value in given.items()]
    found = _sent(peer, document(number, attributes=attributes, startTimeUnixNano=1780000000000000000), number)
    if found:
        expected = {
            "text": "9223372036854775807", "number": "-5", "bytes": "+/8=", "url": "+/8=", "nan": "nan",
            "least": "-inf", "half": "0.5",
        }  # fmt: skip
        assert dict(found["attributes"]) == expected
    for wrong in ({"intValue": "9223372036854775808"}, {"bytesValue": "%"}, {"doubleValue": "many"}, {"intValue": "1_0"}):
        body = json.dumps(document(trace(), attributes=[{"key": "k", "value": wrong}])).encode()
        assert peer.post(body, JSON).status == 400, f"{wrong} is taken"
