"""Rows G1 to G18: OTLP over gRPC."""

from __future__ import annotations

import resource
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import cramjam
import grpc
import zstandard
from tests.ingest import otlp
from tests.ingest.doors import METHODS
from tests.otlp_conformance.frames import message
from tests.otlp_conformance.inside import Inside
from tests.otlp_conformance.peer import RETRYABLE, Answer, Code, Peer, good, hex_of, sized, spoilt, trace
from tests.otlp_conformance.rows import NotMeasuredError, row

from actorscope.settings import IngestSettings

_TRACES = METHODS["traces"]
GARBAGE = (b"\xff\xff garbage", b"\x0a\xff", b"\x0a\x05abc", b"{}", b"\x00")


def inside(peer: Peer) -> Inside:
    """Our own server from inside; a stranger's cannot be asked this."""
    if peer.inside is None:
        raise NotMeasuredError("needs a server of our own")
    return peer.inside


def accepted(answer: Answer) -> None:
    assert answer.code is Code.OK, f"{answer.code.name}: {answer.message}"
    assert not answer.response.HasField("partial_success"), "partial_success is set"


@row("G1", "M", "takes uncompressed messages")
def plain(peer: Peer) -> None:
    accepted(peer.call("traces", good()))
    accepted(peer.call("logs", otlp.logs(otlp.record())))


@row("G2", "M", "takes gzip messages")
def packed(peer: Peer) -> None:
    accepted(peer.call("traces", good(), grpc.Compression.Gzip))


@row("G3", "O", "takes deflate, zstd and snappy messages, or refuses them with UNIMPLEMENTED that names what is taken")
def other_compressions(peer: Peer) -> str:
    accepted(peer.call("traces", good(), grpc.Compression.Deflate))
    wrong, taken = [], []
    for name, pack in (("zstd", zstandard.compress), ("snappy", _snappy), ("br", bytes)):
        number = trace()
        with peer.frames() as wire:
            call = wire.open(_TRACES, grpc_encoding=name)
            wire.send(call, message(pack(good(number)), True))
            heard = wire.heard(call)
        if heard.code == 0:
            taken.append(name)
            assert peer.inside is None or len(peer.inside.rows(hex_of(number), 1)) == 1
        elif heard.code != Code.UNIMPLEMENTED.value[0] or not heard.headers.get("grpc-accept-encoding"):
            wrong.append(f"{name}: status {heard.code}")
    accepted(peer.call("traces", good()))
    assert not wrong, ", ".join(wrong)
    assert peer.inside is None or taken == ["zstd", "snappy"]
    return f"taken: {', '.join(['deflate', *taken])}; brotli stands for what is not known"


def _snappy(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress(body))


@row("G4", "M", "holds to its size limit, after decompression too, with RESOURCE_EXHAUSTED that asks for no retry")
def limit(peer: Peer) -> str:
    accepted(peer.call("traces", sized(peer.limit)))
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(500)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with peer.frames() as wire:
        number = wire.open(_TRACES, grpc_encoding="gzip")
        wire.send(number, message(bomb, True))
        heard = wire.heard(number)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert heard.code == Code.RESOURCE_EXHAUSTED.value[0], f"a bomb gets status {heard.code}"
    assert "grpc-status-details-bin" not in heard.headers, "a bomb is asked for again"
    over = peer.call("traces", sized(peer.limit + 1))
    assert over.code is Code.RESOURCE_EXHAUSTED, f"limit + 1 gets {over.code.name}"
    assert over.retry_seconds is None, "limit + 1 is asked for again"
    if peer.inside is None:
        return "at the limit, one byte above, 500 MiB of zeros in gzip"
    assert grown < 300, f"a bomb of 500 MiB takes {grown} MiB"
    assert IngestSettings().max_request_mib == 64
    return "at the limit, one byte above, 500 MiB of zeros in gzip (memory watched); the limit is a setting, 64 MiB by default"


@row("G5", "M", "answers in at most 4 MiB, whatever was wrong")
def short_answers(peer: Peer) -> str:
    answer = peer.call("traces", spoilt(20_000))
    assert answer.code is Code.OK, answer.code.name
    assert answer.response.partial_success.rejected_spans == 20_000
    assert len(answer.body) <= 4 * 2**20
    return "20,000 bad spans in one request; messages are cut"


