"""Encryption at the doors: the files of the settings as what servers want."""

from __future__ import annotations

import ssl

from actorscope.errors import DefinitionError, Problem
from actorscope.settings import TlsSettings


def context(settings: TlsSettings, protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext | None:
    """A context of TLS 1.2 or newer; with a client CA it asks for the sender's certificate too. None while TLS is off.

    Raises DefinitionError with one problem per file that cannot be used.
    """
    problems = [
        Problem(f"setting ingest.tls.{name}", "is needed", "set cert_file and key_file together")
        for name, missing in (
            ("key_file", settings.cert_file and not settings.key_file),
            ("cert_file", not settings.cert_file and (settings.key_file or settings.client_ca_file)),
        )
        if missing
    ]
    if problems:
        raise DefinitionError(problems)
    if settings.cert_file is None:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(list(protocols))
    try:
        made.load_cert_chain(settings.cert_file, settings.key_file)
    except (OSError, ssl.SSLError) as error:
        where = "setting ingest.tls"
        problems.append(Problem(where, f"cannot use {settings.cert_file} with {settings.key_file}: {error}"))
    if settings.client_ca_file is not None:
        try:
            made.load_verify_locations(settings.client_ca_file)
            made.verify_mode = ssl.CERT_REQUIRED
        except (OSError, ssl.SSLError) as error:
            problems.append(Problem("setting ingest.tls.client_ca_file", f"cannot use {settings.client_ca_file}: {error}"))
    if problems:
        raise DefinitionError(problems)
    return made

