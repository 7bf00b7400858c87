"""The explorer and the API as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from actorscope.analysis.answers.source import Source
from actorscope.dashboards import data
from actorscope.dashboards.api import routes

_OPTIONS = {
    "browser.gatherUsageStats": False,
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}


def explorer(store: Source, health: Callable[[], dict[str, Any]]) -> Any:
    """The Streamlit application over `store`, with the API as routes."""
    import streamlit as st
    from streamlit import config

    for name, value in _OPTIONS.items():
        config.set_option(name, value)
    data.connect(store, health)
    return st.App(Path(__file__).parent / "app.py", routes=routes(store, health))
