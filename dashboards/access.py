"""Who may do what: people log in through Streamlit's own OpenID Connect, programs show a bearer token.

Without a login and without tokens everybody who reaches the explorer may do everything: it listens on loopback only.
"""

from __future__ import annotations

import os
import re
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from pathlib import Path
from typing import Any

from actorscope.settings import UiSettings
from actorscope.tokens import digest

ROLES = ("viewer", "responder", "admin")
"""Each may what those before it may: look; act on findings and deliveries; silence and test alerts."""


@dataclass(frozen=True)
class Access:
    """The roles of people and tokens."""

    has_login: bool = False
    people: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By role the mail addresses, or `@domain` for everybody there; nobody named for `viewer` lets everybody look."""
    tokens: tuple[tuple[bytes, str], ...] = ()

    @property
    def is_open(self) -> bool:
        return not self.has_login and not self.tokens

    def of_person(self, claims: Mapping[str, Any]) -> str:
        """The role of somebody with these claims of the provider; empty for strangers."""
        if not self.has_login:
            return ROLES[-1]
        if not claims.get("is_logged_in"):
            return ""
        # An address that the provider has not checked could be anybody's.
        email = str(claims.get("email") or "").lower() if claims.get("email_verified", True) is not False else ""
        for role in reversed(ROLES):
            named = self.people.get(role, ())
            if email and any(email == each or (each.startswith("@") and email.endswith(each)) for each in named):
                return role
        return "" if self.people.get("viewer") else "viewer"

    def of_token(self, authorization: str) -> str:
        """The role of an `Authorization` header; empty when it has none."""
        if self.is_open:
            return ROLES[-1]
        scheme, _, token = authorization.partition(" ")
        shown = digest(token.strip()) if scheme.lower() == "bearer" else bytes(32)
        return next((role for known, role in self.tokens if compare_digest(known, shown)), "")


def reaches(role: str, needed: str) -> bool:
    """Whether a role is enough."""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


def access(settings: UiSettings) -> Access:
    """The roles that the settings name."""
    login = settings.login
    people = {role: tuple(each.lower() for each in getattr(login, f"{role}s")) for role in ROLES}
    tokens = tuple((bytes.fromhex(token.token_sha256), token.role) for token in settings.tokens)
    return Access(bool(login.metadata_url), people, tokens)


def secrets_file(settings: UiSettings, folder: Path) -> Path | None:
    """What Streamlit reads about the login, written for this owner alone; None without one.

    The key of the session cookies is made once and stays, so that a restart logs nobody out.
    """
    login = settings.login
    if not login.metadata_url:
        return None
    path = folder / "login.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = {
        "redirect_uri": settings.public_url.rstrip("/") + "/oauth2callback",
        "cookie_secret": _cookie_secret(path),
        "client_id": login.client_id,
        "client_secret": login.secret(),
        "server_metadata_url": login.metadata_url,
    }
    text = "[auth]\n" + "".join(f"{key} = {_quoted(value)}\n" for key, value in values.items())
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchmod(handle, 0o600)
        file.write(text)
    return path


def _cookie_secret(path: Path) -> str:
    try:
        return str(tomllib.loads(path.read_text())["auth"]["cookie_secret"])
    except (OSError, KeyError, ValueError):
        return secrets.token_urlsafe(48)


def _quoted(value: str) -> str:
    escaped = re.sub(r'[\\"\x00-\x1f\x7f]', lambda found: f"\\u{ord(found[0]):04x}", value)
    return f'"{escaped}"'
