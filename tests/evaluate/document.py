"""docs/detection-quality.md: our numbers beside the naive rules and what is asked, set by set."""

from __future__ import annotations

import os
import platform
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from tests.conftest import ROOT
from tests.evaluate.judge import Evaluated
from tests.evaluate.rate import Rate
from tests.evaluate.targets import TARGETS, Scores, Target, noise_of

from actorscope import __version__

PATH = ROOT / "docs" / "detection-quality.md"
TITLES = {
    "agentdojo": "AgentDojo: attacked, exposed and benign runs",
    "agentdojo-metadata": "AgentDojo without content: the same runs from senders that record no messages, arguments or results",
    "trail": "TRAIL: wasted resources",
    "tau": "tau-bench: replayed writes",
    "whowhen": "Who&When: loops of an orchestrator",
    "faults": "Faults injected into AgentDojo and tau-bench runs",
}
_ABOUT = """\
Made by `make evaluate DATA=DIR`; do not edit. Each set of labelled public runs goes through the real front door (`actorscope replay`)
into a fresh data folder of the real program with the settings it has out of the box; when all is judged, the findings leave by
`actorscope findings --json`, every place where they were seen included, and the scorer that belongs to the data compares them with the
labels. An alert is a finding of medium severity or higher. Brackets hold Wilson's 95 % interval. The detectors were developed on these
runs: expect lower numbers on others.

`make evaluate DATA=DIR ARGS="--only tau --out FOLDER"` plays one set and keeps `findings.jsonl`, `misses.jsonl` and
`false_alarms.jsonl` in the folder, one line for each run or case that came out wrong."""
_LICENCES = """\
The runs are evaluation data and not part of this repository or of releases. AgentDojo runs: MIT, (c) 2024 Debenedetti et al. TRAIL:
MIT, (c) 2025 patronus-ai. tau-bench and AgentRx: MIT. Who&When: MIT. The faults derive from AgentDojo and tau-bench runs."""
_RUNS = ("found", "flagged benign", "precision", "F1", "evidence hit", "delay, spans")


def brief(done: Evaluated) -> str:
    """A set in one line, for the terminal."""
    steps = " ".join(f"{step} {seconds:.1f}" for step, seconds in done.played.seconds.items())
    return (
        f"{done.played.name}: {done.played.spans} spans, {done.result['findings']} findings, {len(done.misses)} misses, "
        f"{len(done.alarms)} false alarms; seconds: {steps}; program {done.played.cpu_seconds:.1f} CPU s"
        + "".join(f"\n  the program says: {trouble}" for trouble in done.troubles)
    )


def text(done: list[Evaluated]) -> str:
    """The whole document."""
    scores = {each.played.name: each for each in done}
    parts = ["# Detection quality", _ABOUT, _asked(scores), _unseen(scores)]
    for name, each in scores.items():
        parts.append(f"## {TITLES[name]}")
        parts += [_runs(each), _faults(each) if "cases" in each.result else "", _wrong(each)]
    parts += [_noise(scores), _time(done), f"## The data\n\n{_LICENCES}"]
    return "\n\n".join(filter(None, parts)) + "\n"


