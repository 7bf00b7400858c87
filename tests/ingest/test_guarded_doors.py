"""Doors with tokens, rates and encryption, over real sockets."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import trustme
from click.testing import CliRunner
from google.rpc.error_details_pb2 import RetryInfo
from tests.ingest import otlp
from tests.ingest.conftest import Desk
from tests.ingest.doors import METHODS, Doors, open_doors

from actorscope.cli.replay import replay
from actorscope.errors import DefinitionError
from actorscope.ingest.gate import Gate
from actorscope.ingest.otlp import tls
from actorscope.ingest.otlp.asgi import AsgiServer
from actorscope.ingest.otlp.grpc import GrpcDoor
from actorscope.ingest.otlp.http import http_app
from actorscope.settings import SenderSettings, TlsSettings
from actorscope.tokens import digest

_BODY = otlp.traces(otlp.span(1))


def _gate(**limits: Any) -> Gate:
    return Gate([SenderSettings(name="desk", token_sha256=digest("secret").hex(), tenant="acme", **limits)])


@pytest.fixture
def guarded(open_desk: Callable[..., Desk]) -> Iterator[Doors]:
    with open_doors(open_desk, _gate()) as opened:
        yield opened


def test_nobody_sends_without_a_token(guarded: Doors) -> None:
    assert guarded.refused("traces", _BODY)[0] is grpc.StatusCode.UNAUTHENTICATED
    assert guarded.refused("traces", _BODY, token="wrong")[0] is grpc.StatusCode.UNAUTHENTICATED
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic c2VjcmV0"}):
        status, answer, _ = guarded.post("/v1/traces", _BODY, **headers)
        assert (status, answer["www-authenticate"]) == (401, "Bearer")
    assert guarded.desk.kept() == [] and guarded.desk.counters.counts()["refused.unauthenticated"] == 5


def test_a_token_lets_in_and_labels_what_is_kept(guarded: Doors) -> None:
    guarded.call("traces", _BODY, token="secret")
    assert guarded.post("/v1/traces", otlp.traces(otlp.span(2)), authorization="Bearer secret")[0] == 200
    assert [(record.tenant, record.rows) for record in guarded.desk.kept()] == [("acme", 1), ("acme", 1)]


def test_over_its_rate_a_sender_is_told_when_to_come_back(open_desk: Callable[..., Desk]) -> None:
    with open_doors(open_desk, _gate(max_requests_per_second=0.5)) as doors:
        doors.call("traces", _BODY, token="secret")
        code, _, details = doors.refused("traces", _BODY, token="secret")
        retry = RetryInfo()
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED and details is not None and details.details[0].Unpack(retry)
        assert 0 < retry.retry_delay.ToTimedelta().total_seconds() <= 2
        status, headers, _ = doors.post("/v1/traces", _BODY, authorization="Bearer secret")
        assert status == 429 and 1 <= int(headers["retry-after"]) <= 2


def test_memory_in_flight_is_bounded_over_both_doors(open_desk: Callable[..., Desk]) -> None:
    with open_doors(open_desk, max_in_flight_mib=1) as doors, doors.desk.intake.budget.hold() as held:
        held.grow(2**20)
        assert doors.refused("traces", _BODY)[0] is grpc.StatusCode.UNAVAILABLE
        assert doors.post("/v1/traces", _BODY)[0] == 503
        held.__exit__(None, None, None)
        doors.call("traces", _BODY)
        assert doors.desk.intake.budget.used == 0


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A CA, a certificate of 127.0.0.1 and one of a client, as files."""
    folder, ca = tmp_path_factory.mktemp("pki"), trustme.CA()
    for name, made in (("server", ca.issue_cert("127.0.0.1")), ("client", ca.issue_cert("agent"))):
        made.private_key_pem.write_to_path(folder / f"{name}.key")
        for pem in made.cert_chain_pems:
            pem.write_to_path(folder / f"{name}.crt", append=True)
    ca.cert_pem.write_to_path(folder / "ca.crt")
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(params=[False, True], ids=["tls", "mtls"])
def encrypted(
    request: pytest.FixtureRequest, pki: dict[str, Path], open_desk: Callable[..., Desk]
) -> Iterator[tuple[Desk, int, int, bool]]:
    is_mutual = bool(request.param)
    settings = TlsSettings(
        cert_file=pki["server.crt"], key_file=pki["server.key"], client_ca_file=pki["ca.crt"] if is_mutual else None
    )
    desk = open_desk(segment_idle_seconds=60)
    by_grpc = GrpcDoor(desk.intake, "127.0.0.1", 0, 2, None, tls.context(settings, ("h2",)))
    by_http = AsgiServer(http_app(desk.intake, 2), "127.0.0.1", 0, "https", tls.context(settings))
    by_grpc.start()
    by_http.start()
    yield desk, by_grpc.port, by_http.port, is_mutual
    by_grpc.stop(0)
    by_http.stop()


