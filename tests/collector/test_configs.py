"""Configurations, manifest and compose file say what is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from tests.collector.collector import KEY, READY, built, validate
from tests.conftest import ROOT

from actorscope.cli import main
from actorscope.settings import IngestSettings, UiSettings

COLLECTOR = ROOT / "collector"
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("otel-*.yaml"))
FOREIGN = {"otel-several-ingesters.yaml": "loadbalancing"}
"""Examples with a component that the distribution does not hold."""
COMPOSE = ROOT / "compose.yaml"


def _default(text: str) -> str:
    """What `${env:NAME:-default}` stands for where nothing is set."""
    return re.sub(r"\$\{env:\w+:-([^}]*)\}", r"\1", text)


def _read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_default(path.read_text()))
    return loaded


@pytest.mark.parametrize("config", [READY, *EXAMPLES], ids=lambda path: path.name)
def test_the_collector_takes_the_configuration(config: Path) -> None:
    built()
    said = validate(config, FINGERPRINT_KEY=KEY)
    if config.name in FOREIGN:
        assert f'unknown type: "{FOREIGN[config.name]}"' in said and said.count("unknown type") == 1
    else:
        assert said == ""


def test_a_wrong_configuration_is_refused_with_all_reasons(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(READY.read_text().replace("  actorscope:\n", "  actorscope:\n    content: hide\n    limits: {max_attributes: 0}\n"))
    said = validate(wrong)
    assert "content" in said and "max_attributes" in said


def test_ports_are_the_defaults() -> None:
    """Agents send to the same ports whether a Collector stands before Actorscope or not."""
    config, usual = _read(READY), IngestSettings()
    doors = config["receivers"]["otlp"]["protocols"]
    assert doors["grpc"]["endpoint"] == f"127.0.0.1:{usual.grpc_port}"
    assert doors["http"]["endpoint"] == f"127.0.0.1:{usual.http_port}"
    out = config["exporters"]["otlp_grpc/actorscope"]["endpoint"]
    [command] = re.findall(r"#\s+actorscope up --grpc-port (\d+) --http-port (\d+)", READY.read_text())
    assert out == f"127.0.0.1:{command[0]}" and not {int(port) for port in command} & {usual.grpc_port, usual.http_port}
    for example in EXAMPLES:
        doors = _read(example)["receivers"]["otlp"]["protocols"]
        assert [door["endpoint"] for door in doors.values()] == [f"127.0.0.1:{usual.grpc_port}", f"127.0.0.1:{usual.http_port}"]


def test_everything_listens_on_loopback() -> None:
    for path in (READY, *EXAMPLES):
        assert not re.search(r"0\.0\.0\.0|\[::\]", path.read_text()), path.name


def test_what_was_acknowledged_lies_on_disk() -> None:
    config = _read(READY)
    for pipeline in config["service"]["pipelines"].values():
        assert "batch" not in pipeline["processors"], "a batch in memory is acknowledged before it is stored"
        assert pipeline["processors"] == ["memory_limiter", "actorscope"]
    exporter = config["exporters"]["otlp_grpc/actorscope"]
    assert exporter["sending_queue"]["storage"] in config["service"]["extensions"]
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"


def test_the_manifest_and_the_module_name_the_same_versions() -> None:
    module = dict(re.findall(r"^\s+(\S+) (v\S+)(?: // indirect)?$", (COLLECTOR / "go.mod").read_text(), re.MULTILINE))
    manifest = yaml.safe_load((COLLECTOR / "builder.yaml").read_text())
    parts = [part["gomod"].split() for kind in manifest.values() if isinstance(kind, list) for part in kind]
    releases = {version for name, version in parts if name.startswith("go.opentelemetry.io/collector/")}
    assert {module["go.opentelemetry.io/collector/processor"], module["go.opentelemetry.io/collector/connector"]} == releases
    tools = (COLLECTOR / "tools" / "go.mod").read_text()
    assert f"cmd/builder {module['go.opentelemetry.io/collector/connector']}" in tools


def test_compose_starts_commands_that_exist() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert set(services) == {"clickhouse", "ingest", "analyze", "explore", "collector"}
    commands = main.commands  # type: ignore[attr-defined]
    for name in ("ingest", "analyze", "explore"):
        role, *options = services[name]["command"]
        known = {opt for parameter in commands[role].params if isinstance(parameter, click.Option) for opt in parameter.opts}
        assert role == name and {option.partition("=")[0] for option in options} <= known


def test_compose_joins_what_belongs_together() -> None:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    usual = IngestSettings()
    settable = set(re.findall(r"\$\{env:(\w+)", READY.read_text()))
    said = services["collector"]["environment"]
    assert set(said) <= settable
    assert said["ACTORSCOPE_ENDPOINT"] == f"ingest:{usual.grpc_port}"
    assert sorted(services["collector"]["ports"]) == [f"127.0.0.1:{port}:{port}" for port in (usual.grpc_port, usual.http_port)]
    assert services["explore"]["ports"] == [f"127.0.0.1:{UiSettings().port}:{UiSettings().port}"]
    stores = {next(o for o in services[name]["command"] if o.startswith("--store=")) for name in ("ingest", "analyze", "explore")}
    assert len(stores) == 1
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or (ROOT / source).exists(), source
        if "build" in service:
            assert (ROOT / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
