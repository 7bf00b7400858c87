"""For tests only: run one ClickHouse HTTP statement on chDB, the in-process ClickHouse engine.

Every statement gets its own chDB connection handle to the one path of this process. ``USE`` and ``SET``
are state of a handle, so the database, the settings and the parameters of a request end with it, as they
do on a server. Rules of chDB kept here: never on the main thread, never after a fork.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import chdb

# Comments, quoted things, and the rest of SQL as far as a splitter has to know it.
_TOKEN = re.compile(
    rb"--[^\n]*|/\*.*?\*/|'(?:\\.|''|[^'\\])*'|`(?:\\.|[^`\\])*`|\"(?:\\.|[^\"\\])*\"|\w+|\s+|.", re.DOTALL
)
_INSERT_FORMAT = re.compile(rb"\s+(\w+)[ \t]*(?:\r?\n|\s)?")
_OUTPUT_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)[\s;]*\Z", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)\.")
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")
_ROW_STATEMENTS = frozenset(
    {"SELECT", "WITH", "FROM", "(", "SHOW", "DESC", "DESCRIBE", "EXISTS", "EXPLAIN", "CHECK", "KILL"}
)
_HTTP_STATUS = dict.fromkeys((6, 25, 26, 27, 38, 41, 53, 62, 72, 117), 400)
_HTTP_STATUS |= dict.fromkeys((46, 47, 50, 56, 60, 63, 73, 78, 81, 115), 404)
_HTTP_STATUS |= {48: 501, 159: 408, 192: 403, 193: 403, 194: 401, 516: 403}


class EngineError(Exception):
    """A ClickHouse error: its code, and its text as a server would write it."""

    def __init__(self, code: int, message: str):
        super().__init__(message)
        self.code = code
        self.status = _HTTP_STATUS.get(code, 500)

    @classmethod
    def named(cls, code: int, name: str, text: str) -> EngineError:
        return cls(code, f"Code: {code}. DB::Exception: {text}. ({name})")

    @classmethod
    def of(cls, error: Exception, version: str) -> EngineError:
        text = str(error)
        text = text[max(text.find("Code: "), 0) :].strip()
        while re.match(r"Code: \d+\. DB::Exception: Code: \d+\.", text):
            text = text.split("DB::Exception: ", 1)[1]
        text = re.sub(r"(?: \(version [^)]*\)(?: \([A-Z_]+\))?)+$", "", text)
        found = _CODE.match(text)
        return cls(int(found.group(1)) if found else 1002, f"{text} (version {version} (official build))")


@dataclass
class Statement:
    """One statement; insert_format is set when the data follows the statement in the request body."""

    sql: bytes
    keyword: str
    insert_format: str | None = None
    data: bytes = b""

    @property
    def gives_rows(self) -> bool:
        return self.keyword in _ROW_STATEMENTS

    @property
    def output_format(self) -> str | None:
        found = _OUTPUT_FORMAT.search(self.sql)
        return found.group(1).decode() if found else None


@dataclass
class Outcome:
    body: bytes = b""
    summary: dict[str, str] = field(default_factory=dict)


@dataclass
class Request:
    """What the HTTP side read: everything beside the statement that decides how it runs."""

    database: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    session_id: str | None = None
    default_format: str = "TabSeparated"
    external: list[tuple[str, str, str, bytes]] = field(default_factory=list)  # name, format, structure, data


def split(body: bytes) -> Statement:
    """The statement of a body, and the data behind ``INSERT ... FORMAT x``. A server refuses a second statement."""
    keyword, depth, ended = "", 0, False
    for token in _TOKEN.finditer(body):
        text = token.group()
        if text.isspace() or text.startswith((b"--", b"/*")):
            continue
        if ended and text != b";":
            raise EngineError.named(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
        word = text.upper().decode("latin-1")
        keyword = keyword or word
        ended = ended or (text == b";" and keyword != ";")
        if keyword != "INSERT":
            continue
        depth += (text == b"(") - (text == b")")
        if depth == 0 and word == "FORMAT" and (named := _INSERT_FORMAT.match(body, token.end())):
            return Statement(body[: token.start()], keyword, named.group(1).decode(), body[named.end() :])
        if depth == 0 and word in ("VALUES", "SELECT", "WITH"):
            break
    if not keyword or keyword == ";":
        raise EngineError.named(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    return Statement(body, keyword)


def _literal(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _name(value: str) -> str:
    return "`" + value.replace("\\", "\\\\").replace("`", "\\`") + "`"


class Engine:
    """The chDB engine of this process, on one path. Open and close it on a thread other than the main one."""

    def __init__(self, path: str):
        self.path = path
        self._keeper = chdb.connect(path)  # while it is open, opening a handle per request is cheap
        self.version, self.timezone = self._keeper.query("SELECT version(), timezone()", "TSV").bytes().decode().split()
        self._sessions: dict[str, list[bytes]] = {}
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def close(self) -> None:
        self._keeper.close()

    def run(self, statement: Statement, request: Request) -> Outcome:
        with self._session(request.session_id) as remembered:
            handle = chdb.connect(self.path)
            try:
                self._prepare(handle, request, remembered)
                outcome = self._execute(handle, statement, request)
            except EngineError:
                raise
            except Exception as error:
                raise EngineError.of(error, self.version) from error
            finally:
                handle.close()
            if statement.keyword in ("SET", "USE"):
                remembered.append(statement.sql)
            return outcome

    @contextmanager
    def _session(self, session_id: str | None) -> Iterator[list[bytes]]:
        """The SET and USE statements of a session so far; a session runs one statement at a time, as on a server."""
        if session_id is None:
            yield []
            return
        with self._lock:
            if session_id in self._busy:
                text = f"Session {session_id} is locked by a concurrent client"
                raise EngineError.named(373, "SESSION_IS_LOCKED", text)
            self._busy.add(session_id)
            remembered = self._sessions.setdefault(session_id, [])
        try:
            yield remembered
        finally:
            with self._lock:
                self._busy.discard(session_id)

    @staticmethod
    def _prepare(handle: Any, request: Request, remembered: list[bytes]) -> None:
        handle.query("SET implicit_select = 0", "Null")  # an ease of clickhouse-local that a server does not have
        for sql in remembered:
            handle.query(sql, "Null")
        if request.database:
            handle.query(f"USE {_name(request.database)}", "Null")
        for name, fmt, structure, data in request.external:
            handle.query(f"CREATE TEMPORARY TABLE {_name(name)} ({structure})", "Null")
            _insert(handle, f"INSERT INTO {_name(name)}", fmt, data)
        changes = {**request.settings, **{f"param_{name}": value for name, value in request.params.items()}}
        for name in changes:
            if not _SETTING_NAME.match(name):
                raise EngineError.named(115, "UNKNOWN_SETTING", f"Unknown setting {name!r}")
        if changes:
            pairs = ", ".join(f"{name} = {_literal(value)}" for name, value in changes.items())
            handle.query(f"SET {pairs}", "Null")

    @staticmethod
    def _execute(handle: Any, statement: Statement, request: Request) -> Outcome:
        if statement.insert_format:
            sql = statement.sql.decode("utf-8", "surrogateescape")
            done = _insert(handle, sql, statement.insert_format, statement.data)
            rows, size = str(done.rows_written), str(done.bytes_written)
            summary = {"read_rows": rows, "read_bytes": size, "written_rows": rows, "written_bytes": size}
            return Outcome(b"", {**summary, "elapsed_ns": str(int(done.elapsed * 1e9))})
        done = handle.query(statement.sql, request.default_format)
        body = (done.bytes() or b"") if statement.gives_rows else b""
        summary = {
            "read_rows": str(done.storage_rows_read()),
            "read_bytes": str(done.storage_bytes_read()),
            "written_rows": str(done.rows_written()),
            "written_bytes": str(done.bytes_written()),
            "result_rows": str(done.rows_read() if statement.gives_rows else done.rows_written()),
            "result_bytes": str(len(body)),
            "elapsed_ns": str(int(done.elapsed() * 1e9)),
        }
        return Outcome(body, summary)


def _insert(handle: Any, sql: str, fmt: str, data: bytes) -> Any:
    with handle.send_insert(sql, fmt) as inserter:
        if data:
            inserter.append(data)
        return inserter.finish()
