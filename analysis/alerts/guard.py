"""Where a webhook may go: no address inside our own network, whatever its name resolves to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

from actorscope.errors import PermanentError, TransientError

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], list[str]]
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Target:
    """The checked way to a receiver: `url` names the address itself, so that no second look-up can change it."""

    url: str
    host_header: str
    server_name: str | None
    """Name in the TLS handshake, which the certificate must carry; None when the URL names an address."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host name, the preferred one first."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check(url: str, resolve: Resolve = resolve) -> Target:
    """The way to `url`. Raises PermanentError when it must not be taken, TransientError when the name has no address.

    Messages name the host and the address, never the path or the query, which may hold a secret.
    """
    parts, host, port = _read(url)
    literal = _literal(host)
    loops = is_loopback(host)
    if parts.scheme != "https" and not loops:
        raise PermanentError(f"webhook url must be https: {host} is not loopback")
    addresses = [literal] if literal is not None else _addresses(host, port, resolve)
    for address in addresses:
        if loops and not address.is_loopback:
            raise PermanentError(f"webhook host {host} resolves to {address}, which is not loopback")
        if not loops and not is_public(address):
            raise PermanentError(f"webhook host {host} is at {address}, which is not a public address")
    # A receiver on `localhost` often listens on IPv4 only while the name prefers IPv6.
    address = min(addresses, key=lambda a: a.version) if loops else addresses[0]
    suffix = "" if port == _PORTS[parts.scheme] else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return Target(
        url=f"{parts.scheme}://{_bracketed(str(address))}:{port}{parts.path or '/'}{query}",
        host_header=_bracketed(host) + suffix,
        server_name=None if literal is not None else host,
    )


def is_loopback(host: str) -> bool:
    """Whether a host is named as this machine itself."""
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


def is_public(address: Address) -> bool:
    """Whether the address is one of the open internet; those that wrap an IPv4 address never are."""
    if isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _read(url: str) -> tuple[SplitResult, str, int]:
    if any(ord(letter) <= 32 or ord(letter) == 127 or letter == "\\" for letter in url):
        raise PermanentError("webhook url holds a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        # `from None` here and below: the causes quote what was given.
        port = parts.port or _PORTS.get(parts.scheme, 0)
        name = host if ":" in host else host.encode("idna").decode()
    except ValueError:
        raise PermanentError("webhook url cannot be read") from None
    if parts.scheme not in _PORTS or not name:
        raise PermanentError("webhook url must start with https:// and name a host")
    if "@" in parts.netloc:
        raise PermanentError(f"webhook url for {name} holds credentials; the signature identifies the sender")
    return parts, name, port


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _addresses(host: str, port: int, resolve: Resolve) -> list[Address]:
    try:
        found = resolve(host, port)
    except OSError as error:
        raise TransientError(f"webhook host {host} has no address: {error}") from error
    if not found:
        raise TransientError(f"webhook host {host} has no address")
    return [ip_address(each) for each in found]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
