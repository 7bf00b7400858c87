"""For tests only: ClickHouse's HTTP interface, as far as clickhouse-connect uses it, in front of chDB.

    python tests/bridge/server.py --path DIR [--port P] [--user u --password p]

prints one line of JSON, {"port": ...}, when it is ready. Faults are set and the log is read on the same port:

    POST /__fault   {"mode": ..., "count": n, "seconds": s, "match": "part of the SQL"}
    GET  /__log     {"executed": n, "failed": n, "faults": n, "fault": ..., "statements": [...]}

Modes: refuse (503, not executed), slow (executed, answered seconds later), hang (not executed, the connection is closed
seconds later without an answer), cut_before_execute and cut_after_execute (not executed and executed, the connection is
closed without an answer), half_answer (executed, the connection is closed in the middle of the answer), error_500 and
error_memory (code 241; both not executed), none.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import sys
import threading
import time
import uuid
from base64 import b64decode
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bridge_engine import Engine, EngineError, Request, Statement, split
from bridge_faults import Faults
from bridge_wire import multipart, pack, read_body

# Parameters of the HTTP interface itself; what is left in the URL is a setting.
TRANSPORT = frozenset(
    "query database default_format session_id session_timeout session_check query_id quota_key user password role "
    "compress decompress buffer_size wait_end_of_query client_protocol_version".split()
)


class Server(ThreadingHTTPServer):
    daemon_threads = False  # chDB wants every thread joined before the process ends
    request_queue_size = 128

    def __init__(self, port: int, engine: Engine, user: str, password: str):
        super().__init__(("127.0.0.1", port), Handler)
        self.engine, self.user, self.password = engine, user, password
        self.faults = Faults()
        self.lock = threading.Lock()
        self.sockets: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.lock:
            self.sockets.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.lock:
            self.sockets.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # a client that went away is no news
            super().handle_error(request, client_address)

    def hear_no_more(self) -> None:
        """Idle connections end; a statement that runs is still answered."""
        with self.lock:
            for each in self.sockets:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RD)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.heads: dict[str, str] = {}
        url = urlsplit(self.path)
        params = dict(parse_qsl(url.query, keep_blank_values=True))
        if url.path == "/__log":
            self.answer(200, json.dumps(self.server.faults.log()).encode())
        elif url.path in ("/ping", "/replicas_status") or "query" not in params:
            self.answer(200, b"Ok.\n")
        else:
            params.setdefault("readonly", "2")  # a server lets GET only read
            self.query(params)

    def do_POST(self) -> None:
        self.heads = {}
        url = urlsplit(self.path)
        if url.path != "/__fault":
            return self.query(dict(parse_qsl(url.query, keep_blank_values=True)))
        try:
            self.server.faults.set(**json.loads(read_body(self.headers, self.rfile)))
            self.answer(200, b"{}")
        except (TypeError, ValueError) as error:
            self.answer(400, str(error).encode())

    def query(self, params: dict[str, str]) -> None:
        query_id = params.get("query_id") or str(uuid.uuid4())
        self.heads = {"X-ClickHouse-Query-Id": query_id, "X-ClickHouse-Timezone": self.server.engine.timezone}
        body = read_body(self.headers, self.rfile)
        try:
            self.check_user(params)
            request, statement = self.read_request(params, body)
        except EngineError as error:
            return self.answer_error(error)
        sql = statement.sql.decode("utf-8", "replace")
        fault, seconds = self.server.faults.take(sql)
        if fault == "refuse":
            return self.answer(503, b"injected fault: refused\n")
        if fault == "error_500":
            return self.answer_error(EngineError.named(1002, "UNKNOWN_EXCEPTION", "injected fault"))
        if fault == "error_memory":
            text = "Memory limit (total) exceeded: injected fault"
            return self.answer_error(EngineError.named(241, "MEMORY_LIMIT_EXCEEDED", text))
        if fault in ("hang", "cut_before_execute"):
            time.sleep(seconds if fault == "hang" else 0)
            return self.cut()
        failed = None
        try:
            outcome = self.server.engine.run(statement, request)
        except EngineError as error:
            failed = error
        self.server.faults.note(sql, query_id, failed.code if failed else 0)
        if fault == "slow":
            time.sleep(seconds)
        if fault == "cut_after_execute":
            self.cut()
        elif fault == "half_answer":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\nX-ClickHouse-Query-Id: half\r\n\r\n" + bytes(100))
            self.cut()
        elif failed:
            self.answer_error(failed)
        else:
            self.heads["X-ClickHouse-Summary"] = json.dumps(outcome.summary)
            if statement.gives_rows:
                self.heads["X-ClickHouse-Format"] = statement.output_format or request.default_format
            self.answer(200, outcome.body, params.get("enable_http_compression") == "1")

    def cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def check_user(self, params: dict[str, str]) -> None:
        user = self.headers.get("X-ClickHouse-User") or params.get("user") or "default"
        password = self.headers.get("X-ClickHouse-Key") or params.get("password") or ""
        kind, _, secret = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            user, _, password = b64decode(secret).decode().partition(":")
        if (user, password) != (self.server.user, self.server.password):
            text = f"{user}: Authentication failed: password is incorrect, or there is no user with such name"
            raise EngineError.named(516, "AUTHENTICATION_FAILED", text)

    def read_request(self, params: dict[str, str], body: bytes) -> tuple[Request, Statement]:
        files: dict[str, bytes] = {}
        if self.headers.get_content_type() == "multipart/form-data":
            fields, files = multipart(self.headers["Content-Type"], body)
            params, body = {**params, **fields}, b""
        request = Request(
            database=params.get("database") or self.headers.get("X-ClickHouse-Database"),
            session_id=params.get("session_id"),
            default_format=params.get("default_format") or self.headers.get("X-ClickHouse-Format") or "TabSeparated",
        )
        meta = [f"{name}_{part}" for name in files for part in ("format", "structure", "types")]
        for name, value in params.items():
            if name.startswith("param_"):
                request.params[name[6:]] = value
            elif name not in TRANSPORT and name not in meta:
                request.settings[name] = value
        for name, data in files.items():
            types = ", ".join(f"_{n} {each}" for n, each in enumerate(params.get(f"{name}_types", "").split(","), 1))
            structure = params.get(f"{name}_structure") or types
            request.external.append((name, params.get(f"{name}_format", "TabSeparated"), structure, data))
        query = params.get("query", "").encode("utf-8", "surrogateescape")
        return request, split(query + b"\n" + body if query and body else query or body)

    def answer_error(self, error: EngineError) -> None:
        self.heads["X-ClickHouse-Exception-Code"] = str(error.code)
        self.answer(error.status, f"{error}\n".encode())

    def answer(self, status: int, body: bytes, compress: bool = False) -> None:
        if compress:
            body, encoding = pack(body, self.headers.get("Accept-Encoding", ""))
            if encoding:
                self.heads["Content-Encoding"] = encoding
        self.send_response(status)
        for name, value in self.heads.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(args: argparse.Namespace, stop: threading.Event) -> None:
    """Everything that touches chDB or the socket; runs beside the main thread."""
    engine = Engine(os.path.realpath(args.path))
    try:
        server = Server(args.port, engine, args.user, args.password)
        accepting = threading.Thread(target=server.serve_forever, args=(0.05,))
        accepting.start()
        print(json.dumps({"port": server.server_address[1]}), flush=True)
        stop.wait()
        server.shutdown()
        accepting.join()
        server.hear_no_more()
        server.server_close()  # joins the threads of the connections
    finally:
        engine.close()
        stop.set()


def wait_for_parent(stop: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    stop.set()


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--path", required=True)
    options.add_argument("--port", type=int, default=0)
    options.add_argument("--user", default="default")
    options.add_argument("--password", default="")
    options.add_argument("--watch-stdin", action="store_true", help="stop when standard input ends")
    args = options.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if args.watch_stdin:
        threading.Thread(target=wait_for_parent, args=(stop,), daemon=True).start()
    serving = threading.Thread(target=serve, args=(args, stop))
    serving.start()
    while serving.is_alive():
        serving.join(0.2)  # in steps, so that signals are seen
    return 0


if __name__ == "__main__":
    sys.exit(main())
