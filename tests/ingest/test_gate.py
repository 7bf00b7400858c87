"""Who is let in, and how fast."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from actorscope.cli.tokens import token
from actorscope.errors import ThrottledError, TooLargeError, UnauthenticatedError
from actorscope.ingest.gate import Gate, Label
from actorscope.settings import SenderSettings
from actorscope.tokens import digest, new_token

_MIB = 2**20


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def _sender(token: str, **given: object) -> SenderSettings:
    return SenderSettings.model_validate({"name": "desk", "token_sha256": digest(token).hex(), **given})


def test_without_senders_everybody_is_let_in_unlabelled() -> None:
    gate = Gate()
    assert gate.is_open
    assert gate.identify(None).label == gate.identify("Bearer anything").label == Label()


def test_the_token_tells_the_sender_and_its_label() -> None:
    first, second = new_token(), new_token()
    gate = Gate([_sender(first, tenant="acme"), _sender(second, name="other", tenant="zeta", service="batch")])
    assert not gate.is_open
    assert gate.identify(f"Bearer {first}").label == Label("acme")
    assert gate.identify(f"bearer  {second} ").label == Label("zeta", "batch")
    assert gate.identify(f"Bearer {second}").name == "other"


@pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic {}", "{}", "Bearer {}x", "Bearer \udcff"])
def test_whoever_does_not_show_a_known_token_is_refused(shown: str | None) -> None:
    right = new_token()
    gate = Gate([_sender(right)])
    with pytest.raises(UnauthenticatedError, match="bearer token"):
        gate.identify(shown.replace("{}", right) if shown else shown)


def test_requests_above_the_rate_wait_as_long_as_they_are_told() -> None:
    clock = Clock()
    sender = Gate([_sender("t", max_requests_per_second=5)], clock).identify("Bearer t")
    for _ in range(10):
        sender.spend(1)
    with pytest.raises(ThrottledError) as caught:
        sender.spend(1)
    clock.now += caught.value.retry_after_seconds
    sender.spend(1)
    with pytest.raises(ThrottledError):
        sender.spend(1)


def test_bytes_above_the_rate_wait_and_a_request_larger_than_the_burst_passes_when_its_turn_comes() -> None:
    clock = Clock()
    sender = Gate([_sender("t", max_mib_per_second=1)], clock).identify("Bearer t")
    sender.spend(5 * _MIB)
    clock.now += 2
    with pytest.raises(ThrottledError) as caught:
        sender.spend(_MIB)
    clock.now += caught.value.retry_after_seconds
    sender.spend(_MIB)


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    clock = Clock()
    sender = Gate([_sender("t", max_requests_per_second=1)], clock).identify("Bearer t")
    sender.spend(1)
    sender.spend(1)
    clock.now -= 1000
    with pytest.raises(ThrottledError) as caught:
        sender.spend(1)
    assert 0 < caught.value.retry_after_seconds <= 2


def test_a_sender_has_its_own_largest_request() -> None:
    sender = Gate([_sender("t", max_request_mib=0.5)]).identify("Bearer t")
    sender.spend(_MIB // 2)
    with pytest.raises(TooLargeError, match="for desk"):
        sender.spend(_MIB // 2 + 1)


def test_the_command_makes_a_token_that_its_section_lets_in() -> None:
    result = CliRunner().invoke(token, ["desk", "--tenant", "acme"])
    assert result.exit_code == 0
    made = result.stdout.strip()
    assert 'tenant = "acme"' in result.stderr and made.startswith("acs_")
    (known,) = re.findall(r'token_sha256 = "([0-9a-f]{64})"', result.stderr)
    settings = SenderSettings(name="desk", token_sha256=known)  # type: ignore[call-arg]
    assert Gate([settings]).identify(f"Bearer {made}").name == "desk"
    assert made not in result.stderr.split("For the sender")[0]
