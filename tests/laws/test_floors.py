"""Who may import whom: the contracts of pyproject.toml, and one door for each thing outside."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from tests.conftest import ROOT

ROOMS = ("semconv", "ingest", "analysis", "dashboards")
DOORS = {
    "grpc": ("ingest/otlp/", "src/actorscope/cli/replay.py"),
    "clickhouse_connect": ("ingest/store/client.py",),
    "chdb": ("ingest/store/client.py",),
    "httpx": ("analysis/alerts/send.py", "src/actorscope/cli/server.py"),
    "streamlit": ("dashboards/",),
    "uvicorn": ("ingest/otlp/asgi.py", "dashboards/"),
    "click": ("src/actorscope/cli/",),
    "duckdb": ("analysis/",),
}
ENDING = ("src/actorscope/cli/", "src/actorscope/demo/", "src/actorscope/docs.py")
ENVIRONMENT = ("src/actorscope/settings.py", "src/actorscope/cli/serve.py")  # serve hands its own on to the demo it starts


@cache
def sources() -> dict[str, ast.Module]:
    """The hand-written Python of the program, by path in the repository."""
    folders = [*(ROOT / room for room in ROOMS), *(ROOT / "src" / "actorscope" / f for f in ("cli", "demo"))]
    files = [*(f for folder in folders for f in folder.rglob("*.py")), *(ROOT / "src" / "actorscope").glob("*.py")]
    return {str(f.relative_to(ROOT)): ast.parse(f.read_text()) for f in sorted(files) if "generated" not in f.parts}


def imports(tree: ast.Module) -> set[str]:
    """The modules that a file imports, lazily or at its top."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_the_contracts_of_import_linter_hold() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


@pytest.mark.parametrize("package", DOORS)
def test_what_is_outside_has_one_door(package: str) -> None:
    users = [path for path, tree in sources().items() if any(n.split(".")[0] == package for n in imports(tree))]
    strangers = [path for path in users if not path.startswith(DOORS[package])]
    assert strangers == [], f"{package} is imported only by {', '.join(DOORS[package])}"


def test_only_settings_read_the_environment() -> None:
    readers = [
        path
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb")
        and isinstance(node.value, ast.Name) and node.value.id == "os"
    ]  # fmt: skip
    readers += [path for path, tree in sources().items() if imports(tree) & {"os.environ", "os.getenv"}]
    assert [path for path in readers if path not in ENVIRONMENT] == []


def test_only_commands_end_the_process() -> None:
    enders = {
        path
        for path, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "os._exit", "exit", "quit")
    }
    assert [path for path in sorted(enders) if not path.startswith(ENDING)] == []


def test_rooms_are_imported_by_their_package_name() -> None:
    bare = [
        (path, name)
        for path, tree in sources().items()
        for name in imports(tree)
        if name.split(".")[0] in ROOMS
    ]  # fmt: skip
    assert bare == []
