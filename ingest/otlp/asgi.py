"""An ASGI application on a port of its own, run by uvicorn on a thread of its own."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Any

import uvicorn


def bind(host: str, port: int, name: str) -> socket.socket:
    """A socket at an address of IPv4 or IPv6. Raises OSError with words when it cannot be had."""
    # asyncio sends small answers without waiting (TCP_NODELAY) only where a socket says that it is of TCP.
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise OSError(f"cannot listen on {host}:{port} for {name}: {error.strerror or error}") from error
    return made


class AsgiServer:
    """Binds at once (OSError when the port is taken), serves from `start` to `stop`."""

    def __init__(self, app: Any, host: str, port: int, name: str, tls: ssl.SSLContext | None = None) -> None:
        self._socket = bind(host, port, name)
        self.port = int(self._socket.getsockname()[1])
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=5,
            ws="websockets-sansio",
            lifespan="on",
            ssl_context_factory=(lambda config, default: tls) if tls else None,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name=name)

    def start(self, timeout_seconds: float = 30.0) -> None:
        """Returns when requests are answered. Raises OSError when that does not happen in time."""
        self._thread.start()
        end = time.monotonic() + timeout_seconds
        while not self._server.started:
            if time.monotonic() > end or not self._thread.is_alive():
                raise OSError(f"{self._thread.name} did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """Take no new request, let those in flight finish for 5 seconds."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()
