"""Bearer tokens: random and long, so that one SHA-256 of them at rest is enough."""

from __future__ import annotations

import hashlib
import secrets


def digest(token: str) -> bytes:
    """The form in which a token is kept."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def new_token() -> str:
    """A token nobody can guess: 256 random bits after a prefix that secret scanners can find."""
    return "acs_" + secrets.token_urlsafe(32)
