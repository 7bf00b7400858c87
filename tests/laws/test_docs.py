"""Documents say what is: paths in them exist, generated ones are current, the example file holds the defaults."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.conftest import ROOT

from actorscope import docs
from actorscope.analysis.detectors import DETECTORS
from actorscope.analysis.runner import configure
from actorscope.analysis.watches import WATCHES
from actorscope.ingest.store.client import Store, in_worker
from actorscope.settings import (
    AlertSettings,
    AnalysisSettings,
    IngestSettings,
    RouteSettings,
    Settings,
    TargetSettings,
    UiSettings,
    WebhookSettings,
)

READ = [
    path
    for pattern in ("README.md", "CONTRIBUTING.md", "AGENTS.md", "docs/*.md", "docs/adr/*.md", "*/README.md")
    for path in sorted(ROOT.glob(pattern))
    if ".venv" not in path.parts
]
_TOPS = {p.name for p in ROOT.iterdir()}
_MEASURED = "docs/benchmarks.md"  # written by `make bench`
_MADE_LATER = (".venv", ".actorscope", "actorscope.toml", "test-artifacts", "dist", "build")


def named_paths(text: str) -> set[str]:
    """What stands in backquotes and looks like a path of this repository: it begins with something at the top."""
    found = set()
    for word in re.findall(r"`([^`\s]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        word = re.sub(r"(::|#).*$|[:,.;]$", "", word)
        top = word.split("/")[0]
        if (
            top in _TOPS
            and top not in _MADE_LATER
            and ("/" in word or "." in word)
            and not re.search(r"[<>{}$=()]|\.\.\.|…|NNNN", word)
        ):
            found.add(word)
    return found


@pytest.mark.parametrize("document", READ, ids=lambda p: str(p.relative_to(ROOT)))
def test_paths_in_documents_exist(document: Path) -> None:
    gone = [word for word in sorted(named_paths(document.read_text())) if not _is_there(word)]
    assert [word for word in gone if word != _MEASURED] == []


def _is_there(word: str) -> bool:
    return bool(list(ROOT.glob(word.rstrip("/")))) if any(c in word for c in "*?[") else (ROOT / word).exists()


@pytest.mark.parametrize("document", READ, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    local = [document.parent / link for link in links if not re.match(r"\w+:", link)]
    gone = [str(path.resolve().relative_to(ROOT.resolve())) for path in local if not path.exists()]
    assert [path for path in gone if path != _MEASURED] == []


def test_generated_documents_are_current() -> None:
    assert docs.generate(check=True) == [], "run `python -m actorscope.docs`"


def test_nothing_is_written_where_there_are_no_documents(tmp_path: Path) -> None:
    assert docs.generate(root=tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_generation_is_complete_and_settles(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "collector" / "semconv").mkdir(parents=True)
    assert len(docs.generate(root=tmp_path)) == 6
    assert docs.generate(root=tmp_path) == []


def test_every_detector_and_setting_is_documented() -> None:
    text = docs.detectors()
    assert all(f"`{d.id}`" in text and docs.rules(d) for d in DETECTORS)
    settings = docs.settings()
    for _, heading, model in docs._sections(Settings):
        assert f"`{heading}`" in settings or model is Settings
        for name, field in docs._plain(model):
            assert f"| `{name}` |" in settings and field.description, name


_LISTS = ("WEBHOOKS", "TARGETS", "ROUTES", "SCHEMES", "DIALECTS", "SENDERS",
          "CORS_ORIGINS", "REDACT_KEYS", "REDACT_PATTERNS", "REDACT_PRESETS", "BUDGETS", "VIEWERS", "RESPONDERS", "ADMINS", "TOKENS")


def test_environment_variables_in_the_document_work(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in re.findall(r"\| `(ACTORSCOPE_\w+)` \|", docs.settings()):
        value = (
            "{}" if variable.endswith("DETECTORS") else "[]" if variable.endswith(_LISTS) else "4000"
        )
        value = {"CONTENT": "true", "DECODER": "python", "ENDPOINT": "http://127.0.0.1:4000", "URGENT": "low"}.get(
            variable.rpartition("_")[2], value
        )
        monkeypatch.setenv(variable, value)
    assert Settings().ingest.grpc_port == 4000
    assert Settings().ui.public_url == "4000"


def test_the_example_holds_every_default() -> None:
    text = "\n".join(line[1:] if re.match(r"#[\[\w]", line) else line for line in docs.example().splitlines())
    given = tomllib.loads(text)
    thresholds = given["analysis"].pop("detectors")
    hook, target, route = (given["alerts"].pop(key)[0] for key in ("webhooks", "targets", "routes"))
    assert [sender["token_sha256"] for sender in given["ingest"].pop("senders")] == ["0" * 64]
    assert [budget["usd"] for budget in given["analysis"].pop("budgets")] == [10.0]
    assert IngestSettings(**given["ingest"]) == IngestSettings()
    assert AnalysisSettings(**given["analysis"]) == AnalysisSettings()
    assert [token["role"] for token in given["ui"].pop("tokens")] == ["viewer"]
    assert UiSettings(**given["ui"]) == UiSettings()
    assert WebhookSettings(**hook).timeout_seconds == WebhookSettings(url=hook["url"]).timeout_seconds
    assert AlertSettings(**given["alerts"]) == AlertSettings()
    assert TargetSettings(**{**target, "url": "", "secret": ""}) == TargetSettings()
    assert RouteSettings(**route, targets=[]) == RouteSettings(targets=[])
    assert configure(thresholds) == configure({})
    assert set(thresholds) == {d.id for d in (*DETECTORS, *WATCHES)}


def test_views_in_the_document_are_those_of_the_store(chdb: Store) -> None:
    found = in_worker(
        lambda: chdb.frame(
            "SELECT table, groupArray(name) AS names FROM (SELECT table, name FROM system.columns "
            "WHERE database = currentDatabase() ORDER BY table, position) WHERE table IN {views:Array(String)} GROUP BY table",
            {"views": list(docs.view_columns())},
        )
    )
    assert {table: list(names) for table, names in found.iter_rows()} == docs.view_columns()
    assert set(docs.ROW_PER) == set(docs.view_columns())
    assert "|  |" not in docs.views(), "a column without a meaning: say it in actorscope/docs.py"
