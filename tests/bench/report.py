"""The text of docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import numpy as np
from tests.bench.alert_lag import Lags
from tests.bench.collector import SENDERS
from tests.bench.collector import Found as Collected
from tests.bench.desk import Answer
from tests.bench.history import DAYS, NEW, PASS, History, shown
from tests.bench.lag import SECONDS, Lag
from tests.bench.program import Run, Whole
from tests.bench.workload import SPANS_PER_REQUEST

from actorscope.ingest import decode
from actorscope.semconv.dialects import dialects

COLLECTOR = "## The Collector with our processor"
_GOAL = 0.85
"""What of its throughput a pipeline should keep with the processor."""
_RUN_HEADS = (
    *("load", "spans", "acked/s", "queryable/s", "to OK, ms p50 / p99", "to queryable, ms p50 / p99"),
    *("CPU s per 100k", "with merges", "peak RSS MiB", "sent again", "others, cores"),
)


@dataclass
class Found:
    """All that was measured."""

    command: str
    times: int
    runs: list[Run]
    whole: Whole
    alerts: list[Lags]
    sizes: list[tuple[str, int, int, int]]
    steps: dict[str, dict[str, float]]
    log: tuple[float, float]
    door: tuple[float, float]
    inserts: dict[str, tuple[float, float]]
    dialects: dict[str, float]
    lag: Lag
    histories: list[History]
    explorer: tuple[int, list[Answer], list[tuple[str, float]]]
    soak: Run | None
    collected: Collected | None


def machine() -> str:
    """What the numbers depend on, without a name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.machine()}, Python {platform.python_version()}"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows)]


def _run(run: Run) -> list[str]:
    pairs = [f"{a:,.0f} / {b:,.0f}" for a, b in (run.ok_ms, run.queryable_ms)]
    plain = [f"{run.cpu:.2f}", f"{run.cpu_merged:.2f}", f"{run.rss_mib:,.0f}", f"{run.refused:,}", f"{run.others:.1f}"]
    return [run.name, f"{run.spans:,}", f"{run.acked:,.0f}", f"{run.queryable:,.0f}", *pairs, *plain]


def _sizes(found: Found) -> list[str]:
    spans = next(rows for name, rows, *_ in found.sizes if name == "span_rows")
    rows = [(name, rows / spans, lying / spans, merged / spans) for name, rows, lying, merged in found.sizes]
    rows.append(("all", sum(r[1] for r in rows), sum(r[2] for r in rows), sum(r[3] for r in rows)))
    shown = [[name, f"{count:.3f}", f"{lying:.1f}", f"{merged:.1f}"] for name, count, lying, merged in rows if merged >= 0.05]
    return table(("table", "rows a span", "bytes a span, as it lies", "after OPTIMIZE FINAL"), shown)


def _steps(found: Found) -> list[str]:
    names = list(found.steps)
    native, python = found.steps[names[0]], found.steps[names[-1]]
    heads = ("step", *(f"{name}, CPU s per 100k" for name in names), "spans/s per core", "times Python")
    rows = [
        [step, *(f"{found.steps[name][step]:.3f}" for name in names), f"{1e5 / native[step]:,.0f}", f"{python[step] / native[step]:.1f}"]
        for step in native
    ]
    return table(heads, rows)


def _limits(found: Found) -> list[str]:
    best = found.runs[0]
    ours, bare = found.inserts["span_rows"], found.inserts["bare"]
    rows = [
        ("an empty gRPC handler, 4 senders", found.door, best.acked / found.door[0], "acked/s at 4 senders"),
        ("insert of built rows: our tables, views, fsync", ours, best.queryable / ours[0], "queryable/s at 4 senders"),
        ("insert of built rows: the same columns, no views, no fsync", bare, best.queryable / bare[0], "queryable/s at 4 senders"),
        ("the log, one fdatasync a request", found.log[::-1], best.acked / found.log[1], "acked/s at 4 senders"),
    ]
    shown = [[name, f"{rate:,.0f}", f"{cpu:.2f}", f"{ratio:.2f} ({of})"] for name, (rate, cpu), ratio, of in rows]
    return table(("what", "spans/s", "CPU s per 100k", "of it we reach"), shown)


def _seconds(values: np.ndarray) -> list[str]:
    return [f"{np.percentile(values, share):.2f}" for share in (50, 90, 99)] if len(values) else ["-"] * 3


