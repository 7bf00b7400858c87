"""What every detector keeps: its name, its explanation, its cases, and that it is a pure function of what it declared."""

from __future__ import annotations

import ast
import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.make import CASES, Case, cases, spans

from actorscope.analysis import frames
from actorscope.analysis.budgets import Budgets
from actorscope.analysis.detector import FAMILIES, Detector
from actorscope.analysis.detectors import DETECTORS
from actorscope.analysis.finding import SEVERITIES
from actorscope.analysis.keeping import keep
from actorscope.ingest.store.client import Store, in_worker

HEADINGS = (
    "What it finds.", "Why it matters.", "Evidence and basis.", "What it cannot know.", "False positives.", "Next step.",
)  # fmt: skip
FOLDER = ROOT / "analysis" / "detectors"
each = pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.id)


def module_of(detector: Detector) -> Path:
    return FOLDER / f"{detector.detect.__module__.rpartition('.')[2]}.py"


def test_every_file_is_listed_exactly_once() -> None:
    assert sorted(d.id for d in DETECTORS) == sorted(p.stem for p in FOLDER.glob("[!_]*.py"))
    assert sorted(d.id for d in DETECTORS) == sorted(p.name for p in CASES.iterdir() if p.is_dir())


@each
def test_the_id_is_the_file_and_begins_with_the_family(detector: Detector) -> None:
    assert module_of(detector).stem == detector.id
    assert detector.family in FAMILIES
    assert detector.id.startswith(f"{detector.family}_")
    assert detector.version >= 1 and detector.title and detector.next_step.endswith((".", "?"))


@each
def test_the_explanation_has_its_headings_in_order(detector: Detector) -> None:
    text = detector.explanation
    assert text == ast.get_docstring(ast.parse(module_of(detector).read_text()), clean=False)
    places = [text.find(f"\n**{heading}** ") for heading in HEADINGS]
    assert places == sorted(places) and places[0] > 0, dict(zip(HEADINGS, places, strict=True))


@each
def test_every_threshold_is_frozen_and_explained(detector: Detector) -> None:
    assert dataclasses.is_dataclass(detector.config) and detector.config.__dataclass_params__.frozen
    tree = ast.parse(module_of(detector).read_text())
    body = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == detector.config.__name__).body[1:]
    names = [n.target.id for n in body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    explained = [
        field.target.id
        for field, text in zip(body, body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    ]  # fmt: skip
    assert names == [f.name for f in dataclasses.fields(detector.config)]
    assert explained == names
    detector.config()


@each
def test_it_has_cases_that_fire_that_are_quiet_and_that_are_near(detector: Detector) -> None:
    mine = [case for case in cases() if case.detector == detector.id]
    kinds = {case.kind for case in mine}
    assert kinds == {"fires", "quiet", "near"}, [case.path.name for case in mine]
    for case in mine:
        assert case.what.endswith(".") and "\n" not in case.what, case.path
        if case.kind == "fires":
            assert case.expect, case.path
        if case.kind == "quiet":
            assert not case.expect, case.path
        assert all(expected["severity"] in SEVERITIES for expected in case.expect), case.path


@each
def test_it_asks_for_frames_and_columns_that_exist(detector: Detector, filled: dict[str, pl.DataFrame]) -> None:
    assert set(detector.needs) <= set(frames.FRAMES)
    for name, columns in detector.needs.items():
        assert set(columns) <= set(filled[name].columns), name


@each
def test_empty_frames_give_no_signals(detector: Detector, filled: dict[str, pl.DataFrame]) -> None:
    empty = {name: filled[name].clear().select(columns) for name, columns in detector.needs.items()}
    assert detector.detect(empty, detector.config()) == []


@pytest.fixture
def filled(store: Store) -> dict[str, pl.DataFrame]:
    """Every frame, of some trace."""
    made = spans("- {trace: t, spans: [{agent: a, children: [{tool: x, effect: write, args: {n: 1}, cost: 1.0}]}]}")
    return in_worker(lambda: _fill(store, made.frame()))


def _fill(store: Store, steps: pl.DataFrame, case: Case | None = None) -> dict[str, pl.DataFrame]:
    touched = frames.touch(steps)
    before = keep(store, touched, 1)
    return frames.fill(store, touched, before, 1, budgets=Budgets(store, case.budgets if case else ()))


def _fill_kept(store: Store, case: Case) -> dict[str, pl.DataFrame]:
    """With the spans in the store, where texts are looked up."""
    store.insert("span_rows", case.made.table())
    return _fill(store, case.made.frame(), case)


@cache
def loud() -> dict[str, Case]:
    """The case with most to say of each detector."""
    found = [case for case in cases() if case.expect]
    return {
        d.id: max((c for c in found if c.detector == d.id), key=lambda c: sum(len(e["evidence"]) for e in c.expect))
        for d in DETECTORS
    }


class TestPurity:
    """Over the frames of a case that fires, mixed and with repeated rows."""

    @each
    def test_the_order_of_rows_and_repeated_rows_do_not_matter(self, detector: Detector, store: Store) -> None:
        case = loud()[detector.id]
        offered = in_worker(lambda: _fill_kept(store, case))
        cut = {name: offered[name].select(columns) for name, columns in detector.needs.items()}
        config, problems = detector.configure(case.thresholds)
        assert not problems
        plain = detector.detect(cut, config)
        assert plain, "the case fires"
        copies = {name: frame.clone() for name, frame in cut.items()}

        @settings(deadline=None, max_examples=20)
        @given(seed=st.integers(0, 2**16), repeated=st.booleans())
        def mixed(seed: int, repeated: bool) -> None:
            shuffled: dict[str, Any] = {
                name: pl.concat([frame, frame[::2]] if repeated else [frame]).sample(
                    fraction=1, shuffle=True, seed=seed
                )
                for name, frame in cut.items()
            }
            assert detector.detect(shuffled, config) == plain

        mixed()
        assert all(cut[name].equals(copies[name]) for name in cut), "a detector leaves its frames alone"


@each
def test_it_reads_no_clock_no_file_and_no_chance(detector: Detector) -> None:
    tree = ast.parse(module_of(detector).read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [a.name for a in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported <= {
        "__future__", "actorscope", "collections", "dataclasses", "datetime", "fnmatch", "itertools", "math", "numpy",
        "polars", "re", "typing",
    }  # fmt: skip
    called = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    assert not called & {"now", "utcnow", "today", "time_ns", "sample", "shuffle"}
