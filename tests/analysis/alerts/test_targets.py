"""What each kind of target gets is what it understands: checked with the receivers' own libraries and recorded schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from tests.analysis.alerts.conftest import AT, SECRET, transition

from actorscope.analysis.alerts.event import notification, trial
from actorscope.analysis.alerts.heard import Heard, labels
from actorscope.analysis.alerts.plan import KINDS, Step, Told
from actorscope.analysis.alerts.targets import Request, request
from actorscope.errors import TransientError
from actorscope.settings import AlertSettings, TargetSettings

SCHEMAS = Path(__file__).parent / "schemas"
ROUTING = "0123456789abcdef0123456789abcdef"
SETTINGS = AlertSettings()
NOW = datetime.now(AT.tzinfo)
HOSTILE = (
    "<!channel> <@U123> <https://evil.example|click> &amp; *bold* _it_ ~no~ `code` :skull:",
    "**bold** [click](https://evil.example) ![x](https://evil.example/x.png) # head {{DATE(2026)}} <at>all</at>",
    '<script>alert(1)</script> </b> @everyone "\\" \u202e\x1b[31m',
    "a" * 1_000_000,
)


def target(kind: str, **changes: Any) -> TargetSettings:
    secrets = {"generic": SECRET, "pagerduty": ROUTING}
    values = {"name": "t", "kind": kind, "url": SecretStr("https://hooks.example/x"), "secret": SecretStr(secrets.get(kind, ""))}
    return TargetSettings(**{**values, **changes})


def heard(finding: str = "fnd_1", severity: str = "high", state: str = "open", **changes: Any) -> Heard:
    body = transition("opened", severity, finding, state=state, **changes)["finding"]
    return Heard(body, AT, labels(body, {"tenant": "t1", "service": "shop", "environment": ""}))


def note(kind: str, about: Iterable[Heard] = (), told: Told | None = None) -> str:
    findings = tuple(about) or (heard(state="resolved" if kind in ("resolved", "no_data") else "open"),)
    return notification("id-1", "f" * 32, Step(kind, AT, findings), findings[0], told, NOW, "https://scope.example")


def made(kind: str, body: str, **changes: Any) -> tuple[Request, Any]:
    found = request(target(kind, **changes), body, SETTINGS, NOW)
    return found, json.loads(found.body)


FORMATS = jsonschema.FormatChecker(())


@FORMATS.checks("date-time", ValueError)
def _is_moment(text: object) -> bool:
    return datetime.fromisoformat(str(text)).tzinfo is not None and "T" in str(text)


@FORMATS.checks("uri", ValueError)
def _is_uri(text: object) -> bool:
    parts = urlsplit(str(text))
    return bool(parts.scheme and parts.netloc)


@cache
def schema(name: str, part: str = "") -> jsonschema.Draft202012Validator:
    read = json.loads((SCHEMAS / f"{name}.json").read_text())
    chosen = {**read, "$ref": f"#/$defs/{part}"} if part else read
    return jsonschema.Draft202012Validator(chosen, format_checker=FORMATS)


CHECKS = {
    "slack": schema("slack"),
    "pagerduty": schema("pagerduty"),
    "alertmanager": schema("alertmanager", "push"),
    "alertmanager_webhook": schema("alertmanager", "webhook"),
    "teams": schema("teams"),
}
BODIES = [
    *(note(kind) for kind in KINDS),
    note("grown", [heard(), *(heard(f"f{n}", "medium") for n in range(40)), heard("r", state="resolved")]),
    trial(NOW, "https://scope.example")[1],
    trial(NOW, "https://scope.example", is_over=True)[1],
]


@pytest.mark.parametrize("kind", CHECKS)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: json.loads(body)["type"])
def test_every_notification_fits_the_schema_of_its_receiver(kind: str, body: str) -> None:
    CHECKS[kind].validate(made(kind, body)[1])


def test_the_schemas_refuse_what_receivers_refuse() -> None:
    """Or the test above would say nothing."""
    _, slack = made("slack", BODIES[0])
    _, pager = made("pagerduty", BODIES[0])
    _, push = made("alertmanager", BODIES[0])
    slack["blocks"][0]["text"]["text"] = "a" * 151
    pager["payload"]["severity"] = "high"
    push[0]["labels"]["no-name"] = "x"
    _, hook = made("alertmanager_webhook", BODIES[0])
    hook["alerts"][0]["startsAt"] = "yesterday"
    _, card = made("teams", BODIES[0])
    card["attachments"][0]["content"]["body"][0] = {"type": "TextBlock", "text": "**bold**"}
    for name, wrong in {"slack": slack, "pagerduty": pager, "alertmanager": push, "alertmanager_webhook": hook, "teams": card}.items():
        assert not CHECKS[name].is_valid(wrong)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: json.loads(body)["type"])
def test_generic_is_a_cloud_event_that_standard_webhooks_verifies(body: str) -> None:
    other = "whsec_" + "QUJD" * 8
    found, _ = made("generic", body, secret=SecretStr(f"{SECRET} {other}"))
    for secret in (SECRET, other):
        Webhook(secret).verify(found.body, dict(found.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(found.body + b" ", dict(found.headers))
    event = JSONFormat().read(CloudEvent, found.body)
    assert event.get_id() == found.headers["webhook-id"] and event.get_type().startswith("actorscope.")
    assert found.headers["content-type"] == "application/cloudevents+json"


@pytest.mark.parametrize("kind", [*CHECKS, "generic"])
@pytest.mark.parametrize("text", HOSTILE, ids=["slack", "markdown", "html", "long"])
def test_hostile_titles_stay_text_and_small(kind: str, text: str) -> None:
    body = note("opened", [heard(title=text, subject={"id": text, "name": text})])
    found, read = made(kind, body)
    if kind in CHECKS:
        CHECKS[kind].validate(read)
    assert len(found.body) < 16_000
    assert not any(letter in found.body.decode() for letter in ("\x1b", "\u202e", "\\u001b", "\\u202e"))
    if kind == "slack":
        assert "<" not in found.body.decode() and ">" not in found.body.decode() and read["mrkdwn"] is False
        assert "mrkdwn" not in json.dumps(read["blocks"])
    for word in ("PROMPT", "ARGUMENT", "BASELINE", "COUNTERFACTUAL", "TARGET", "CAVEAT"):
        assert word not in found.body.decode()


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400), st.text(max_size=400))
def test_any_text_fits_every_schema(title: str, name: str) -> None:
    body = note("opened", [heard(title=title or "x", subject={"id": "a", "name": name})])
    for kind, check in CHECKS.items():
        check.validate(made(kind, body)[1])


def test_pagerduty_triggers_acknowledges_and_resolves_one_incident() -> None:
    events = [made("pagerduty", note(kind))[1] for kind in KINDS]
    assert [event["event_action"] for event in events] == [*["trigger"] * 5, "acknowledge", "resolve", "resolve"]
    assert {event["dedup_key"] for event in events} == {"f" * 32}
    assert {event["routing_key"] for event in events} == {ROUTING}
    grave = (made("pagerduty", note("opened", [heard(severity=s)]))[1] for s in ("info", "medium", "high", "critical"))
    severities = [event["payload"]["severity"] for event in grave]
    assert severities == ["info", "warning", "error", "critical"]


def test_without_an_address_pagerduty_is_called_at_its_own() -> None:
    assert made("pagerduty", BODIES[0], url=SecretStr(""))[0].url == "https://events.pagerduty.com/v2/enqueue"


def test_alertmanager_ends_what_is_over_and_what_is_not_told_again() -> None:
    (firing,) = made("alertmanager", note("opened"))[1]
    ends = datetime.fromisoformat(firing["endsAt"])
    assert ends - NOW == timedelta(seconds=4 * SETTINGS.repeat_interval_seconds) - timedelta(microseconds=NOW.microsecond % 1000)
    (over,) = made("alertmanager", note("resolved"))[1]
    assert over["labels"] == firing["labels"] and datetime.fromisoformat(over["endsAt"]) <= NOW
    found, _ = made("alertmanager", note("opened"), url=SecretStr("https://am.example/"), secret=SecretStr("tok"))
    assert (found.url, found.headers["authorization"]) == ("https://am.example/api/v2/alerts", "Bearer tok")


@pytest.mark.parametrize("token", ["s3cret\ntwo", "s3crét"])
def test_a_token_that_no_header_can_carry_is_not_quoted(token: str) -> None:
    with pytest.raises(TransientError) as raised:
        made("alertmanager", BODIES[0], secret=SecretStr(token))
    assert "s3cr" not in str(raised.value)


def test_a_graver_finding_is_another_alert_and_the_one_before_ends() -> None:
    told = Told("opened", AT, "medium", {"fnd_1": "medium"})
    graver, before = made("alertmanager", note("escalated", [heard()], told))[1]
    assert (graver["labels"]["severity"], before["labels"]["severity"]) == ("high", "medium")
    assert datetime.fromisoformat(before["endsAt"]) <= NOW < datetime.fromisoformat(graver["endsAt"])


def test_the_webhook_of_alertmanager_says_what_all_alerts_share() -> None:
    _, body = made("alertmanager_webhook", note("grown", [heard(), heard("b", "low"), heard("c", state="resolved")]))
    assert (body["status"], [alert["status"] for alert in body["alerts"]]) == ("firing", ["firing", "firing", "resolved"])
    assert body["commonLabels"]["family"] == "reexecution" and "severity" not in body["commonLabels"]
    assert made("alertmanager_webhook", note("resolved"))[1]["status"] == "resolved"


def test_secrets_are_read_anew_at_every_attempt(tmp_path: Path) -> None:
    key, url = tmp_path / "key", tmp_path / "url"
    url.write_text("https://hooks.example/first\n")
    at = target("pagerduty", secret_file=key, url_file=url)
    for secret in (ROUTING, ROUTING[::-1]):
        key.write_text(secret + "\n")
        assert json.loads(request(at, BODIES[0], SETTINGS, NOW).body)["routing_key"] == secret
    assert request(at, BODIES[0], SETTINGS, NOW).url == "https://hooks.example/first"
    assert ROUTING not in repr(target("pagerduty")) and "hooks.example" not in repr(target("slack"))
