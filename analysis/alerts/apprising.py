"""E-mail and the many others, through Apprise, which opens connections of its own: guarded as far as it lets us.

Only schemes that the settings allow; a server that the URL names must be spoken to encrypted and have a public address (or
be loopback); no redirects; timeouts on connecting and reading, and a deadline around the whole. Unlike our own sender it
looks the name up once more, so that a name which changes its address in between is not caught.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from actorscope.analysis.alerts import guard
from actorscope.analysis.alerts.targets.request import ENDS, facts, kind, lines, severity, word
from actorscope.errors import PermanentError, TransientError
from actorscope.settings import AlertSettings, TargetSettings

_MARKS = re.compile(r"([\\`*_~\[\]()<>#|@])")
_TITLE = 200


async def send(target: TargetSettings, body: str, settings: AlertSettings, resolve: guard.Resolve) -> int:
    """Tell of a notification; returns 200 when it was taken. Raises PermanentError on what must not be used, else TransientError."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    is_late = threading.Event()

    def finish(set_: Any, value: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda: done.done() or set_(value))

    def work() -> None:
        try:
            _notify(target, json.loads(body), settings, resolve, is_late)
            finish(done.set_result, None)
        except Exception as error:
            # What Apprise raises may quote the URL, which holds secrets.
            known = isinstance(error, PermanentError | TransientError)
            finish(done.set_exception, error if known else TransientError(f"apprise: {type(error).__name__}"))

    # A daemon: a connection that hangs must not keep the process from ending.
    threading.Thread(target=work, name=f"apprise-{target.name}", daemon=True).start()
    try:
        await done
    except asyncio.CancelledError:
        # It counts as failed and is tried again: what has not begun by now must not be sent as well.
        is_late.set()
        raise
    return 200


def _notify(
    target: TargetSettings, note: dict[str, Any], settings: AlertSettings, resolve: guard.Resolve, is_late: threading.Event
) -> None:
    import apprise

    # It logs URLs and answers, in which secrets may stand.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    plugin: Any = _plugin(target, settings)
    for host, port in _hosts(plugin, urlsplit(target.address()).scheme):
        _check(host, port, plugin.secure, resolve)
    plugin.redirects = False
    plugin.socket_connect_timeout = plugin.socket_read_timeout = target.timeout_seconds
    title, text = f"{word(note)}: {note['data']['title']}", "\n".join(_lines(note))
    if plugin.notify_format == apprise.NotifyFormat.MARKDOWN:
        title, text = _MARKS.sub(r"\\\1", title), _MARKS.sub(r"\\\1", text)
    what = kind(note)
    mood = apprise.NotifyType.SUCCESS if what in ENDS else (
        apprise.NotifyType.FAILURE if severity(note) in ("high", "critical") else apprise.NotifyType.WARNING
    )  # fmt: skip
    if is_late.is_set():
        raise TransientError("apprise: too late")
    told = plugin.notify(body=text, title=title[:_TITLE], notify_type=mood, body_format=apprise.NotifyFormat.TEXT)
    if not told:
        raise TransientError("apprise: was not taken")


def _plugin(target: TargetSettings, settings: AlertSettings) -> Any:
    import apprise

    try:
        url = target.address()
    except (OSError, UnicodeDecodeError) as error:
        raise TransientError(f"cannot read the file of the URL: {type(error).__name__}") from None
    scheme = urlsplit(url).scheme
    if scheme not in settings.apprise_schemes:
        raise PermanentError(f"apprise: scheme {scheme[:20]!r} is not allowed")
    plugin = apprise.Apprise.instantiate(url)
    if plugin is None:
        raise TransientError("apprise: the URL cannot be read")
    return plugin


def _hosts(plugin: Any, scheme: str) -> list[tuple[str, int]]:
    """The servers that a URL names; a plugin for one service knows its own and takes the host for something else."""
    if scheme.startswith("mail"):
        return [(plugin.smtp_host, plugin.port or 25)]
    is_private = scheme.startswith(("ntfy", "gotify", "matrix", "mmost", "rocket", "json", "xml", "form"))
    return [(plugin.host, plugin.port or 443)] if is_private and plugin.host else []


def _check(host: str, port: int, is_encrypted: bool, resolve: guard.Resolve) -> None:
    """Raises PermanentError where the server must not be used, TransientError where it has no address."""
    if not is_encrypted and not guard.is_loopback(host):
        raise PermanentError(f"apprise: {host} is not loopback and would be spoken to unencrypted")
    try:
        found = [str(ip_address(host.strip("[]")))]
    except ValueError:
        try:
            found = resolve(host, port)
        except OSError:
            found = []
    if not found:
        raise TransientError(f"apprise: {host} has no address")
    for address in map(ip_address, found):
        if not guard.is_public(address) and not (address.is_loopback and guard.is_loopback(host)):
            raise PermanentError(f"apprise: {host} is at {address}, which is not a public address")


def _lines(note: dict[str, Any]) -> list[str]:
    link = note["data"]["permalink"]
    return [*(f"{name}: {value}" for name, value in facts(note)), *lines(note), *([link] if "://" in link else [])]
