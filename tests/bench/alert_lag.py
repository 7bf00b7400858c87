"""From the export of a span to the webhook that tells of it, while other spans come in at a steady rate (`make bench`).

By itself: `python -m tests.bench.alert_lag --rate 2000 --seconds 20`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from tests.bench.load import Load, by_grpc
from tests.bench.workload import SPANS_PER_REQUEST, Rounds
from tests.e2e.harness import Program
from tests.e2e.story import double_refund, provider

RATE, SECONDS = 20_000.0, 60.0
_EVERY = 1.0
_LONGEST = 120.0
_TARGET = """
[[alerts.targets]]
name = "bench"
url = "http://127.0.0.1:{port}/"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
min_severity = "high"
"""


@dataclass
class Lags:
    """Seconds from the end of the export of each story to its webhook; `untold` came to nothing in two minutes."""

    rate: float
    acked: float
    seconds: list[float]
    untold: int

    def at(self, percentile: float) -> float:
        return float(np.percentile(self.seconds, percentile))


class _Receiver:
    """When the first webhook came that names a trace."""

    def __init__(self) -> None:
        self.heard: dict[str, float] = {}
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                now = time.monotonic()
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(204)
                self.end_headers()
                for place in body["data"]["evidence"]:
                    heard.setdefault(place["trace_id"], now)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def measure(rounds: Rounds, rate: float = RATE, seconds: float = SECONDS) -> Lags:
    """A story a second that deserves an alert of its own, beside `rate` other spans per second (none at 0)."""
    receiver, end = _Receiver(), time.monotonic() + seconds
    told: dict[str, float] = {}
    try:
        toml = _TARGET.format(port=receiver.server.server_port)
        with tempfile.TemporaryDirectory() as folder, Program(Path(folder), toml=toml) as program:
            _tell(program, "warm", told)  # the first pass and the first delivery load code
            _wait(lambda: bool(receiver.heard))
            told.clear()
            end = time.monotonic() + seconds

            def bodies() -> Iterator[bytes]:
                while time.monotonic() < end:
                    yield from rounds.take(SPANS_PER_REQUEST)

            load = Load(by_grpc(program.where["grpc"]), 4, rate / SPANS_PER_REQUEST)
            began = time.monotonic()
            sender = threading.Thread(target=lambda: load.run(bodies()) if rate else None, daemon=True)
            sender.start()
            for number in range(int(seconds / _EVERY)):
                time.sleep(max(0.0, began + number * _EVERY - time.monotonic()))
                _tell(program, f"{number}", told)
            sender.join()
            took = time.monotonic() - began
            _wait(lambda: told.keys() <= receiver.heard.keys())
    finally:
        receiver.server.shutdown()
    lags = [receiver.heard[trace] - at for trace, at in told.items() if trace in receiver.heard]
    return Lags(rate, len(load.acks) * SPANS_PER_REQUEST / took, lags, len(told) - len(lags))


def _tell(program: Program, name: str, told: dict[str, float]) -> None:
    tracers = provider(program.where, service=f"alert-{name}")
    trace = double_refund(tracers, order=f"W-{name}", conversation=f"alert-{name}")
    told[trace] = time.monotonic()


def _wait(condition: object) -> None:
    end = time.monotonic() + _LONGEST
    while not condition() and time.monotonic() < end:  # type: ignore[operator]
        time.sleep(0.05)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=RATE, help="other spans per second; 0 sends none")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    found = measure(Rounds(51_200), options.rate, options.seconds)
    said = f"{len(found.seconds)} alerts at {found.acked:,.0f} spans/s acknowledged, {found.untold} untold"
    print(f"{said}: p50 {found.at(50):.2f} s, p99 {found.at(99):.2f} s")
