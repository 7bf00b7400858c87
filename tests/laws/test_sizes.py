"""A file fits a head and a function fits a screen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from tests.conftest import ROOT

FILE_LIMIT, FUNCTION_LIMIT = 400, 60
FOLDERS = ("semconv", "ingest", "analysis", "dashboards", "src", "tests")
NO_NOUNS = {"utils", "helpers", "common", "base", "manager", "core", "misc"}


def files() -> list[Path]:
    """Hand-written Python, each once."""
    found = {f.resolve() for folder in FOLDERS for f in (ROOT / folder).rglob("*.py")}
    return sorted(f for f in found if "generated" not in f.parts and f.is_relative_to(ROOT.resolve()))


def _lines(node: ast.AST) -> int:
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return (node.end_lineno or 0) - node.lineno + 1


def test_no_file_is_longer_than_the_limit() -> None:
    lengths = {str(f.relative_to(ROOT.resolve())): len(f.read_text().splitlines()) for f in files()}
    assert {name: n for name, n in lengths.items() if n > FILE_LIMIT} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    long = [
        f"{f.relative_to(ROOT.resolve())}:{node.lineno} {node.name} has {_lines(node)} lines"
        for f in files()
        for node in ast.walk(ast.parse(f.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _lines(node) > FUNCTION_LIMIT
    ]
    assert long == []


def test_files_are_named_for_what_they_hold() -> None:
    assert [str(f) for f in files() if f.stem in NO_NOUNS] == []


@pytest.mark.parametrize("folder", ["semconv", "ingest", "analysis", "dashboards", "src/actorscope"])
def test_every_module_says_what_lives_in_it(folder: str) -> None:
    silent = [
        str(f.relative_to(ROOT.resolve()))
        for f in files()
        if f.is_relative_to((ROOT / folder).resolve()) and f.read_text().strip() and not ast.get_docstring(ast.parse(f.read_text()))
    ]  # fmt: skip
    assert silent == []
