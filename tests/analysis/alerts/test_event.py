"""The body of a notification: a CloudEvent, thin."""

from __future__ import annotations

import json
from typing import Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from tests.analysis.alerts.conftest import AT, transition

from actorscope.analysis.alerts.event import CONTENT_TYPE, notification
from actorscope.analysis.alerts.heard import Heard, labels
from actorscope.analysis.alerts.plan import Step
from actorscope.ingest.redact import PRESETS, Redactor


def text(public_url: str, kind: str = "opened", redactor: Redactor | None = None, **changes: Any) -> str:
    body = transition(kind, **changes)["finding"]
    lead = Heard(body, AT, labels(body, {"tenant": "t1", "service": "shop", "environment": ""}))
    return notification("id-1", lead.fingerprint, Step(kind, AT, (lead,)), lead, None, AT, public_url, redactor)


def test_attributes_are_those_of_a_cloud_event() -> None:
    read = JSONFormat().read(CloudEvent, text("https://scope.example/", "escalated"))
    assert (read.get_id(), read.get_type(), read.get_subject()) == ("id-1", "actorscope.finding.escalated", "fnd_1")
    assert (read.get_source(), read.get_specversion()) == ("https://scope.example", "1.0")
    assert (read.get_time(), read.get_datacontenttype()) == (AT, "application/json")
    assert CONTENT_TYPE == "application/cloudevents+json"
    assert JSONFormat().read(CloudEvent, text("")).get_source() == "actorscope"


def test_the_same_step_is_the_same_text() -> None:
    assert text("") == text("")


def test_data_is_thin() -> None:
    body = text("https://scope.example")
    data = json.loads(body)["data"]
    assert sorted(data) == [
        *("basis", "cost_usd", "count", "detector", "evidence", "family", "finding_id", "findings", "findings_left_out"),
        *("fingerprint", "first_evidence_at", "group", "labels", "opened_at", "permalink", "rule", "severity", "state"),
        *("subject", "title", "updated_at"),
    ]
    assert data["permalink"] == "https://scope.example/?finding=fnd_1"
    assert data["evidence"] == [
        {"trace_id": "0a" * 16, "span_id": "0b" * 8},
        {"trace_id": "0c" * 16, "span_id": "0d" * 8},
    ]
    assert data["cost_usd"] == 1.25
    assert data["group"] == {"key": "print of fnd_1", "severity": "high", "open": 1, "resolved": 0}
    assert data["findings"][0]["place"] == {"tenant": "t1", "service": "shop"}
    for word in ("PROMPT", "ARGUMENT", "BASELINE", "COUNTERFACTUAL", "TARGET", "CAVEAT", "NEXT"):
        assert word not in body


def test_evidence_goes_out_only_when_asked_for_and_cleaned() -> None:
    evidence = [{"trace_id": "0a" * 16, "span_id": "0b" * 8, "role": "repeat", "why": "mail to jane@example.org, key AKIAIOSFODNN7EXAMPLE"}]
    why = json.loads(text("", redactor=Redactor((), ("key",), tuple(PRESETS)), evidence=evidence))["data"]["why"]
    assert why["counterfactual"] == "COUNTERFACTUAL" and why["evidence"][0].startswith("repeat: mail to ")
    assert not any(secret in str(why) for secret in ("jane@example.org", "AKIAIOSFODNN7EXAMPLE", "key"))


def test_names_of_any_length_and_script_make_a_small_ascii_body() -> None:
    subject = {"id": "\u2028" * 100_000, "name": '"' * 100_000}
    body = text("", title="ü" * 100_000, subject=subject)
    assert body.isascii() and len(body) < 20_000


def test_no_letter_of_a_title_commands_a_terminal_or_turns_the_line_around() -> None:
    title = json.loads(text("", title="a\x1b[31mred\x1b]0;title\x07 \u202eback\u2066 \x00 two\nlines"))["data"]["title"]
    assert title == "ared back two lines"
