"""The command: plays a believable fleet into Actorscope through real OTLP exporters."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from actorscope.demo.doors import VERSIONS, Door, SeededIds, open_door, reachable
from actorscope.demo.fleet import TROUBLE, Fleet
from actorscope.demo.play import Player, accepted
from actorscope.demo.scenarios import LOOKALIKES, SCENARIOS
from actorscope.demo.stories import SHOPS, stories


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("actorscope.demo", description=__doc__)
    parser.add_argument("--endpoint", default="127.0.0.1:4317", help="OTLP/gRPC, host:port")
    parser.add_argument("--http-endpoint", default="http://127.0.0.1:4318", help="OTLP/HTTP, base URL")
    parser.add_argument("--history-hours", type=float, default=24.0, help="how much past to play first (at least 1)")
    parser.add_argument("--history-seconds", type=float, default=18.0, help="how long to take for it; 0: all speed")
    parser.add_argument("--seed", type=int, default=7, help="equal seeds play equal runs")
    parser.add_argument("--live", action=argparse.BooleanOptionalAction, default=True, help="go on in real time")
    parser.add_argument("--describe", action="store_true", help="print what misbehaves and what should be found")
    parser.add_argument("--json", action="store_true", help="with --describe: as JSON")
    given = parser.parse_args(argv)
    if not 1 <= given.history_hours <= 24 * 366:
        parser.error("--history-hours must be between 1 and 8784")
    return given


def describe(as_json: bool) -> None:
    """Prints what misbehaves and what should be found."""
    if as_json:
        told = [*(scenario.told() for scenario in SCENARIOS), *(story.told() for story in stories())]
        print(json.dumps(told, indent=2))
        return
    print("These misbehave, and should be found:")
    for scenario in SCENARIOS:
        print(f"  {scenario.family:12} {scenario.scenario:18} {scenario.service}/{scenario.agent}: {scenario.expects}")
    for story in stories():
        print(f"  {story.family:12} {story.detector:26} {SHOPS['fault']}/{story.agent}: {story.fault}")
    print(f"In live time one of these every {TROUBLE:g} s: {', '.join(s.scenario for s in SCENARIOS if s.live)}")
    print("These only look like it, and should stay quiet:")
    for lookalike in LOOKALIKES:
        print(f"  {lookalike}")
    for story in stories():
        print(f"  {story.detector} in {SHOPS['twin']}: {story.twin}")


def say(text: str) -> None:
    """One line of progress."""
    print(f"demo: {text}", file=sys.stderr, flush=True)


@contextmanager
def listening(stop: threading.Event) -> Iterator[None]:
    """Lets SIGTERM and SIGINT set `stop` meanwhile, where this is the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def play(given: argparse.Namespace, doors: dict[str, Door], now: int, stop: threading.Event) -> int:
    """Plays the history and, where wanted, the live hours; gives the exit code."""
    fleet, player = Fleet(given.seed, now), Player(doors)
    begun = time.monotonic()
    player.history(fleet.history(given.history_hours), given.history_seconds, stop)
    spans, failed = accepted(doors.values())
    took = f"{given.history_hours:g} h history in {time.monotonic() - begun:.0f} s"
    say(f"sent {spans:,} spans of {took}; {'live now' if given.live and not stop.is_set() else 'done'}")
    if failed:
        say(f"{failed:,} spans were not accepted")
    if given.live and not stop.is_set():
        player.live(Fleet(given.seed, time.time_ns()).live(), stop)
    player.cancel()
    for door in doors.values():
        door.close()
    if given.live:
        say(f"stopped after {accepted(doors.values())[0]:,} spans")
    return 0 if accepted(doors.values())[0] else 1


def main(argv: Sequence[str] | None = None, stop: threading.Event | None = None) -> int:
    """Runs the demo; `stop` ends it from another thread."""
    given = arguments(argv)
    if given.describe:
        describe(given.json)
        return 0
    for endpoint in (given.endpoint, given.http_endpoint):
        if not reachable(endpoint):
            say(f"nothing listens at {endpoint}; start Actorscope first (actorscope up)")
            return 1
    stop = stop or threading.Event()
    now = time.time_ns()
    doors = {
        service: open_door(service, given.endpoint, given.http_endpoint, SeededIds(f"{given.seed}:{service}:{now}"))
        for service in VERSIONS
    }
    say(f"playing {given.history_hours:g} h of {len(doors)} services to {given.endpoint} and {given.http_endpoint}")
    with listening(stop):
        return play(given, doors, now, stop)
