"""SPIFFE IDs: from text, from claims, or from the Workload API through the optional `spiffe` package."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from actorscope.semconv.emit.claims import Shown, times
from actorscope.semconv.emit.values import instant
from actorscope.semconv.generated.enums import CredentialType

# https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md, sections 2.1 to 2.3
_ID = re.compile(r"spiffe://[a-z0-9._-]{1,255}(?:/[a-zA-Z0-9._-]+)*")


def checked(text: str) -> str:
    """The SPIFFE ID, if it is one."""
    path = text.removeprefix("spiffe://").split("/")[1:]
    if len(text) > 2048 or not _ID.fullmatch(text) or {".", ".."} & set(path):
        # The text itself stays out of the message: people pass tokens by mistake.
        raise ValueError("not a SPIFFE ID: it looks like spiffe://trust-domain/path")
    return text


def trust_domain(identity: str) -> str:
    """The authority that issued a SPIFFE ID."""
    return identity.removeprefix("spiffe://").split("/")[0]


def read(source: object) -> tuple[str, Shown]:
    """The SPIFFE ID of a source and what is known of the document that proves it."""
    if source is None:
        source = _ask()
    if isinstance(source, str):
        return checked(source), {}
    if isinstance(source, Mapping):
        return _of_claims(source)
    identity = checked(str(getattr(source, "spiffe_id", "")))
    if (leaf := getattr(source, "leaf", None)) is not None:
        return identity, _of_certificate(leaf, identity)
    expiry = getattr(source, "expiry", None)
    found = Shown(type=CredentialType.JWT_SVID, issuer=trust_domain(identity))
    if isinstance(expiry, int):
        found["expires_at"] = instant(expiry)
    return identity, found


def _of_claims(claims: Mapping[str, Any]) -> tuple[str, Shown]:
    identity, number = checked(str(claims.get("sub", ""))), claims.get("jti")
    found = Shown(type=CredentialType.JWT_SVID, issuer=trust_domain(identity), **times(claims))
    if isinstance(number, str) and number:
        found["id"] = f"jti:{number}"
    return identity, found


def _of_certificate(leaf: Any, identity: str) -> Shown:
    """Of a `cryptography` certificate, whose times are UTC."""
    return Shown(
        id=f"serial:{leaf.serial_number:x}",
        type=CredentialType.X509_SVID,
        issuer=trust_domain(identity),
        issued_at=instant(leaf.not_valid_before_utc),
        expires_at=instant(leaf.not_valid_after_utc),
        sender_constrained=True,
    )


def _ask() -> object:
    try:
        library = import_module("spiffe")
    except ModuleNotFoundError as error:
        raise RuntimeError("the Workload API needs the spiffe package: pip install 'actorscope[spiffe]'") from error
    with library.WorkloadApiClient() as client:
        return client.fetch_x509_svid(timeout=5)
