"""The text of docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.bench.alert_lag import Lags
from tests.bench.program import Run, Whole
from tests.bench.workload import SPANS_PER_REQUEST

from actorscope.ingest import decode
from actorscope.semconv.dialects import dialects

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
    soak: Run | None


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


def _soak(run: Run) -> list[str]:
    minutes = run.memory[-1][0] / 60
    step = max(1, len(run.memory) // 20)
    rows = [[f"{at / 60:.1f}", f"{mib:,.0f}"] for at, mib in run.memory[::step]]
    text = f"{run.spans:,} spans in {minutes:.1f} minutes: {run.queryable:,.0f} queryable/s, peak {run.rss_mib:,.0f} MiB."
    return ["", "## A long run at full rate", "", text, "", *table(("minute", "RSS MiB"), rows)]


def _alerts(found: Found) -> list[str]:
    rows = [
        [f"{lags.rate:,.0f}", f"{lags.acked:,.0f}", f"{len(lags.seconds)}", f"{lags.at(50):.2f} / {lags.at(99):.2f}", f"{lags.untold}"]
        for lags in found.alerts
    ]
    return table(("other spans/s", "acked/s", "alerts", "export to webhook, s p50 / p99", "untold after two minutes"), rows)


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
            "## Alerts",
            "",
            "A run that deserves an alert every second, in `actorscope up`; a signed webhook on loopback; other spans at a steady rate.",
            "",
            *_alerts(found),
            "",
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
        ]
    )
