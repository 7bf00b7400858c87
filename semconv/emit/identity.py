"""Who an agent is to others: a SPIFFE ID, or the claims of a token. Nothing here verifies signatures; do that first.

Tokens and keys are never kept: only names, ids and times of what was already accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from actorscope.semconv.emit import claims as _claims
from actorscope.semconv.emit import spiffe as _spiffe
from actorscope.semconv.generated import attributes as a
from actorscope.semconv.generated.enums import AgentPrincipalType, CredentialType


@dataclass(frozen=True, slots=True)
class Credential:
    """What the agent shows to prove who it is: its id and its times, never itself."""

    id: str | None = None
    type: CredentialType | str | None = None
    issuer: str | None = None
    issued_at: str | None = None
    expires_at: str | None = None
    sender_constrained: bool | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity with which an agent acts, and what its token says about how it came to act."""

    id: str
    type: AgentPrincipalType | str = AgentPrincipalType.OTHER
    issuer: str | None = None
    chain: tuple[str, ...] = ()
    """Originator first, this principal last; empty where the credential does not tell."""
    scopes: tuple[str, ...] = ()
    credential: Credential | None = None
    task_id: str | None = None
    purpose: str | None = None
    blueprint_id: str | None = None

    def attributes(self) -> dict[str, object]:
        """As attributes of the span of the agent's run."""
        return {
            a.ACTORSCOPE_AGENT_PRINCIPAL_ID: self.id,
            a.ACTORSCOPE_AGENT_PRINCIPAL_TYPE: self.type,
            a.ACTORSCOPE_AGENT_PRINCIPAL_ISSUER: self.issuer,
            a.ACTORSCOPE_AGENT_BLUEPRINT_ID: self.blueprint_id,
        }

    def credential_attributes(self) -> dict[str, object]:
        """As attributes of an action or a decision about one."""
        shown = self.credential or Credential()
        return {
            a.ACTORSCOPE_CREDENTIAL_ID: shown.id,
            a.ACTORSCOPE_CREDENTIAL_TYPE: shown.type,
            a.ACTORSCOPE_CREDENTIAL_ISSUER: shown.issuer,
            a.ACTORSCOPE_CREDENTIAL_ISSUED_AT: shown.issued_at,
            a.ACTORSCOPE_CREDENTIAL_EXPIRES_AT: shown.expires_at,
            a.ACTORSCOPE_CREDENTIAL_SENDER_CONSTRAINED: shown.sender_constrained,
        }

    @classmethod
    def from_spiffe(cls, source: object = None) -> Self:
        """From a SPIFFE ID, the claims of a JWT-SVID, or an SVID object of the `spiffe` package.

        Without a source it asks the Workload API at SPIFFE_ENDPOINT_SOCKET, which needs `actorscope[spiffe]`.
        """
        identity, shown = _spiffe.read(source)
        return cls(
            id=identity,
            type=AgentPrincipalType.SPIFFE,
            issuer=_spiffe.trust_domain(identity),
            credential=Credential(**shown) if shown else None,
        )

    @classmethod
    def from_claims(cls, claims: Mapping[str, Any], *, pseudonym: Callable[[str], str] | None = None) -> Self:
        """From the claims of an OAuth, OIDC, Entra, WIMSE or transaction token that was verified elsewhere.

        The actor is the outermost `act`, else the client that acts for `sub`, else `sub`. `pseudonym` renames the
        subject, who may be a person; without it, a subject that looks like an address of a person is digested.
        """
        found = _claims.read(claims, pseudonym)
        return cls(
            id=found.actor,
            type=found.type,
            issuer=found.issuer,
            chain=found.chain,
            scopes=found.scopes,
            credential=Credential(**found.credential),
            task_id=found.task_id,
            purpose=found.purpose,
            blueprint_id=found.blueprint_id,
        )
