"""One import package out of four rooms: the package list, the folders and the links say the same."""

from __future__ import annotations

import os
import tomllib

import pytest
from tests.conftest import ROOT

import actorscope

ROOMS = ("semconv", "ingest", "analysis", "dashboards")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_the_package_list_equals_the_folders() -> None:
    hall = ROOT / "src" / "actorscope"
    starts = {"actorscope": hall, **{f"actorscope.{room}": ROOT / room for room in ROOMS}}
    found = set()
    for name, start in starts.items():
        for init in start.rglob("__init__.py"):
            inside = init.parent.relative_to(start)
            if name == "actorscope" and inside.parts and inside.parts[0] in ROOMS:
                continue  # a link
            found.add(".".join((name, *inside.parts)))
    assert sorted(SETTINGS["packages"]) == sorted(found)


def test_every_room_is_mapped_into_the_package() -> None:
    rooms = {f"actorscope.{room}": room for room in ROOMS}
    assert SETTINGS["package-dir"] == {"actorscope": "src/actorscope", **rooms}


@pytest.mark.parametrize("room", ROOMS)
def test_the_link_for_tools_points_to_the_room(room: str) -> None:
    link = ROOT / "src" / "actorscope" / room
    assert link.is_symlink()
    assert os.readlink(link) == f"../../{room}"
    assert link.resolve() == (ROOT / room).resolve()


def test_folders_with_python_are_packages() -> None:
    loose = [
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        if not (file.parent / "__init__.py").exists()
    ]
    assert loose == []


def test_data_files_that_are_read_are_shipped() -> None:
    shipped = SETTINGS["package-data"]
    for package, folder, kind in (
        ("actorscope.semconv", "registry", "yaml"),
        ("actorscope.semconv", "dialects", "yaml"),
        ("actorscope.semconv", "templates", "j2"),
        ("actorscope.dashboards", "parts", "html"),
        ("actorscope.dashboards", "parts", "css"),
        ("actorscope.dashboards", "parts", "js"),
        ("actorscope.ingest.store", "schema", "sql"),
        ("actorscope.ingest.store", "queries", "sql"),
    ):
        assert f"{folder}/*.{kind}" in shipped[package]


def test_there_is_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert actorscope.__version__ == project["version"]
