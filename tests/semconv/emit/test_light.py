"""The helpers need `opentelemetry-api` only, and work when nothing else is there."""

from __future__ import annotations

import tomllib

from tests.conftest import ROOT
from tests.semconv.emit.conftest import python

BLOCKED = """
import sys, importlib.abc

HEAVY = ["opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto"]

class Only(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        ours = top in ("actorscope", "typing_extensions", "zipp", "importlib_metadata") or top in sys.stdlib_module_names
        api = name.startswith("opentelemetry") and not name.startswith(tuple(HEAVY))
        if not (ours or api):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

for name in [m for m in sys.modules if m.split(".")[0] not in sys.stdlib_module_names and not m.startswith(("__editable", "_distutils"))]:
    if name not in ("__main__",):
        del sys.modules[name]
sys.meta_path.insert(0, Only())
"""


def test_importing_the_helpers_imports_the_api_of_opentelemetry_and_nothing_else() -> None:
    done = python(
        "import sys; before = set(sys.modules); from actorscope import semconv\n"
        "tops = {m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(sorted(tops)); print(any(m.startswith('opentelemetry.sdk') for m in sys.modules))"
    )
    assert done.stdout.splitlines() == ["['actorscope', 'opentelemetry', 'typing_extensions']", "False"], done.stderr


def test_everything_works_without_an_sdk() -> None:
    done = python(
        BLOCKED
        + """
from actorscope import semconv
me = semconv.Principal.from_spiffe("spiffe://example.org/agent/a")
out = {}
with semconv.execution("run_1", trigger="user"), semconv.agent("a", principal=me):
    with semconv.delegate("b", scope="x:read", id="dlg_1"):
        with semconv.agent("b"), semconv.act("t", idempotency_key="k", arguments={"n": 1.5}) as action:
            semconv.authorize("deny", "t"); semconv.decide("stop", "x"); action.replayed()
            with semconv.approve("t") as approval: approval.resolve("approved", "human")
            with semconv.budget(1) as budget: budget.spend(2)
            semconv.inject(out)
print(sorted(out), "dlg_1" in out["baggage"] and "run_1" in out["baggage"])
try:
    semconv.setup("x")
except semconv.SetupError as error:
    print(error)
try:
    semconv.Principal.from_spiffe()
except RuntimeError as error:
    print(error)
from actorscope.__main__ import main
sys.argv = ["actorscope", "up"]
main()
"""
    )
    lines = done.stdout.splitlines()
    assert lines[0] == "['baggage'] True", done.stderr
    assert "pip install 'actorscope[emit]'" in lines[1]
    assert "pip install 'actorscope[spiffe]'" in lines[2]
    assert done.returncode == 2
    assert done.stderr.splitlines() == ["actorscope: click is missing: pip install 'actorscope[server]'"]


def test_the_package_needs_the_api_only() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [d.split(">")[0] for d in project["dependencies"]] == ["opentelemetry-api"]
    assert project["scripts"]["actorscope"] == "actorscope.__main__:main"
