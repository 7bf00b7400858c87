"""The claims of a token, read for who acts, for whom, and how far. Signatures are not verified here.

RFC 8693 (`act`), RFC 9068 (`client_id`), Microsoft Entra (`oid`, `azp`, `scp`, `roles`), WIMSE, transaction tokens.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from actorscope.semconv.emit.values import instant, scopes
from actorscope.semconv.generated.enums import AgentPrincipalType, CredentialType

_HOPS = 32
_CLIENTS = ("client_id", "azp", "appid")
_ENTRA = ("https://login.microsoftonline.", "https://sts.windows.net/")


class Shown(TypedDict, total=False):
    """The fields of a credential."""

    id: str | None
    type: str | None
    issuer: str | None
    issued_at: str | None
    expires_at: str | None
    sender_constrained: bool | None


@dataclass(frozen=True, slots=True)
class Found:
    """What claims say."""

    actor: str
    type: AgentPrincipalType
    issuer: str | None
    chain: tuple[str, ...]
    scopes: tuple[str, ...]
    credential: Shown
    task_id: str | None
    purpose: str | None
    blueprint_id: str | None


def read(claims: Mapping[str, Any], pseudonym: Callable[[str], str] | None) -> Found:
    """What the claims say; ValueError when they name nobody, or when they are a token instead of its claims."""
    if not isinstance(claims, Mapping):
        raise ValueError(f"claims must be a mapping, not {type(claims).__name__}: decode and verify the token first")
    issuer, is_txn = (
        _text(claims, "iss"),
        "txn" in claims and any(k in claims for k in ("tctx", "rctx", "req_wl", "azd")),
    )
    subject, actors = _subject(claims, pseudonym), _actors(claims)
    if not actors and (client := _text(claims, *_CLIENTS)) and not _is_client(claims, client):
        actors = (client,)
    if not actors and is_txn and (workload := _text(claims, "req_wl")):
        actors = (workload,)
    chain = tuple(name for name in (subject, *actors) if name)
    if not chain:
        raise ValueError("the claims name nobody: no `sub`, no `act`, no `client_id`")
    return Found(
        actor=chain[-1],
        type=_type(chain[-1], claims, is_subject=len(chain) == 1),
        issuer=_text(claims, "tid") or issuer,
        chain=chain,
        scopes=scopes([s for key in ("scope", "scp", "roles") for s in _list(claims.get(key))]) if not is_txn else (),
        credential=_credential(claims, is_txn),
        task_id=_text(claims, "txn"),
        purpose=_text(claims, "scope", "purp") if is_txn else None,
        blueprint_id=_text(claims, "xms_par_app_azp"),
    )


def times(claims: Mapping[str, Any]) -> Shown:
    """When the token was issued and when it ends."""
    return Shown(issued_at=_moment(claims.get("iat")), expires_at=_moment(claims.get("exp")))


def _text(claims: Mapping[str, Any], *names: str) -> str | None:
    return next((found for name in names if isinstance(found := claims.get(name), str) and found), None)


def _list(value: object) -> list[str]:
    items = value.split() if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [item for item in items if isinstance(item, str)]


def _moment(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return instant(value)
    except (ValueError, OverflowError, OSError):
        return None


def _is_entra(claims: Mapping[str, Any]) -> bool:
    return bool(_text(claims, "oid") and (_text(claims, "tid") or (_text(claims, "iss") or "").startswith(_ENTRA)))


def _is_client(claims: Mapping[str, Any], client: str) -> bool:
    """Whether the subject is the client itself: client credentials, where nobody stands behind it."""
    if _is_entra(claims):
        return claims.get("idtyp") == "app" or ("idtyp" not in claims and "scp" not in claims)
    return claims.get("sub") in (client, None)


def _subject(claims: Mapping[str, Any], pseudonym: Callable[[str], str] | None) -> str | None:
    found = _text(claims, "oid", "sub") if _is_entra(claims) else _text(claims, "sub")
    if found is None:
        return _text(claims, *_CLIENTS) if "act" not in claims else None
    if not _is_entra(claims) and found in [claims.get(key) for key in _CLIENTS]:
        return found  # a program, not a person
    if pseudonym:
        return pseudonym(found)
    if "@" in found and "://" not in found:
        return "user:" + hashlib.sha256(found.strip().lower().encode("utf-8", "replace")).hexdigest()[:16]
    return found


def _actors(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """Those who acted, oldest first: the nested `act` claims from the inside out."""
    found: list[str] = []
    act = claims.get("act")
    while isinstance(act, Mapping) and len(found) < _HOPS:
        if name := _text(act, "sub", "client_id", "azp"):
            found.append(name)
        act = act.get("act")
    return tuple(reversed(found))


def _type(actor: str, claims: Mapping[str, Any], *, is_subject: bool) -> AgentPrincipalType:
    for start, kind in (
        ("spiffe://", AgentPrincipalType.SPIFFE),
        ("did:", AgentPrincipalType.DID),
        ("arn:aws", AgentPrincipalType.AWS_WORKLOAD),
    ):
        if actor.startswith(start):
            return kind
    if _is_entra(claims):
        is_agent = any(key in claims for key in ("xms_par_app_azp", "xms_act_fct"))
        return AgentPrincipalType.ENTRA_AGENT if is_agent else AgentPrincipalType.OAUTH_CLIENT
    clients = [claims.get(key) for key in _CLIENTS]
    return AgentPrincipalType.OAUTH_CLIENT if actor in clients or not is_subject else AgentPrincipalType.OTHER


def _credential(claims: Mapping[str, Any], is_txn: bool) -> Shown:
    kind = CredentialType.TXN_TOKEN if is_txn else CredentialType.OAUTH_ACCESS_TOKEN
    identifier = next((f"{key}:{found}" for key in ("jti", "uti") if (found := _text(claims, key))), None)
    issuer = _text(claims, "iss")
    return Shown(
        id=identifier,
        type=kind,
        issuer=issuer,
        sender_constrained=True if isinstance(claims.get("cnf"), Mapping) else None,
        **times(claims),
    )