@row("G6", "M", "full success is OK with partial_success unset")
def success(peer: Peer) -> None:
    body = otlp.traces(*(otlp.span(n, trace=trace()) for n in range(1, 50)))
    accepted(peer.call("traces", body))


@row("G7", "M", "what is rejected is OK with its number and a reason in words")
def partial(peer: Peer) -> None:
    answer = peer.call("traces", spoilt(3))
    assert answer.code is Code.OK, answer.code.name
    assert answer.response.partial_success.rejected_spans == 3
    assert answer.response.partial_success.error_message


@row("G8", "M", "a warning on full success is 0 rejected with a message")
def warning(peer: Peer) -> str:
    answer = peer.call("traces", otlp.traces(otlp.span(1, {f"k{n}": n for n in range(1100)}, trace=trace())))
    assert answer.code is Code.OK, answer.code.name
    if not answer.response.HasField("partial_success"):
        assert peer.inside is None, "attributes were cut without a word"
        raise NotMeasuredError("1,100 attributes bring no warning")
    assert answer.response.partial_success.rejected_spans == 0
    assert answer.response.partial_success.error_message
    return "1,100 attributes on one span"


@row("G9", "S", "an empty request is OK")
def empty(peer: Peer) -> None:
    for body in (b"", b"\x0a\x00", b"\x0a\x02\x12\x00"):  # nothing, an empty ResourceSpans, an empty ScopeSpans
        accepted(peer.call("traces", body))
        accepted(peer.call("logs", body))


@row("G10", "S", "what cannot be decoded is INVALID_ARGUMENT with a BadRequest detail")
def garbage(peer: Peer) -> None:
    for body in GARBAGE:
        answer = peer.call("traces", body)
        assert answer.code is Code.INVALID_ARGUMENT, f"{body!r} gets {answer.code.name}"
        assert answer.bad_request is not None, "no BadRequest detail"


@row("G11", "S", "overload is UNAVAILABLE with RetryInfo")
def overload(peer: Peer) -> str:
    with inside(peer).full():
        answer = peer.call("traces", good())
    assert answer.code is Code.UNAVAILABLE, answer.code.name
    assert answer.retry_seconds and answer.retry_seconds >= 1
    accepted(peer.call("traces", good()))
    return "the log over its budget; afterwards requests are taken again"


@row("G12", "S", "a quota that recovers is RESOURCE_EXHAUSTED with RetryInfo")
def quota(peer: Peer) -> str:
    with inside(peer).slow_sender() as slow:
        answers = [slow.call("traces", good()) for _ in range(3)]
    refused = [answer for answer in answers if answer.code is not Code.OK]
    assert refused and {answer.code for answer in refused} == {Code.RESOURCE_EXHAUSTED}
    assert all(answer.retry_seconds for answer in refused)
    return "a sender over its rate"


@row("G13", "M", "codes that ask for a retry are kept for what can succeed later")
def permanent(peer: Peer) -> None:
    answers = [peer.call("traces", GARBAGE[0]), peer.call("traces", sized(peer.limit + 1)), peer.call("profiles", b"")]
    if peer.inside:
        with peer.inside.slow_sender() as slow:
            slow.token = "wrong"
            answers.append(slow.call("traces", good()))
        assert answers[-1].code is Code.UNAUTHENTICATED, answers[-1].code.name
    for answer in answers:
        assert answer.code is not Code.OK and answer.code not in RETRYABLE, answer.code.name
        assert answer.retry_seconds is None


@row("G14", "S", "64 calls at once on one channel, none waits for a slow one before it")
def concurrent(peer: Peer) -> str:
    bodies = [good() for _ in range(64)]
    with grpc.insecure_channel(peer.grpc) as channel, ThreadPoolExecutor(64) as pool:
        for answer in pool.map(lambda body: peer.on(channel, "traces", body), bodies):
            accepted(answer)
    with peer.frames() as wire:
        slow = wire.open(_TRACES)
        wire.send(slow, message(good())[:20], ends=False)
        for _ in range(8):
            number = wire.open(_TRACES)
            wire.send(number, message(good()))
            assert wire.heard(number).code == 0
        wire.reset(slow)
    return "a half-sent call stays open on the same connection meanwhile"


