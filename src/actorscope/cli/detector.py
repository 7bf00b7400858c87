"""`detector`: begin one of your own, and try it on its cases."""

from __future__ import annotations

import sys
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import click

from actorscope.analysis import casebook
from actorscope.analysis.detector import FAMILIES, Detector
from actorscope.analysis.extensions import GROUP, ID, load
from actorscope.cli.scaffold import FILES
from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate

_MOST_LINES = 40


@click.group()
def detector() -> None:
    """Detectors of your own: packages that are loaded beside ours (docs/extending.md)."""


@detector.command()
@click.argument("name")
@click.option("--into", type=click.Path(path_type=Path), default=Path("."), help="Folder to make it in [.].")
def new(name: str, into: Path) -> None:
    """Make a package with a detector that works: rule, cases, a test and a page about it.

    \b
    actorscope detector new cost_night_calls
    actorscope detector test cost_night_calls
    """
    family = name.partition("_")[0]
    if not ID.fullmatch(name) or family not in FAMILIES or name == family:
        raise DefinitionError([Problem("name", f"{name!r} is none", f"<family>_<what>, family one of {', '.join(FAMILIES)}")])
    folder = into / name
    if folder.exists():
        raise DefinitionError([Problem("folder", f"{folder} is there already", "choose another name or folder")])
    for path, text in FILES.items():
        target = folder / path.replace("NAME", name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("NAME", name).replace("FAMILY", family).replace("DASHED", name.replace("_", "-")))
        click.echo(target)
    click.echo(f"next: actorscope detector test {folder}", err=True)


@detector.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
def test(path: Path) -> None:
    """Run the cases of a package over an embedded store; it need not be installed."""
    detectors = _of_package(path)
    cases = casebook.cases(path / "cases")
    missing = list(_missing(detectors, cases))
    if missing:
        raise DefinitionError(missing)
    with tempfile.TemporaryDirectory() as folder:
        failed = in_worker(lambda: _run(cases, detectors, Path(folder) / "store"))
    click.echo(f"{len(cases) - failed} of {len(cases)} cases are as they should be")
    sys.exit(1 if failed else 0)


def _of_package(path: Path) -> tuple[Detector, ...]:
    """The detectors that a package names in its pyproject.toml."""
    try:
        project = tomllib.loads((path / "pyproject.toml").read_text())["project"]
        points = project["entry-points"][GROUP]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        what = f"{path / 'pyproject.toml'} names no entry point {GROUP}: {type(error).__name__} {error}"
        raise DefinitionError([Problem("package", what, "see docs/extending.md")]) from error
    source = path / "src" if (path / "src").is_dir() else path
    sys.path.insert(0, str(source.resolve()))
    return load(EntryPoint(name, value, GROUP) for name, value in points.items())


def _missing(detectors: tuple[Detector, ...], cases: list[casebook.Case]) -> Iterator[Problem]:
    for each in detectors:
        kinds = {case.kind for case in cases if case.detector == each.id}
        for kind in ("fires", "quiet", "near"):
            if kind not in kinds:
                yield Problem(f"detector {each.id}", f"has no case {kind}_*", f"write cases/{each.id}/{kind}_<what>.yaml")
    known = {each.id for each in detectors}
    for name in sorted({case.detector for case in cases} - known):
        yield Problem(f"cases/{name}", "are of no detector of this package", f"known: {', '.join(sorted(known))}")


def _run(cases: list[casebook.Case], detectors: tuple[Detector, ...], path: Path) -> int:
    store = Store(f"chdb://{path}")
    failed = 0
    try:
        migrate(store)
        for case in cases:
            wrong = list(_differences(casebook.tried(case, casebook.emptied(store), detectors), case))
            failed += bool(wrong)
            click.echo(f"{'wrong' if wrong else 'right'}  {case.detector}/{case.path.stem}: {case.what}")
            for line in wrong[:_MOST_LINES]:
                click.echo(f"       {line}")
    finally:
        store.close()
    return failed


def _differences(outcome: casebook.Outcome, case: casebook.Case) -> Iterator[str]:
    yield from (f"missing: {each}" for each in outcome.wanted if each not in outcome.found)
    yield from (f"unexpected: {each}" for each in outcome.found if each not in outcome.wanted)
    yield from (f"also spoke: {name}" for name in sorted(outcome.others - set(case.also)))
