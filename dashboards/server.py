"""The explorer and the API as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Route

from actorscope.analysis.answers.source import Source
from actorscope.dashboards import data
from actorscope.dashboards.access import Access
from actorscope.dashboards.api import routes
from actorscope.dashboards.guard import Guard
from actorscope.settings import AlertSettings

_OPTIONS = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "server.enableAgentApi": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    # Red is for what is grave; both have 4.5:1 against the backgrounds that they stand on.
    "theme.light.primaryColor": "#6344e0",
    "theme.dark.primaryColor": "#a996ff",
}


def explorer(
    store: Source,
    health: Callable[[], dict[str, Any]],
    hosts: tuple[str, ...] = (),
    more: Sequence[Route] = (),
    access: Access | None = None,
    secrets_file: Path | None = None,
    alerts: AlertSettings | None = None,
    public_url: Callable[[], str] = lambda: "",
) -> Any:
    """The Streamlit application over `store`, with the API and `more` as routes.

    `hosts` are names under which a proxy on this machine passes requests on; loopback's own need no mention.
    `secrets_file` tells Streamlit of the login that `access` asks for.
    """
    import streamlit as st
    from streamlit import config

    for name, value in _OPTIONS.items():
        config.set_option(name, value)
    if secrets_file is not None:
        config.set_option("secrets.files", [str(secrets_file)])
    data.connect(store, health, access, alerts, public_url)

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(data.disconnect)

    return st.App(
        Path(__file__).parent / "app.py",
        routes=[*routes(store, health, alerts, public_url), *more],
        lifespan=lifespan,
        middleware=[Middleware(Guard, hosts=hosts)],
    )