def _export(port: int, credentials: grpc.ChannelCredentials | None) -> bytes:
    where = f"127.0.0.1:{port}"
    channel = grpc.secure_channel(where, credentials) if credentials else grpc.insecure_channel(where)
    with channel:
        return bytes(channel.unary_unary(METHODS["traces"])(_BODY, timeout=5))


def test_both_doors_speak_tls_and_mutual_tls_wants_a_certificate(encrypted: tuple[Desk, int, int, bool], pki: dict[str, Path]) -> None:
    desk, grpc_port, http_port, is_mutual = encrypted
    ca, pair = pki["ca.crt"].read_bytes(), (pki["client.key"].read_bytes(), pki["client.crt"].read_bytes())
    with pytest.raises(grpc.RpcError):
        _export(grpc_port, None)
    alone = grpc.ssl_channel_credentials(ca)
    if is_mutual:
        with pytest.raises(grpc.RpcError):
            _export(grpc_port, alone)
    shown = grpc.ssl_channel_credentials(ca, *pair) if is_mutual else alone
    assert _export(grpc_port, shown) == b""
    trusting = ssl.create_default_context(cafile=pki["ca.crt"])
    url, headers = f"https://127.0.0.1:{http_port}/v1/traces", {"content-type": "application/json"}
    if is_mutual:
        with pytest.raises(httpx.TransportError), httpx.Client(verify=trusting) as client:
            client.post(url, content=b"{}", headers=headers)
        trusting.load_cert_chain(pki["client.crt"], pki["client.key"])
    with httpx.Client(verify=trusting) as client:
        assert client.post(url, content=b"{}", headers=headers).status_code == 200
    assert len(desk.kept()) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"cert_file": "server.crt"}, "key_file: is needed"),
        ({"client_ca_file": "ca.crt"}, "cert_file: is needed"),
        ({"cert_file": "server.crt", "key_file": "client.key"}, "cannot use"),
        ({"cert_file": "server.crt", "key_file": "server.key", "client_ca_file": "server.key"}, "client_ca_file: cannot use"),
    ],
)
def test_files_that_do_not_fit_stop_the_start(pki: dict[str, Path], given: dict[str, str], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        tls.context(TlsSettings(**{name: pki[file] for name, file in given.items()}))


def test_replay_shows_a_token_and_trusts_a_ca(guarded: Doors, tmp_path: Path) -> None:
    recording = tmp_path / "one.json"
    ids = {"traceId": "ab" * 16, "spanId": "cd" * 8}
    recording.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [ids]}]}]}))
    where = ["--endpoint", f"127.0.0.1:{guarded.grpc_port}"]
    assert "UNAUTHENTICATED" in CliRunner().invoke(replay, [str(recording), *where]).output
    assert CliRunner().invoke(replay, [str(recording), *where, "--token", "secret"]).exit_code == 0
    assert [record.tenant for record in guarded.desk.kept()] == ["acme"]
