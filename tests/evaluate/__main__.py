"""`make evaluate DATA=DIR`: labelled sets through the real program, judged by their own scorer."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.evaluate import document
from tests.evaluate.judge import Evaluated, Verdicts, score, scorer
from tests.evaluate.play import WITHOUT_CONTENT, Played, labels, play, recordings

SETS = ("agentdojo", f"agentdojo{WITHOUT_CONTENT}", "trail", "tau", "whowhen", "faults")


def judge(module: ModuleType, played: Played) -> Evaluated:
    """Judge what was played; misses and false alarms are beside the findings afterwards."""
    verdicts, out = Verdicts(module, played), played.findings.parent
    misses, alarms = list(verdicts.misses()), list(verdicts.false_alarms())
    done = Evaluated(played, score(module, played), verdicts.writes(), misses, alarms, verdicts.troubles())
    _write(out / "misses.jsonl", done.misses)
    _write(out / "false_alarms.jsonl", done.alarms)
    (out / "score.json").write_text(json.dumps(done.result, indent=1))
    return done


def missing(data: Path, names: Iterable[str]) -> str:
    """What the folder lacks, in one line; empty when it has all."""
    if not (data / "score.py").is_file():
        return f"{data} holds no score.py: give the folder with the labelled runs (make evaluate DATA=...)"
    lacking = [name for name in names if not recordings(data, name) or not _has_labels(data, name)]
    return f"{data} lacks the recording or the labels of {', '.join(lacking)}" if lacking else ""


def _has_labels(data: Path, name: str) -> bool:
    try:
        return labels(data, name).is_file()
    except StopIteration:
        return False


def _write(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make evaluate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with score.py and the labelled runs")
    parser.add_argument("--only", default="", help=f"some of {','.join(SETS)}; the document is then left as it is")
    parser.add_argument("--out", type=Path, help="keep findings, misses and false alarms there, by set")
    parser.add_argument("--document", action="store_true", help="write docs/detection-quality.md")
    options = parser.parse_args(given)
    names = tuple(filter(None, options.only.split(","))) or SETS
    if unknown := [name for name in names if name not in SETS]:
        parser.error(f"no such set: {', '.join(unknown)}; there are {', '.join(SETS)}")
    if lacks := missing(options.data, names):
        print(lacks, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        module, done = scorer(options.data), []
        for name in names:
            played = play(options.data, name, (options.out or Path(folder)) / name)
            done.append(judge(module, played))
            print(document.brief(done[-1]), flush=True)
    if names == SETS:
        text = document.text(done)
        print(text)
        if options.document:
            document.PATH.write_text(text)
    elif options.document:
        print(f"{document.PATH.name} is left as it is: it is written when all sets were played")
    return 0


if __name__ == "__main__":
    sys.exit(main())
