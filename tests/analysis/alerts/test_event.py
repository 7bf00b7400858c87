"""The body of a notification: a CloudEvent, thin."""

from __future__ import annotations

import json

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from tests.analysis.alerts.conftest import transition

from actorscope.analysis.alerts.event import CONTENT_TYPE, notification


def test_attributes_are_those_of_a_cloud_event() -> None:
    told = transition("escalated")
    read = JSONFormat().read(CloudEvent, notification(told, "https://scope.example/"))
    assert (read.get_id(), read.get_type(), read.get_subject()) == (told["id"], "actorscope.finding.escalated", "fnd_1")
    assert (read.get_source(), read.get_specversion()) == ("https://scope.example", "1.0")
    assert (read.get_time(), read.get_datacontenttype()) == (told["at"], "application/json")
    assert CONTENT_TYPE == "application/cloudevents+json"
    assert JSONFormat().read(CloudEvent, notification(told, "")).get_source() == "actorscope"


def test_the_same_transition_is_the_same_text() -> None:
    told = transition()
    assert notification(told, "") == notification(told, "")


def test_data_is_thin() -> None:
    told = transition()
    text = notification(told, "https://scope.example")
    data = json.loads(text)["data"]
    assert sorted(data) == [
        *("basis", "cost_usd", "count", "detector", "evidence", "family", "finding_id", "fingerprint"),
        *("first_evidence_at", "opened_at", "permalink", "rule", "severity", "state", "subject", "title", "updated_at"),
    ]
    assert data["permalink"] == "https://scope.example/?finding=fnd_1"
    assert data["evidence"] == [
        {"trace_id": "0a" * 16, "span_id": "0b" * 8},
        {"trace_id": "0c" * 16, "span_id": "0d" * 8},
    ]
    assert data["cost_usd"] == 1.25
    for word in ("PROMPT", "ARGUMENT", "BASELINE", "COUNTERFACTUAL", "TARGET", "CAVEAT", "NEXT"):
        assert word not in text


def test_names_of_any_length_and_script_make_a_small_ascii_body() -> None:
    told = transition()
    told["finding"]["title"] = "ü" * 100_000
    told["finding"]["subject"] = {"id": "\u2028" * 100_000, "name": '"' * 100_000}
    text = notification(told, "")
    assert text.isascii() and len(text) < 10_000
