"""Order of precedence, and that secrets stay secret."""

from __future__ import annotations

from pathlib import Path

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
    assert loaded.alerts.webhooks[0].signing_secret() == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert "c2VjcmV0" not in repr(loaded)


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ({"url": "http://example.org", "secret": "whsec_YQ=="}, "https"),
        ({"url": "http://localhost.example.org/x", "secret": "whsec_YQ=="}, "https"),
        ({"url": "https://example.org", "secret": "abc"}, "whsec_"),
        ({"url": "https://example.org", "secret_file": "missing"}, "secret_file"),
    ],
)
def test_a_subscriber_that_cannot_work_is_refused(hook: dict[str, str], says: str) -> None:
    with pytest.raises(DefinitionError, match=says):
        settings.load(alerts={"webhooks": [{"name": "a", **hook}]})


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