def analysis(lag: Lag, histories: list[History]) -> list[str]:
    """The part about detection."""
    found = len(lag.from_ok)
    stages = sorted(histories[0].stages.items(), key=lambda stage: -stage[1])
    return [
        "## From a fault to its finding",
        "",
        f"`actorscope up` under {lag.rate:,.0f} spans/s for {SECONDS:.0f} s, gRPC, senders on the same cores; {found + lag.missed} faults",
        "in requests of their own, by turns a repeated write, a cycle of delegations, an action outside its grant. Seconds until the API",
        f"shows the finding (asked 10 times a second): {found} found, {lag.missed} not within two minutes.",
        "",
        *table(("from", "p50", "p90", "p99"), [["its OK", *_seconds(lag.from_ok)], ["queryable", *_seconds(lag.from_queryable)]]),
        "",
        f"Server {lag.cpu:.2f} CPU s per 100k spans, intake and analysis; peak {lag.rss_mib:,.0f} MiB;",
        f"others kept {lag.others:.1f} cores busy meanwhile.",
        "",
        "## Analysis and the length of history",
        "",
        f"{NEW:,} new spans in passes of {PASS:,}, CPU of the process while passes run, after histories spread over {DAYS} days. The last",
        "part of each history was judged by the real runner (column judged); what analysis keeps of the rest (facts with their rollups,",
        "delegations, occurrences, and memories whose keys grow with what was done) is copies of that, with ids, signatures, causes",
        "and times of their own; memories per agent and open findings are what the judged part made of them.",
        "",
        *table(
            ("spans in the store", "judged", "CPU s per 100k new spans", "ratio", "s a pass", "peak RSS MiB", "made in s"), shown(histories)
        ),
        "",
        "Where it goes, CPU s per 100k new spans (shortest history): " + ", ".join(f"{name} {cost:.2f}" for name, cost in stages) + ".",
        "",
    ]


def collector(found: Collected) -> list[str]:
    """The part about the Collector."""
    times = len(found.pipelines[0].rates[0])
    pipelines = [
        [p.name, *(f"{median(rates):,.0f}" for rates in p.rates), f"{p.ratio:.2f}", *(f"{median(cpu):.2f}" for cpu in p.cpu),
         f"{p.rss_mib[0]:,.0f} / {p.rss_mib[1]:,.0f}"]
        for p in found.pipelines
    ]  # fmt: skip
    spans = [[name, f"{ns / 1000:.2f}", f"{1e9 / ns:,.0f}", f"{size:,}", f"{count}"] for name, (ns, size, count) in found.spans.items()]
    return [
        COLLECTOR,
        "",
        f"`otelcol-actorscope` with and without the processor, started anew for each run, {times} times by turns:",
        f"{found.sent:,} spans by {SENDERS} gRPC senders, until the last one has left for a door that forgets. Sender, Collector and door",
        f"share the cores; the load average was {found.load:.1f}, of which what is measured is about 3. Medians; the ratio is the median",
        f"over pairs of runs. The goal is {_GOAL}. A span of {found.sizes[0]:.0f} bytes has {found.sizes[1]:.0f} after the processor.",
        "",
        *table(
            ("pipeline", "spans/s without", "spans/s with", "ratio", "CPU s per 100k without", "with", "peak RSS MiB without / with"),
            pipelines,
        ),
        "",
        *_in_the_way(found),
        "The processor by itself, per span (`BenchmarkSpan`, one thread, the spans of",
        "`collector/actorscopeprocessor/testdata/traces-in.yaml`):",
        "",
        *table(("configuration", "µs", "spans/s per core", "bytes", "allocations"), spans),
        "",
    ]


def _in_the_way(found: Collected) -> list[str]:
    """What keeps pipelines from the goal, where one misses it."""
    without, with_ = (median(cpu) * 10 for cpu in found.pipelines[0].cpu)
    if all(p.ratio >= _GOAL for p in found.pipelines):
        return []
    return [
        f"What stands in the way: a pipeline in memory does little but decode and encode, {without:.1f} µs of CPU for a span, and the",
        f"processor adds {with_ - without:.1f} µs. In a profile, half of that are the rules and the digest of arguments, a sixth",
        "is writing, and a quarter is memory and that larger spans are encoded. The more a pipeline does anyway (compression, a queue",
        "on disk), the less that weighs.",
        "",
    ]