@row("G15", "O", "signals that are not kept are UNIMPLEMENTED or declined in words, not left waiting")
def other_signals(peer: Peer) -> str:
    profiles = peer.call("profiles", b"", timeout=5)
    assert profiles.code is Code.UNIMPLEMENTED, f"profiles get {profiles.code.name}"
    metrics = peer.call("metrics", points(3), timeout=5)
    if peer.inside:
        assert metrics.code is Code.OK and metrics.response.partial_success.rejected_data_points == 3
        assert "traces and logs only" in metrics.response.partial_success.error_message
    assert metrics.code in (Code.OK, Code.UNIMPLEMENTED), f"metrics get {metrics.code.name}"
    return "profiles: UNIMPLEMENTED; metrics: OK with every data point rejected and the reason, so that no sender retries"


def points(count: int) -> bytes:
    """A metrics request with so many data points."""
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    for _ in range(count):
        metric.sum.data_points.add(as_int=1)
    return bytes(request.SerializeToString())


@row("G16", "O", "keep-alive pings are answered, between calls too, and no client is sent away for them")
def pings(peer: Peer) -> str:
    pause, times = (0.02, 20) if peer.inside else (10.0, 4)
    with peer.frames() as wire:
        for _ in range(times):
            wire.ping()
            assert not wire.ended, f"sent away: {wire.ended}"
            time.sleep(pause)
        number = wire.open(_TRACES)
        wire.send(number, message(good()))
        assert wire.heard(number).code == 0, wire.ended
    if peer.inside is None:
        return "4 idle pings, 10 s apart"
    assert IngestSettings().grpc_port == 4317
    return "20 idle pings, 20 ms apart; the port is 4317 by default"


@row("G17", "O", "what a client gives up leaves nothing half, and its retry is not counted twice")
def cancelled(peer: Peer) -> str:
    own, half, number = inside(peer), trace(), trace()
    with peer.frames() as wire:
        body = message(good(half))
        call = wire.open(_TRACES)
        wire.send(call, body[: len(body) // 2], ends=False)
        wire.reset(call)
        body = message(good(number))
        call = wire.open(_TRACES)
        wire.send(call, body)
        wire.reset(call)
        call = wire.open(_TRACES)
        wire.send(call, body)
        assert wire.heard(call).code == 0
    late = trace()
    peer.call("traces", good(late), timeout=0.003)
    accepted(peer.call("traces", good(late)))
    assert len(own.rows(hex_of(number), 1)) == 1 and len(own.rows(hex_of(late), 1)) == 1
    assert own.rows(hex_of(half), 0) == []
    return "cancelled half-way, cancelled when sent, deadline of 3 ms"


@row("G18", "O", "a stopping server finishes what it has or says that it may be sent again; after it nothing is taken")
def shutdown(peer: Peer) -> str:
    own, number, safe = inside(peer), trace(), set()
    with own.another() as other, ThreadPoolExecutor(8) as pool:
        started = other.inside
        assert started is not None
        calls = {span: pool.submit(_taken, other, number, span) for span in range(1, 200)}
        calls[20].result()
        started.stop()
        after = started.room.counters.spans_accepted
        safe = {span for span, call in calls.items() if call.result()}
        assert started.room.counters.spans_accepted == after, "something was taken after the stop"
    stored = {int.from_bytes(found["span_id"], "big") for found in own.rows(hex_of(number), len(safe))}
    assert safe <= stored, "an acknowledged span is missing"
    assert 10 <= len(safe) < 199, "the stop did not fall into the load"
    return (
        "both doors stopped under the load of 8 clients; what was acknowledged is in the store, every other gRPC call was told "
        "that it may come again"
    )


def _taken(peer: Peer, number: int, span: int) -> bool:
    """Send one span, over HTTP when it is even; True when acknowledged, False when it may be sent again."""
    body = otlp.traces(otlp.span(span, trace=number))
    if span % 2:
        code = peer.call("traces", body).code
        assert code is Code.OK or code in RETRYABLE, code.name
        return code is Code.OK
    try:
        status = peer.post(body).status
    except OSError:  # no answer: senders try again
        return False
    assert status in (200, 503), f"HTTP {status}"
    return status == 200
