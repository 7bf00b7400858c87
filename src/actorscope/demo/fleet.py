"""The fleet: which agents run how often, and the runs of a history or of the live hours laid out in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random

from actorscope.demo import desk_runs, other_runs
from actorscope.demo.run import SECOND, Node, Run
from actorscope.demo.scenarios import SCENARIOS, Scenario
from actorscope.demo.stories import SIDES, STEP, Story, played, stories

HOUR = 3600 * SECOND
EPOCH = 1_577_836_800
MARGIN = 20 * SECOND
PAUSE, TROUBLE = 1.5, 150.0


@dataclass(frozen=True)
class Kind:
    """A kind of run: its service, who asks for it, how often per hour, and how many a history has at least."""

    name: str
    service: str
    play: Callable[[Run], None]
    per_hour: float
    least: int
    scheduled: bool = False

    def count(self, hours: float) -> int:
        """How many runs a history of so many hours has."""
        return max(self.least, round(self.per_hour * hours))


KINDS = (
    Kind("kb.answer", "support-desk", desk_runs.kb_answer, 4, 40),
    Kind("refund.request", "support-desk", desk_runs.refund_request, 2.5, 16),
    Kind("billing.question", "support-desk", desk_runs.billing_question, 2, 16),
    Kind("sales.handoff", "support-desk", desk_runs.sales_handoff, 0.5, 4),
    Kind("shipment.track", "support-desk", desk_runs.shipment_track, 0.6, 4),
    Kind("credit.request", "support-desk", desk_runs.credit_request, 0.8, 6),
    Kind("site.plan", "support-desk", desk_runs.plan_of_parts, 0.3, 3),
    Kind("report.weekly", "support-desk", desk_runs.weekly_insights, 1, 14),
    Kind("market.brief", "research", other_runs.market_brief, 3, 40),
    Kind("fact.check", "research", other_runs.fact_check, 1.5, 12),
    Kind("invoice.run", "billing", other_runs.invoice_run, 2.5, 14),
    Kind("dunning.run", "billing", other_runs.dunning_run, 1.2, 10),
    Kind("health.check", "ops", other_runs.health_check, 4, 12, scheduled=True),
    Kind("backup.verify", "ops", other_runs.backup_verify, 1, 9, scheduled=True),
    Kind("snapshot.cleanup", "ops", other_runs.snapshot_cleanup, 0.5, 9, scheduled=True),
)

LETTERS = {
    name: chr(ord("A") + place)
    for place, name in enumerate([kind.name for kind in KINDS] + [scenario.scenario for scenario in SCENARIOS])
}

PEOPLE = {
    "support-desk": [f"cust-{number}" for number in range(4100, 4160)],
    "research": ["u-lea", "u-mateo", "u-noor", "u-priya"],
    "billing": ["u-ines", "u-oskar", "u-yuki"],
    "ops": [""],
}
STAFF = {"report.weekly": ["u-hanna"], "budget-overrun": ["u-hanna"], "site.plan": ["u-jan", "u-sofia"]}


@dataclass(frozen=True)
class Take:
    """A finished run, ready to be sent."""

    service: str
    root: Node


def base36(number: int) -> str:
    """A number in digits and capital letters."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return digits[number] if number < 36 else base36(number // 36) + digits[number % 36]


class Fleet:
    """Writes runs; equal seeds give equal runs, and the start of the demo marks every business id."""

    def __init__(self, seed: int, now: int) -> None:
        self.seed = seed
        self.now = now
        self.mark = base36(max(0, now // SECOND - EPOCH))

    def run(self, name: str, service: str, number: int, start: int, flaky: float) -> Run:
        """An empty run with its own random source."""
        rng = Random(f"{self.seed}:{service}:{name}:{number}")
        ids = Random(f"{self.seed}:{service}:{name}:{number}:{start}")
        serial = f"{self.mark}{LETTERS[name]}{number:04d}"
        run = Run(service, serial, start, rng, ids, rng.choice(STAFF.get(name) or PEOPLE[service]), flaky)
        run.number = number
        run.size = run.draw(1.0, 0.2, 1.8)
        return run

    def take(self, kind: Kind | Scenario, number: int, start: int, flaky: float = 0.03, ends: int = 0) -> Take:
        """Plays one run; where it would end after `ends`, it begins as much earlier."""
        name = kind.scenario if isinstance(kind, Scenario) else kind.name
        run = self.run(name, kind.service, number, start, 0.0 if isinstance(kind, Scenario) else flaky)
        kind.play(run)
        (root,) = run.roots
        if ends and root.end > ends:
            root.shift(ends - root.end)
        return Take(kind.service, root)

    def history(self, hours: float) -> list[Take]:
        """All runs of the last hours, the misbehaving ones at their places, in order of their starts."""
        length = int(hours * HOUR) - 2 * MARGIN
        begin, end = self.now - length - MARGIN, self.now - MARGIN
        takes = []
        for kind in KINDS:
            count = kind.count(hours)
            rng = Random(f"{self.seed}:{kind.name}:times")
            for number in range(count):
                at = (number + (0.5 if kind.scheduled else rng.random())) / count
                takes.append(self.take(kind, number, begin + int(at * length), ends=end))
        for scenario in SCENARIOS:
            for number, at in enumerate(scenario.at):
                takes.append(self.take(scenario, number, begin + int(at * length), ends=end))
                if scenario.replays:
                    later = begin + int(at * length) + min(6 * HOUR, int(0.55 * length))
                    takes.append(self.take(scenario, number, later, ends=end))
        for story in stories():
            takes += [take for side in SIDES for take in self.story(story, side, begin, end)]
        return sorted(takes, key=lambda take: take.root.start)

    def story(self, story: Story, side: str, begin: int, end: int) -> Iterator[Take]:
        """A telling of a story between two moments: the fault in the first half, its twin in the second."""
        made = story.made(side, self.seed, self.mark)
        lasts = int((max(row["end_time"] for row in made.rows) - min(row["start_time"] for row in made.rows)).total_seconds())
        share = Random(f"{self.seed}:{story.detector}:{side}").uniform(0.05, 0.3) + (0.5 if side == "twin" else 0.0)
        start = begin + int(share * (end - begin - lasts * SECOND))
        for service, root in played(made, -(-start // (STEP * SECOND)) * STEP * SECOND):
            yield Take(service, root)

    def live(self) -> Iterator[Take]:
        """Runs without end from now on, about one per `PAUSE` seconds; every `TROUBLE` seconds one misbehaves."""
        rng = Random(f"{self.seed}:live")
        at, number, next_trouble = self.now, 10_000, self.now + int(TROUBLE * SECOND)
        rotation = cycle(scenario for scenario in SCENARIOS if scenario.live)
        weights = [kind.per_hour for kind in KINDS]
        while True:
            number += 1
            if at >= next_trouble:
                next_trouble += int(TROUBLE * SECOND)
                yield self.take(next(rotation), number, at)
            else:
                yield self.take(rng.choices(KINDS, weights)[0], number, at, flaky=0.006)
            at += int(PAUSE * SECOND * rng.uniform(0.6, 1.4))