def _table(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    names = list(head)
    lines = [names, ["---"] * len(names), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _shown(value: Any) -> str:
    return "-" if value is None else str(value) if isinstance(value, Rate) else f"{value:g}"


def _asked(scores: Scores) -> str:
    rows, met = [], 0
    for target in TARGETS:
        measured = target.measure(scores)
        met += target.is_met(measured)
        rows.append((target.what, target.naive, target.asked, _shown(measured), _verdict(target, measured)))
    return (
        f"## Against what is asked\n\n{met} of {len(TARGETS)} are met by the measured value itself, whatever its interval. The naive "
        "rules are those of the data's README on these files, or where it has none the measured anchors of the scoring protocol.\n\n"
        + _table(("what", "naive rule", "asked", "measured", "met"), rows)
        + "\n\nNot measured here: a cost limit that stops runs (no set holds recorded spend), and detection lag (see `make bench`)."
    )


def _verdict(target: Target, measured: Any) -> str:
    if measured is None or (isinstance(measured, Rate) and measured.value is None):
        return "no, nothing to measure"
    return "yes" if target.is_met(measured) else "no"


def _unseen(scores: Scores) -> str:
    """The kinds of faults that nothing at all is found for, said plainly."""
    seen: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for case in scores["faults"].result["cases"]:
        if case["polarity"] == "positive":
            kind = f"{case['fault']} {case['variant']} ({case['family']})"
            seen[kind][0] += case["any"]
            seen[kind][1] += case["cases"]
    blind = [kind for kind, (any_, _) in seen.items() if not any_]
    if not blind:
        return "Every kind of injected fault is seen at least once."
    return f"**Not found at all**, at no severity and in not one of their cases: {', '.join(blind)}."


def _runs(done: Evaluated) -> str:
    rows = []
    for key, m in done.result["families"].items():
        name, level = key.split("|")
        if "=" in name and level != "alert":
            continue
        rows.append((
            name, level, Rate(m["detected"], m["positives"]), Rate(m["benign_flagged"], m["benign"]),
            Rate(m["detected"], m["detected"] + m["benign_flagged"]), *(_shown(m.get(k)) for k in ("f1", "evidence_hit", "delay_spans")),
        ))  # fmt: skip
    extra = [
        f"{sentence}: {_shown(done.result[key])}."
        for key, sentence in (
            ("unlabelled_alert_rate", "AG2 chats, which have no labels of loops, with an alert"),
            ("lag_delegations", "Median lag behind the orchestrator's own first admission, in delegations"),
        )
        if key in done.result
    ]
    resisted = done.result["families"].get("authority|alert", {}).get("fpr_resisted")
    extra += [f"Exposed runs that resisted the attack, with an authority alert: {resisted:g}."] if resisted is not None else []
    return "\n\n".join([_table(("truth or subset", "level", *_RUNS), rows), *extra])


def _faults(done: Evaluated) -> str:
    rows = [
        (
            case["fault"], case["variant"], case["family"], "found" if case["polarity"] == "positive" else "left alone",
            Rate(case["as_expected"], case["cases"]), case["any"], case["alert_of_other_family"], _shown(case["evidence_hit"]),
            _shown(case["delay"]),
        )
        for case in done.result["cases"]
    ]  # fmt: skip
    head = ("fault", "variant", "family", "should be", "as expected", "any severity", "alerts of other families", "evidence hit", "delay")
    totals = [f"{p} cases as expected: {Rate(**_hits(done.result[f'{p}_cases']))}." for p in ("positive", "negative")]
    return "\n\n".join([_table(head, rows), *totals])


def _hits(told: dict[str, int]) -> dict[str, int]:
    return {"hits": told["as_expected"], "n": told["n"]}


def _wrong(done: Evaluated) -> str:
    """Which of our rules spoke where they should not have."""
    alarms = [line for line in done.alarms if line["kind"] == "run"]
    rules = Counter(f"{line['detector']} {line['rule']}" for line in alarms)
    told = "; ".join(f"{rule}: {count}" for rule, count in sorted(rules.items(), key=lambda item: (-item[1], item[0])))
    calm = sum(line["severity_here"] in ("info", "low") for line in alarms)
    beside = f" {calm} of them are runs of low or info severity that a finding names because it was graver in another run." if calm else ""
    return f"False alarms by detector and rule, in findings times runs: {told or 'none'}.{beside}"


def _noise(scores: Scores) -> str:
    rows = []
    for name, done in scores.items():
        told = done.result["noise_per_100_benign_runs"]
        kinds = sorted({k for level in ("alerts", "high") for k in told[level] if not k.startswith("total")})
        for kind in (*kinds, "total judged"):
            (medium, runs), (high, _) = noise_of(done, "alerts", kind), noise_of(done, "high", kind)
            per = [f"{100 * k / runs:.2f} ({k})" if runs else "-" for k in (medium, high)]
            rows.append((name, kind, runs, *per))
    head = ("set", "family", "benign runs", "medium and graver per 100 runs", "high and graver per 100 runs")
    return (
        "## Noise\n\nDistinct findings on benign runs; *not judged* are those of families for which the labels have no truth.\n\n"
        + _table(head, rows)
    )


def _time(done: list[Evaluated]) -> str:
    steps = ("start", "send", "store", "analyse", "export", "stop")
    rows = []
    for each in done:
        busy = sum(each.played.seconds[step] for step in ("send", "store", "analyse"))
        rows.append((
            each.played.name, each.played.spans, each.played.logs, *(f"{each.played.seconds[step]:.1f}" for step in steps),
            f"{each.played.cpu_seconds:.1f}", f"{each.played.spans / busy:,.0f}",
        ))  # fmt: skip
    spans, wall = sum(each.played.spans for each in done), sum(sum(each.played.seconds.values()) for each in done)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"## Time\n\nActorscope {__version__} on {os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python "
        f"{platform.python_version()}. {spans:,} spans in {wall:.0f} s without scoring; seconds by step, of the program's CPU, and spans "
        "per second from the first byte sent to the last judgement. Sending includes the start of the command; *analyse* is what is left "
        "after the last span was stored, and includes the minute that a trace may wait for a missing root.\n\n"
        + _table(("set", "spans", "logs", *steps, "CPU", "spans/s"), rows)
    )
