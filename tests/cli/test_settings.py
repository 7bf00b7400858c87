"""Order of precedence, and that secrets stay secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from actorscope import settings
from actorscope.errors import DefinitionError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACTORSCOPE_CONFIG", raising=False)
    return tmp_path


def test_flags_beat_environment_beats_file_beats_defaults(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings.load().ingest.grpc_port == 4317
    (home / "actorscope.toml").write_text("[ingest]\ngrpc_port = 1001\nhttp_port = 1001\nmax_request_mib = 8\n")
    monkeypatch.setenv("ACTORSCOPE_INGEST__GRPC_PORT", "1002")
    monkeypatch.setenv("ACTORSCOPE_INGEST__HTTP_PORT", "1002")
    loaded = settings.load(ingest={"grpc_port": 1003})
    assert (loaded.ingest.grpc_port, loaded.ingest.http_port, loaded.ingest.max_request_mib) == (1003, 1002, 8)


def test_an_unknown_key_is_an_error(home: Path) -> None:
    (home / "actorscope.toml").write_text("[ingest]\ngrcp_port = 1\n")
    with pytest.raises(DefinitionError, match="grcp_port"):
        settings.load()


def test_broken_toml_is_named(home: Path) -> None:
    (home / "actorscope.toml").write_text("[ingest\n")
    with pytest.raises(DefinitionError, match=r"actorscope\.toml"):
        settings.load()


def test_a_secret_is_not_printed_and_may_come_from_a_file(home: Path) -> None:
    (home / "secret").write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
    hook = {"name": "a", "url": "https://example.org/x", "secret_file": "secret"}
    inline = {"name": "b", "url": "https://example.org/x", "secret": "whsec_c2VjcmV0c2VjcmV0"}
    loaded = settings.load(alerts={"webhooks": [hook, inline]})
    assert loaded.alerts.everybody[0].key() == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert "c2VjcmV0" not in repr(loaded)


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ({"url": "http://example.org", "secret": "whsec_YQ=="}, "https"),
        ({"url": "http://localhost.example.org/x", "secret": "whsec_YQ=="}, "https"),
        ({"url": "https://example.org", "secret": "abc"}, "whsec_"),
        ({"url": "https://example.org", "secret_file": "missing"}, "cannot read its file"),
    ],
)
def test_a_subscriber_that_cannot_work_is_refused(hook: dict[str, str], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        settings.load(alerts={"webhooks": [{"name": "a", **hook}]})


@pytest.mark.parametrize(
    ("alerts", "says"),
    [
        ({"targets": [{"kind": "slack", "url": "http://hooks.slack.example/T0/s3cret"}]}, "url must be https"),
        ({"targets": [{"kind": "slack"}]}, "url must be https"),
        ({"targets": [{"kind": "pagerduty"}]}, "routing key"),
        ({"targets": [{"kind": "pagerduty", "secret": "k", "url": "http://events.example"}]}, "url must be https"),
        ({"targets": [{"kind": "apprise", "url": "json://hooks.example/s3cret"}]}, "scheme 'json' is not allowed"),
        ({"targets": [{"kind": "carrier_pigeon"}]}, "alerts.targets.0.kind"),
        ({"targets": [{"kind": "teams", "url_file": "missing"}]}, "cannot read its file"),
        ({"routes": [{"targets": ["nobody"]}]}, "there is no target 'nobody'"),
        ({"urgent": "very"}, "alerts.urgent"),
    ],
)
def test_alerts_that_cannot_work_are_refused_without_a_word_on_secrets(alerts: dict[str, Any], says: str) -> None:
    with pytest.raises(DefinitionError, match=says) as raised:
        settings.load(alerts=alerts)
    assert "s3cret" not in str(raised.value)


def test_targets_of_every_kind_and_the_older_webhooks_stand_side_by_side() -> None:
    hook = {"name": "a", "url": "https://example.org", "secret": "whsec_YQ=="}
    targets = [
        {"name": "slack", "kind": "slack", "url": "https://hooks.slack.example/T0/s3cret"},
        {"name": "pager", "kind": "pagerduty", "secret": "s3cret"},
        {"name": "mail", "kind": "apprise", "url": "mailtos://u:s3cret@example.org"},
    ]
    loaded = settings.load(alerts={"webhooks": [hook], "targets": targets, "routes": [{"targets": ["pager"]}]})
    assert [(t.name, t.kind) for t in loaded.alerts.everybody] == [
        ("a", "generic"), ("slack", "slack"), ("pager", "pagerduty"), ("mail", "apprise"),
    ]  # fmt: skip
    assert "s3cret" not in repr(loaded)


def test_two_subscribers_of_one_name_are_refused() -> None:
    hook = {"name": "a", "url": "https://example.org", "secret": "whsec_YQ=="}
    with pytest.raises(DefinitionError, match="twice"):
        settings.load(alerts={"webhooks": [hook, hook]})


def test_wrong_budgets_stop_the_start_with_one_line_per_problem(home: Path) -> None:
    (home / "actorscope.toml").write_text(
        '[[analysis.budgets]]\nnode = "team"\nusd = 1\n[[analysis.budgets]]\nnode = "actor"\nusd = -1\nperiod = "year"\n'
    )
    with pytest.raises(DefinitionError) as wrong:
        settings.load()
    places = [problem.where for problem in wrong.value.problems]
    assert places == [f"setting analysis.budgets.{name}" for name in ("0.node", "1.period", "1.usd")]
    (home / "actorscope.toml").write_text(
        '[[analysis.budgets]]\nnode = "run"\nperiod = "day"\nusd = 1\n' + 2 * '[[analysis.budgets]]\nnode = "task"\nusd = 1\n'
    )
    with pytest.raises(DefinitionError) as wrong:
        settings.load()
    assert [problem.where for problem in wrong.value.problems] == ["setting analysis.budgets.0", "setting analysis.budgets.2"]
