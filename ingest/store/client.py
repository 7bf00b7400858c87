"""The one door to the database: chDB inside this process or a ClickHouse server, behind the same few verbs.

chDB rules that this module keeps: a client per thread, and nothing that forks (see docs/adr/0002).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import polars as pl
import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError

from actorscope.errors import PermanentError, TransientError

_T = TypeVar("_T")
# ClickHouse error codes that a later try may not meet: files and disks (74 to 77, 88, 172, 243, 425, 1000, 1001), timeouts,
# memory, too many parts or queries, no connection.
_TRANSIENT_CODES = frozenset(
    "74 75 76 77 88 159 160 172 202 209 210 241 242 243 252 319 425 999 1000 1001".split()
)
# A server that takes longer hangs: an insert is then tried again, with its token.
_SERVER_OPTIONS = {"autogenerate_session_id": False, "query_retries": 0, "send_receive_timeout": 90}
_CODE = re.compile(r"[Cc]ode: (\d+)")
# The same rows meet this error of code 252 on every try. The limit suits a replay of years, day by day.
_TOO_MANY_DAYS = "max_partitions_per_insert_block"
_MOST_DAYS = 1000
# Spans and what is made of them are parted by the day of the span: all versions of a row are in one partition.
_READING = {"do_not_merge_across_partitions_select_final": 1}
_ESCAPED = re.compile(r"[\\'`\t\n]")


def in_worker(function: Callable[[], _T]) -> _T:
    """Run `function` on a thread of its own and wait; chDB must not run queries on the main thread."""
    with ThreadPoolExecutor(1, thread_name_prefix="store") as pool:
        return pool.submit(function).result()


@cache
def query_text(name: str) -> str:
    """The text of `queries/<name>.sql`."""
    return files("actorscope.ingest.store").joinpath("queries", f"{name}.sql").read_text()


@dataclass(frozen=True)
class _Spelled:
    """A parameter as it is written for the server."""

    text: str

    def __str__(self) -> str:
        return self.text


def _spelled(value: Any) -> Any:
    """A list of texts without a letter to escape, written out: the driver would look at each letter by itself."""
    is_plain = isinstance(value, list) and value and isinstance(value[0], str) and not _ESCAPED.search("".join(value))
    return _Spelled("['" + "', '".join(value) + "']") if is_plain else value


class Store:
    """A database named by its URL, `chdb:///path` or `http(s)://user:pass@host:8123/db`.

    Safe to use from several threads. Errors are TransientError (worth another try) or PermanentError.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_embedded = url.startswith("chdb:")
        self._local = threading.local()
        self._clients: list[Any] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Store({self.safe_url})"

    @property
    def safe_url(self) -> str:
        """The URL without its password."""
        return re.sub(r"//[^/@]*@", "//", self.url)

    def create_database(self) -> None:
        """Make the database of a server URL; chDB needs none."""
        name = urlsplit(self.url).path.strip("/")
        if self.is_embedded or not name:
            return
        root = urlunsplit(urlsplit(self.url)._replace(path=""))
        self._guard(f"create database {name}", lambda: clickhouse_connect.get_client(dsn=root).command(
            f"CREATE DATABASE IF NOT EXISTS `{name.replace('`', '')}`"
        ))  # fmt: skip

    def insert(self, table: str, rows: pa.Table, token: str = "") -> None:
        """Append `rows`; a non-empty token makes a repetition of the same rows have no effect, rollups included.

        Columns that `rows` lacks get their default. Copies of a row in one such batch are left to FINAL and to merges:
        to look for them at once costs CPU and finds next to none.
        """
        settings: dict[str, Any] = {_TOO_MANY_DAYS: _MOST_DAYS}
        if token:
            settings |= {
                "insert_deduplication_token": token,
                "deduplicate_blocks_in_dependent_materialized_views": 1,
                "optimize_on_insert": 0,
            }
        self._guard(
            f"insert {rows.num_rows} rows into {table}",
            lambda: self._client().insert_arrow(table, rows, settings=settings),
        )

    def insert_frame(self, table: str, rows: pl.DataFrame, token: str = "") -> None:
        """Append the rows of a Polars frame, as `insert`."""
        if rows.height:
            self.insert(table, rows.to_arrow(), token)

    def frame(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> pl.DataFrame:
        """The result of a query as Polars; parameters are bound by the server as `{name:Type}`."""
        return pl.DataFrame(pl.from_arrow(self.arrow(sql, parameters, settings)))

    def arrow(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: dict[str, Any] | None = None
    ) -> pa.Table:
        """The result of a query as an Arrow table."""
        spelled = {name: _spelled(value) for name, value in (parameters or {}).items()}
        return self._guard(
            "query",
            lambda: self._client().query_arrow(sql, parameters=spelled, settings={**_READING, **(settings or {})}, use_strings=True),
        )

    def text(self, sql: str) -> str:
        """The result of a statement such as EXPLAIN as plain text."""
        result = self._guard("explain", lambda: self._client().command(sql))
        return "\n".join(result) if isinstance(result, list | tuple) else str(result)

    def named(self, name: str, /, **parameters: Any) -> pl.DataFrame:
        """The result of `queries/<name>.sql`."""
        return self.frame(query_text(name), parameters)

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> None:
        """Run a statement that returns nothing."""
        self._guard("run a statement", lambda: self._client().command(sql, parameters=parameters))

    def close(self) -> None:
        """Close the clients of every thread; the threads must have stopped using them."""
        with self._lock:
            clients, self._clients = self._clients, []
        for client in clients:
            client.close()
        self._local = threading.local()

    def _client(self) -> Any:
        client = getattr(self._local, "client", None)
        if client is None:
            options: dict[str, Any] = {} if self.is_embedded else {**_SERVER_OPTIONS}
            client = clickhouse_connect.get_client(dsn=self.url, **options)
            self._local.client = client
            with self._lock:
                self._clients.append(client)
        return client

    def _guard(self, doing: str, action: Callable[[], _T]) -> _T:
        try:
            return action()
        except OperationalError as error:
            raise TransientError(f"store {self.safe_url} did not answer to: {doing}: {error}") from error
        except DatabaseError as error:
            text = str(error)
            may_pass = bool(_TRANSIENT_CODES & set(_CODE.findall(text))) and _TOO_MANY_DAYS not in text
            raise (TransientError if may_pass else PermanentError)(f"store refused to {doing}: {text}") from error
        except (ClickHouseError, OSError) as error:
            raise TransientError(f"store {self.safe_url} failed to {doing}: {error}") from error
