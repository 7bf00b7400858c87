"""Who acts, read from SPIFFE documents and from the claims of tokens."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from actorscope.semconv import Principal

EXP, IAT = 2_000_000_000, 1_999_999_000
ENTRA = {
    "iss": "https://sts.windows.net/72f/",
    "tid": "72f",
    "oid": "agent-oid",
    "sub": "pairwise",
    "azp": "app",
    "uti": "u1",
}


def test_a_spiffe_id_is_a_principal() -> None:
    found = Principal.from_spiffe("spiffe://example.org/agent/refunds")
    assert (found.id, found.type, found.issuer) == ("spiffe://example.org/agent/refunds", "spiffe", "example.org")
    assert found.credential is None and found.chain == ()
    assert Principal.from_spiffe("spiffe://example.org").issuer == "example.org"


@pytest.mark.parametrize(
    "text",
    [
        "", "https://example.org", "spiffe://", "spiffe://Example.org/a", "spiffe://e.org/", "spiffe://e.org/a//b", "spiffe://e.org/a/../b",
        "spiffe://e.org/a?b", "spiffe://e.org/a%20b", "spiffe://e.org:80/a", "spiffe://u@e.org/a", "spiffe://e.org/" + "a" * 2048,
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.", "spiffe://e.org/a\n",
    ],
)  # fmt: skip
def test_what_is_no_spiffe_id_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError) as caught:
        Principal.from_spiffe(text)
    assert len(text) < 12 or text not in str(caught.value)


def test_the_claims_of_a_jwt_svid_tell_the_credential() -> None:
    found = Principal.from_spiffe({"sub": "spiffe://e.org/a", "aud": ["x"], "exp": EXP, "iat": IAT, "jti": "j1"})
    assert found.credential_attributes() == {
        "actorscope.credential.id": "jti:j1",
        "actorscope.credential.type": "jwt_svid",
        "actorscope.credential.issuer": "e.org",
        "actorscope.credential.issued_at": "2033-05-18T03:16:40Z",
        "actorscope.credential.expires_at": "2033-05-18T03:33:20Z",
        "actorscope.credential.sender_constrained": None,
    }


def test_documents_of_the_spiffe_library_are_read() -> None:
    spiffe = pytest.importorskip("spiffe", reason="the spiffe extra is not installed")
    identity = spiffe.SpiffeId("spiffe://e.org/a")
    svid = spiffe.JwtSvid(identity, {"x"}, EXP, {"sub": str(identity)}, "secret-token")
    jwt = Principal.from_spiffe(svid)
    assert jwt.credential and jwt.credential.expires_at == "2033-05-18T03:33:20Z" and "secret" not in repr(jwt)
    x509 = Principal.from_spiffe(_x509(spiffe))
    assert x509.id == "spiffe://e.org/a" and x509.credential
    assert (x509.credential.id, x509.credential.type, x509.credential.sender_constrained) == (
        "serial:4a1",
        "x509_svid",
        True,
    )
    assert x509.credential.expires_at == "2033-01-01T00:00:00Z"


def _x509(spiffe: Any) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 0x4A1)
        .not_valid_before(datetime.datetime(2026, 1, 1))
        .not_valid_after(datetime.datetime(2033, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://e.org/a")]), True)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(usage, True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return spiffe.X509Svid.parse_raw(certificate.public_bytes(Encoding.DER), private)


def test_the_workload_api_is_asked_when_nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    spiffe = pytest.importorskip("spiffe", reason="the spiffe extra is not installed")

    class Client:
        def __enter__(self) -> Any:
            return SimpleNamespace(fetch_x509_svid=lambda timeout: _x509(spiffe))

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(spiffe, "WorkloadApiClient", Client)
    assert Principal.from_spiffe().id == "spiffe://e.org/a"


@pytest.mark.parametrize(
    ("claims", "actor", "kind", "chain"),
    [
        ({"sub": "u", "act": {"sub": "now", "act": {"sub": "older"}}}, "now", "oauth_client", ("u", "older", "now")),
        ({"sub": "u", "act": {"client_id": "c"}, "azp": "other"}, "c", "oauth_client", ("u", "c")),
        ({"sub": "u", "client_id": "c"}, "c", "oauth_client", ("u", "c")),
        ({"sub": "c", "client_id": "c"}, "c", "oauth_client", ("c",)),
        ({"client_id": "c"}, "c", "oauth_client", ("c",)),
        ({"sub": "u"}, "u", "other", ("u",)),
        ({"sub": "u", "act": "nonsense"}, "u", "other", ("u",)),
        ({"sub": "did:web:a"}, "did:web:a", "did", ("did:web:a",)),
        ({"sub": "arn:aws:iam::1:role/a"}, "arn:aws:iam::1:role/a", "aws_workload", ("arn:aws:iam::1:role/a",)),
        ({"sub": "spiffe://e.org/a"}, "spiffe://e.org/a", "spiffe", ("spiffe://e.org/a",)),
        ({**ENTRA, "idtyp": "app", "xms_par_app_azp": "bp"}, "agent-oid", "entra_agent", ("agent-oid",)),
        ({**ENTRA, "idtyp": "user", "scp": "a"}, "app", "oauth_client", ("agent-oid", "app")),
        ({"sub": "u", "txn": "t", "tctx": {}, "req_wl": "spiffe://e.org/gw"}, "spiffe://e.org/gw", "spiffe", ("u", "spiffe://e.org/gw")),
    ],
)  # fmt: skip
def test_claims_tell_who_acts_for_whom(claims: dict[str, Any], actor: str, kind: str, chain: tuple[str, ...]) -> None:
    found = Principal.from_claims(claims)
    assert (found.id, found.type, found.chain) == (actor, kind, chain)


def test_claims_tell_scopes_issuer_and_credential() -> None:
    found = Principal.from_claims(
        {
            "sub": "u",
            "client_id": "c",
            "iss": "https://i",
            "scope": "a b",
            "roles": ["b", "r"],
            "jti": "j",
            "exp": EXP,
            "iat": IAT,
            "cnf": {},
        }
    )
    assert found.scopes == ("a", "b", "r") and found.issuer == "https://i"
    assert found.credential and found.credential.sender_constrained and found.credential.id == "jti:j"
    entra = Principal.from_claims({**ENTRA, "idtyp": "app", "xms_par_app_azp": "bp", "roles": ["Mail.Read"]})
    assert (entra.issuer, entra.blueprint_id, entra.scopes) == ("72f", "bp", ("Mail.Read",))
    assert entra.credential and entra.credential.id == "uti:u1"


def test_a_transaction_token_names_the_task_and_the_purpose() -> None:
    found = Principal.from_claims({"sub": "u", "txn": "t-1", "rctx": {}, "scope": "refund.review", "act": {"sub": "a"}})
    assert (found.task_id, found.purpose, found.scopes) == ("t-1", "refund.review", ())
    assert found.credential and found.credential.type == "txn_token"


def test_people_get_pseudonyms_and_programs_keep_their_names() -> None:
    address = Principal.from_claims({"sub": "Ada@example.org", "act": {"sub": "bot@example.org"}})
    assert address.chain[0].startswith("user:") and "ada" not in repr(address).lower()
    assert address.chain[0] == Principal.from_claims({"sub": " ada@example.org"}).chain[0]
    named = Principal.from_claims({"sub": "u", "act": {"sub": "bot"}}, pseudonym=lambda name: f"p-{name}")
    assert named.chain == ("p-u", "bot")
    program = Principal.from_claims({"sub": "c", "client_id": "c"}, pseudonym=lambda name: f"p-{name}")
    assert program.id == "c"


@pytest.mark.parametrize("claims", [{}, {"act": {}}, {"sub": ""}, {"sub": 7}, "eyJhbGciOiJub25lIn0.e30.", None])
def test_claims_that_name_nobody_are_refused(claims: Any) -> None:
    with pytest.raises(ValueError) as caught:
        Principal.from_claims(claims)
    assert "eyJ" not in str(caught.value)


def test_odd_claims_raise_nothing() -> None:
    endless: dict[str, Any] = {"sub": "loop"}
    endless["act"] = endless
    found = Principal.from_claims(
        {"sub": "u", "act": endless, "exp": 1e30, "iat": True, "scope": {"a": 1}, "scp": [1, "s"], "jti": 5, "iss": 6}
    )
    assert len(found.chain) == 33 and found.scopes == ("s",)
    assert found.credential and (found.credential.expires_at, found.credential.id) == (None, None)
