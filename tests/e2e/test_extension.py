"""A detector of one's own: scaffolded, tried on its cases, installed, and heard in the real program; docs/extending.md says how."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import httpx
import pytest
from tests.conftest import ROOT
from tests.e2e.harness import Program, until
from tests.ingest import otlp

from actorscope.analysis.extensions import GROUP, load
from actorscope.cli.scaffold import FILES
from actorscope.errors import DefinitionError

NAME = "cost_lookups"


def actorscope(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "actorscope", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def install(package: Path, site: Path, value: str = f"{NAME}:DETECTOR") -> str:
    """As an installer leaves an editable package: a record of its entry points, and its source on the path."""
    info = site / f"actorscope_{NAME}-0.1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: actorscope-{NAME}\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[actorscope.detectors]\n{NAME} = {value}\n")
    return f"{site}:{package / 'src'}"


@pytest.mark.e2e
def test_a_new_detector_is_tried_installed_and_fires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert actorscope("detector", "new", NAME, folder=tmp_path).returncode == 0
    tried = actorscope("detector", "test", NAME, folder=tmp_path)
    assert tried.returncode == 0 and "3 of 3 cases" in tried.stdout, tried.stdout + tried.stderr
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / NAME, tmp_path / "site"))
    with Program(tmp_path / "data", toml=f"[analysis.detectors.{NAME}]\nmost_calls = 2\n") as program:
        agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "clerk"}
        call = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup"}
        below = {"parent_span_id": (1).to_bytes(8, "big")}
        body = otlp.traces(otlp.span(1, agent), *(otlp.span(n, call, **below) for n in (2, 3, 4)))
        headers = {"content-type": "application/x-protobuf"}
        assert httpx.post(program.where["http"] + "/v1/traces", content=body, headers=headers).status_code == 200
        until(lambda: bool(program.findings(detector=NAME)), "the new detector speaks")
        (found,) = program.findings(detector=NAME)
        assert (found["rule"], found["family"], found["baseline"]["threshold"]) == ("U1", "cost", 2)
        assert len(found["counterfactual_edits"]) == 1
        (row,) = [r for r in program.get("/api/ingest")["detectors"] if r["detector"] == NAME]
        assert row["empty"] == ["actions"], "what is counted is kept every half minute"
        metrics = httpx.get(program.where["ui"] + "/metrics").text
        assert f'actorscope_analysis_inputs_total{{detector="{NAME}",frame="actions"}}' in metrics
        said = program.command("findings", "mute", found["id"], "--owner", "ann", "--reason", "known", "--until", "1h",
                               "--server", program.where["ui"])  # fmt: skip
        assert said.returncode == 0, said.stderr
        until(lambda: program.findings(detector=NAME)[0]["state"] == "muted", "the mute is heeded")


def test_a_case_that_is_not_as_it_should_be_is_shown(tmp_path: Path) -> None:
    actorscope("detector", "new", NAME, folder=tmp_path)
    case = tmp_path / NAME / "cases" / NAME / "near_three_calls.yaml"
    case.write_text((tmp_path / NAME / "cases" / NAME / "fires_four_calls.yaml").read_text().split("expect:")[0] + "expect: []\n")
    tried = actorscope("detector", "test", NAME, folder=tmp_path)
    assert tried.returncode == 1
    assert f"wrong  {NAME}/near_three_calls" in tried.stdout and "unexpected: " in tried.stdout


@pytest.mark.parametrize(
    ("value", "change", "problem"),
    [
        ("MISSING", ("", ""), "cannot be loaded: AttributeError"),
        ("Config", ("", ""), "is a type, not a Detector"),
        ("DETECTOR", ('id="NAME"', 'id="cost_budget"'), "which another detector has"),
        ("DETECTOR", ('family="cost"', 'family="weather"'), "is of the family 'weather'"),
        ("DETECTOR", ('"actions": (', '"aktions": ('), "needs a frame 'aktions'"),
        ("DETECTOR", ("most_calls: int = 3", "most_calls: int"), "without a default"),
    ],
)
def test_what_does_not_fit_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, change: tuple[str, str], problem: str
) -> None:
    module = f"cost_wrong_{tmp_path.name.rpartition('_')[2]}"
    text = FILES["src/NAME/__init__.py"].replace("FAMILY", "cost").replace(*change).replace("NAME", module)
    (tmp_path / f"{module}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DefinitionError) as caught:
        load([EntryPoint("mine", f"{module}:{value}", GROUP)])
    assert any(problem in str(each) for each in caught.value.problems), caught.value.problems


def test_a_package_that_cannot_be_loaded_stops_the_start_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", install(tmp_path / "nowhere", tmp_path / "site"))
    started = actorscope("up", "--data", str(tmp_path / "data"), folder=tmp_path)
    assert started.returncode == 2 and "ModuleNotFoundError" in started.stderr
    assert len(started.stderr.strip().splitlines()) == 1


def test_the_document_says_what_the_scaffold_does(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "extending.md").read_text()
    for line in re.findall(r"^actorscope (detector [^#\n]+)", text, flags=re.MULTILINE):
        done = actorscope(*line.split(), folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    block = re.search(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    assert block and block[1].strip() in (tmp_path / NAME / "pyproject.toml").read_text()
    assert f"src/{NAME}/__init__.py" in text and (tmp_path / NAME / "src" / NAME / "__init__.py").is_file()