def renewed(document: str, part: list[str]) -> str:
    """The document with this part in place of the one of the same heading, or at the end."""
    heading = part[0]
    before, found, rest = document.partition(f"{heading}\n")
    _, next_heading, after = rest.partition("\n## ")
    tail = [f"## {after}"] if next_heading else []
    start = before if found else document.rstrip("\n") + "\n\n"
    return start + "\n".join([*part, *tail])


def _soak(run: Run) -> list[str]:
    minutes = run.memory[-1][0] / 60
    step = max(1, len(run.memory) // 20)
    rows = [[f"{at / 60:.1f}", f"{mib:,.0f}"] for at, mib in run.memory[::step]]
    text = f"{run.spans:,} spans in {minutes:.1f} minutes: {run.queryable:,.0f} queryable/s, peak {run.rss_mib:,.0f} MiB."
    return ["", "## A long run at full rate", "", text, "", *table(("minute", "RSS MiB"), rows)]


def alerts(found: list[Lags]) -> list[str]:
    """The part about the way to a webhook."""
    rows = [
        [f"{lags.rate:,.0f}", f"{lags.acked:,.0f}", f"{len(lags.seconds)}", f"{lags.at(50):.2f} / {lags.at(99):.2f}", f"{lags.untold}"]
        for lags in found
    ]
    return [
        "## Alerts",
        "",
        "A run that deserves an alert every second, in `actorscope up`; a signed webhook on loopback; other spans at a steady rate.",
        "",
        *table(("other spans/s", "acked/s", "alerts", "export to webhook, s p50 / p99", "untold after two minutes"), rows),
        "",
    ]


def explorer(spans: int, answers: list[Answer], pages: list[tuple[str, float]]) -> list[str]:
    """The part about the pages and what they ask."""
    rows = [[a.page, f"{a.first:.2f}", f"{a.again:.2f}", f"{a.cpu:.2f}"] for a in answers]
    return [
        "## The explorer",
        "",
        f"{spans:,} spans over {DAYS} days in the embedded store, made as for analysis above; facts of a day are one part, as they",
        "become two hours after the day. Answers are asked in a process of their own that remembers nothing, twice; the first time pays",
        "what is read from disk. Asked is any view in under 2 s.",
        "",
        *table(("answer", "first, s", "again, s", "CPU s, first"), rows),
        "",
        *(
            [
                "Pages in Chromium, from the address to the end of Streamlit's script, `actorscope up` on the same store and cores; asked",
                "is the first page in under 1 s:",
                "",
                *table(("page", "s"), [[name, f"{seconds:.2f}"] for name, seconds in pages]),
                "",
            ]
            if pages
            else []
        ),
    ]


def text(found: Found) -> str:
    """The document."""
    whole = found.whole
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Written by `{found.command}` on {datetime.now(UTC):%Y-%m-%d}; every number comes from that run, client and",
            "server on the same cores. CPU and memory are those of the server alone, from /proc.",
            "",
            f"- machine: {machine()}; each load ran {found.times} times and the best is shown, since others worked here: the last",
            "  column says how many cores they kept busy meanwhile; rates and CPU seconds suffer from it",
            f"- load: agent spans of 15 attributes, 580 bytes, in requests of {SPANS_PER_REQUEST}; embedded store, rollups and fsync on",
            f"- decoder: {decode.name()}",
            "",
            "## Intake",
            "",
            "`actorscope ingest`, started anew for each line. Senders send without a pause unless a rate is named: the wait until",
            "queryable is then that of the queue, and the line with a rate is what a machine that keeps up shows.",
            "",
            *table(_RUN_HEADS, [_run(run) for run in [*found.runs, whole.run]]),
            "",
            f"Analysis in the same process caught up {whole.analysed_after:.1f} s after the last span was stored. From the export",
            f"of a span to its finding: {whole.lag_idle:.2f} s idle (median of 3), {whole.lag_busy:.2f} s under that load (median of 2).",
            "",
            *analysis(found.lag, found.histories),
            *alerts(found.alerts),
            *explorer(*found.explorer),
            "## On disk",
            "",
            *_sizes(found),
            "",
            "## Limits",
            "",
            *_limits(found),
            "",
            "## Steps, one thread",
            "",
            *_steps(found),
            "",
            f"Knowing all {len(dialects())} dialects costs {found.dialects['all'] / found.dialects['one']:.2f} times what knowing",
            f"the one costs that is spoken ({found.dialects['all']:.3f} against {found.dialects['one']:.3f} CPU s per 100k).",
            *(_soak(found.soak) if found.soak else []),
            "",
            *(collector(found.collected) if found.collected else []),
        ]
    )
