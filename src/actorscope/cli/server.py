"""How reading commands reach the data: through a running server, else by opening the store themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import httpx

from actorscope import settings as settings_
from actorscope.errors import DefinitionError, PermanentError, Problem, TransientError
from actorscope.holder import running
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.store.migrate import migrate

_T = TypeVar("_T")


def reading_options(command: Any) -> Any:
    """`--server`, `--data` and `--store`."""
    command = click.option("--store", metavar="URL", help="Open this store instead.")(command)
    command = click.option("--data", type=click.Path(path_type=Path), help="Data folder [.actorscope].")(command)
    return click.option("--server", metavar="URL", help="Ask this running server, such as http://127.0.0.1:8501.")(
        command
    )


def find_server(server: str | None, data: Path | None, store: str | None) -> str | None:
    """The address of the server to ask; None when the store is to be opened."""
    if server:
        return server.rstrip("/")
    if store:
        return None
    holder = running(settings_.load(data=data).data)
    if holder is None:
        return None
    if "ui" not in holder:
        raise DefinitionError(
            [Problem("data folder", "is held by a process without an API", "ask again when it is done")]
        )
    return str(holder["ui"])


def ask(server: str, method: str, path: str, **request: Any) -> Any:
    """The JSON that a running server answers."""
    token = settings_.load().api_token.get_secret_value()
    headers = {"authorization": f"Bearer {token}"} if token else {}
    try:
        response = httpx.request(method, server + path, timeout=120, headers=headers, **request)
    except httpx.HTTPError as error:
        raise TransientError(f"cannot reach {server}: {error}") from error
    try:
        body = response.json()
    except ValueError as error:
        raise PermanentError(f"{server}{path} is no Actorscope API (status {response.status_code})") from error
    if response.status_code >= 400:
        raise PermanentError(str(body.get("error", body)))
    return body


@contextmanager
def _opened(data: Path | None, store: str | None) -> Iterator[Store]:
    settings = settings_.load(data=data, store=store)
    opened = Store(settings.store_url)
    if opened.is_embedded and not Path(settings.store_url.removeprefix("chdb://")).exists():
        raise DefinitionError(
            [Problem(f"data folder {settings.data}", "holds no store yet", "start one with: actorscope up")]
        )
    try:
        migrate(opened)
        yield opened
    finally:
        opened.close()


def with_store(data: Path | None, store: str | None, question: Callable[[Store], _T]) -> _T:
    """The answer to a question asked of a store that this process opens."""

    def work() -> _T:
        with _opened(data, store) as opened:
            return question(opened)

    return in_worker(work)
