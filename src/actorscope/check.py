"""What is wrong with settings whose parts are right one by one: addresses, names that are used twice, secrets that are missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from actorscope.errors import Problem

if TYPE_CHECKING:
    from actorscope.settings import Settings, TargetSettings, UiSettings


def problems_of(settings: Settings) -> list[Problem]:
    """One line for each thing that keeps these settings from being used."""
    return [
        *_store_problems(settings), *_budget_problems(settings), *_target_problems(settings), *_login_problems(settings.ui),
    ]  # fmt: skip


def _is_loopback(parts: SplitResult) -> bool:
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _store_problems(settings: Settings) -> list[Problem]:
    if settings.store and not settings.store.startswith(("chdb:///", "http://", "https://")):
        return [
            Problem(
                "setting store",
                f"{settings.store!r} is not a store URL",
                "chdb:///path or http(s)://user:pass@host:8123/db",
            )
        ]
    return []


def _login_problems(ui: UiSettings) -> list[Problem]:
    login, where = ui.login, "setting ui.login"
    if not login.metadata_url:
        return []
    parts = urlsplit(login.metadata_url)
    problems = []
    if parts.scheme != "https" and not _is_loopback(parts):
        problems.append(Problem(f"{where}.metadata_url", "must be https (http only on loopback)"))
    if not login.client_id:
        problems.append(Problem(f"{where}.client_id", "is missing", "the provider gave it when you registered the explorer"))
    if not ui.public_url:
        problems.append(Problem("setting ui.public_url", "is missing", "the provider sends people back to it after the login"))
    try:
        if not login.secret():
            problems.append(Problem(f"{where}.client_secret", "is missing", "set it, or client_secret_file"))
    except OSError as error:
        problems.append(Problem(f"{where}.client_secret_file", f"cannot be read: {error}"))
    return problems


def _budget_problems(settings: Settings) -> list[Problem]:
    problems, seen = [], set()
    for number, budget in enumerate(settings.analysis.budgets):
        where, key = f"setting analysis.budgets.{number}", (budget.node, budget.name, budget.period)
        if budget.node == "run" and budget.period:
            problems.append(Problem(where, "a run has no period", 'leave `period` out, or take node = "actor"'))
        if key in seen:
            problems.append(Problem(where, f"{budget.node} {budget.name!r} has such a budget already"))
        seen.add(key)
    return problems


def _target_problems(settings: Settings) -> list[Problem]:
    alerts = settings.alerts
    names = [target.name for target in alerts.everybody]
    problems = [
        Problem(f"setting alerts.targets.{name}", "the name is used twice") for name in sorted(set(names)) if names.count(name) > 1
    ]
    problems += [
        Problem(f"setting alerts.routes.{number}", f"there is no target {name!r}", f"known: {', '.join(names) or 'none'}")
        for number, route in enumerate(alerts.routes)
        for name in route.targets
        if name not in names
    ]
    for target in alerts.everybody:
        where = f"setting alerts.targets.{target.name}"
        try:
            problems += [Problem(where, *said) for said in _wrong_with(target, alerts.apprise_schemes)]
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(where, f"cannot read its file: {type(error).__name__}"))
    return problems


def _wrong_with(target: TargetSettings, schemes: list[str]) -> Iterator[tuple[str, ...]]:
    """What keeps a target from being used. URLs are not quoted: they may be secrets."""
    parts, key = urlsplit(target.address()), target.key()
    if target.kind == "apprise":
        if parts.scheme not in schemes:
            yield f"scheme {parts.scheme[:20]!r} is not allowed", f"see alerts.apprise_schemes: {', '.join(schemes)}"
    elif parts.scheme != "https" and not _is_loopback(parts) and (target.kind != "pagerduty" or parts.geturl()):
        yield ("url must be https (http only on loopback)",)
    if target.kind == "generic" and not key.startswith("whsec_"):
        yield "secret must start with whsec_", "actorscope alerts secret makes one"
    if target.kind == "pagerduty" and not key:
        yield "secret must hold the routing key", "PagerDuty: service, Integrations, Events API V2"
