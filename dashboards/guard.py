"""Who may talk to the explorer: no foreign web page, and no foreign name that was made to point at this machine.

A page elsewhere can have a browser ask a server on loopback, under a name of its own (DNS rebinding) or with a form.
Both show in headers that a page cannot write: Host and Origin.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

_SAFE = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI middleware. `hosts` are names besides loopback's under which people reach a server that listens on loopback."""

    def __init__(self, app: Any, hosts: tuple[str, ...] = ()) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts if host}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        refusal = self._refusal(scope) if scope["type"] in ("http", "websocket") else ""
        if not refusal:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": refusal})
        else:
            await _refuse(send, refusal)

    def _refusal(self, scope: Any) -> str:
        headers = {key.lower(): value.decode("latin-1") for key, value in scope["headers"]}
        host = headers.get(b"host", "")
        server = (scope.get("server") or ("", 0))[0] or ""
        if _is_loopback(server) and not self._is_known(_name(f"//{host}")):
            return "this host name is not served here"
        origin = headers.get(b"origin", "")
        is_writing = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if (
            origin
            and is_writing
            and urlsplit(origin).netloc.lower() != host.lower()
            and _name(origin) not in self._hosts
        ):
            return "requests from pages of another origin are refused"
        return ""

    def _is_known(self, name: str) -> bool:
        return name == "localhost" or name.endswith(".localhost") or _is_loopback(name) or name in self._hosts


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


async def _refuse(send: Any, refusal: str) -> None:
    body = f'{{"error": "{refusal}"}}'.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
