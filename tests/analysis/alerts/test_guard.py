"""Where a webhook may go and where not."""

from __future__ import annotations

import pytest

from actorscope.analysis.alerts.guard import Resolve, check
from actorscope.errors import PermanentError, TransientError


def answers(*addresses: str) -> Resolve:
    return lambda host, port: list(addresses)


PUBLIC = answers("93.184.215.14")


@pytest.mark.parametrize(
    ("url", "addresses", "connect", "host_header", "server_name"),
    [
        ("https://hooks.example/a?b=c", ["93.184.215.14"], "https://93.184.215.14:443/a?b=c", "hooks.example", "same"),
        ("https://Hooks.Example.:8443", ["93.184.215.14"], "https://93.184.215.14:8443/", "hooks.example:8443", "same"),
        ("https://six.example/", ["2606:2800::1"], "https://[2606:2800::1]:443/", "six.example", "same"),
        ("https://bücher.example/", ["93.184.215.14"], "https://93.184.215.14:443/", "xn--bcher-kva.example", "same"),
        ("https://93.184.215.14/x", [], "https://93.184.215.14:443/x", "93.184.215.14", None),
        ("http://127.0.0.1:9000/x", [], "http://127.0.0.1:9000/x", "127.0.0.1:9000", None),
        ("http://[::1]:9000/x", [], "http://[::1]:9000/x", "[::1]:9000", None),
        ("http://localhost:9000/x", ["::1", "127.0.0.1"], "http://127.0.0.1:9000/x", "localhost:9000", "same"),
        ("https://localhost/x", ["127.0.0.1"], "https://127.0.0.1:443/x", "localhost", "same"),
    ],
)
def test_the_connection_goes_to_the_checked_address(
    url: str, addresses: list[str], connect: str, host_header: str, server_name: str | None
) -> None:
    target = check(url, answers(*addresses))
    assert (target.url, target.host_header) == (connect, host_header)
    assert target.server_name == (host_header.partition(":")[0] if server_name else None)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "127.0.0.1", "0.0.0.0", "255.255.255.255"),
        *("169.254.169.254", "224.0.0.1", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", "2002:a00:1::", "64:ff9b::a00:1"),
    ],
)
def test_addresses_inside_are_refused_as_literal_and_as_name(address: str) -> None:
    with pytest.raises(PermanentError, match="hooks.example is at .* not a public address"):
        check("https://hooks.example/", answers(address))
    with pytest.raises(PermanentError, match="not a public address"):
        check("https://hooks.example/", answers("93.184.215.14", address))
    if address not in ("127.0.0.1", "::1"):
        with pytest.raises(PermanentError, match="not a public address"):
            check(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example/", "must be https"),
        ("http://127.0.0.1.hooks.example/", "must be https"),
        ("http://localhost.hooks.example/", "must be https"),
        ("http://10.0.0.1/", "must be https"),
        ("ftp://hooks.example/", "must start with https://"),
        ("https:///path", "must start with https://"),
        ("hooks.example", "must start with https://"),
        ("https://user:pa55@hooks.example/", "holds credentials"),
        ("https://pa55@hooks.example/", "holds credentials"),
        ("https://hooks.example:pa55/", "cannot be read"),
        ("https://[pa55/", "cannot be read"),
        ("https://hooks.example\\@pa55/", "backslash"),
        ("https://hooks.example/\r\nx: pa55", "control character"),
    ],
)
def test_other_urls_are_refused_without_telling_secrets(url: str, reason: str) -> None:
    with pytest.raises(PermanentError, match=reason) as caught:
        check(url, PUBLIC)
    assert "pa55" not in str(caught.value)


def test_loopback_names_must_be_loopback() -> None:
    with pytest.raises(PermanentError, match="not loopback"):
        check("http://localhost/", answers("10.0.0.1"))


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f.0.0.1"])
def test_odd_spellings_of_an_address_are_names(host: str) -> None:
    with pytest.raises(PermanentError, match="not a public address"):
        check(f"https://{host}/", answers("127.0.0.1"))


def test_a_name_without_address_may_have_one_later() -> None:
    def fails(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(TransientError, match="has no address"):
        check("https://hooks.example/", fails)
