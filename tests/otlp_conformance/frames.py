"""A gRPC connection of bare HTTP/2 frames: what well-behaved clients never do can be done with it."""

from __future__ import annotations

import select
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    PingAckReceived,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
)
from h2.settings import SettingCodes


@dataclass
class Heard:
    """What came back on one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = b""
    reset: int | None = None
    is_over: bool = False

    @property
    def code(self) -> int:
        """The gRPC status; -1 when the server said none."""
        return int(self.headers.get("grpc-status", "-1"))


def message(body: bytes, is_compressed: bool = False) -> bytes:
    """A gRPC message with its five bytes before it."""
    return struct.pack(">BI", is_compressed, len(body)) + body


class Frames:
    """One connection; calls are opened, fed in pieces, reset, and heard."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._socket = socket.create_connection((host.strip("[]"), int(port)), timeout=20)
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8", validate_outbound_headers=False))
        self._h2.initiate_connection()
        self._target = target
        self._streams: dict[int, Heard] = {}
        self.pings = 0
        self.ended = ""
        self._goodbye: int | None = None
        self._flush()

    def __enter__(self) -> Frames:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def open(self, path: str, **headers: str) -> int:
        """Begin a call; returns its number."""
        return self.begin([
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", self._target),
            ("te", "trailers"), ("content-type", "application/grpc"),
            *((name.replace("_", "-"), value) for name, value in headers.items()),
        ])  # fmt: skip

    def begin(self, headers: list[tuple[str, str]]) -> int:
        """Begin a request with headers of any kind."""
        number = self._h2.get_next_available_stream_id()
        self._h2.send_headers(number, headers)
        self._streams[number] = Heard()
        self._flush()
        return number

    def send(self, number: int, data: bytes, ends: bool = True) -> None:
        """Send bytes of a call, as fast as the server takes them; what it answers early ends the sending."""
        while data and not self._streams[number].is_over:
            room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size, len(data))
            if room <= 0:
                self._listen()
                continue
            self._h2.send_data(number, data[:room])
            data = data[room:]
            self._flush()
        if ends and not self._streams[number].is_over:
            self._h2.end_stream(number)
            self._flush()

    def reset(self, number: int) -> None:
        """Give a call up, as a cancelled client does."""
        self._h2.reset_stream(number, 8)
        self._flush()

    def heard(self, number: int) -> Heard:
        """Wait for the end of a call."""
        while not self._streams[number].is_over and not self.ended:
            self._listen()
        return self._streams[number]

    def raw(self, data: bytes) -> None:
        """Send bytes that h2 would not."""
        self._socket.sendall(data)

    def settle(self, initial_window: int) -> None:
        """Let the server send so many bytes of an answer at once."""
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: initial_window})
        self.ping()

    def goodbye(self) -> int | None:
        """The code of the server's GOAWAY, once it came."""
        if self._goodbye is None:
            self.listen_for(0.05)
        return self._goodbye

    def listen_for(self, seconds: float) -> None:
        """Take, and answer as h2 does, what comes meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.ended:
            if select.select([self._socket], [], [], left)[0]:
                self._listen()

    def close(self) -> None:
        self._socket.close()

    def ping(self) -> None:
        """Ask whether the server lives, and wait for it to say so."""
        before = self.pings
        self._h2.ping(b"are you?")
        self._flush()
        while self.pings == before and not self.ended:
            self._listen()

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._socket.sendall(data)

    def _listen(self) -> None:
        data = self._socket.recv(2**16)
        if not data:
            self.ended = self.ended or "closed"
            for stream in self._streams.values():
                stream.is_over = True
            return
        for event in self._h2.receive_data(data):
            self._take(event)
        self._flush()

    def _take(self, event: Any) -> None:
        if isinstance(event, PingAckReceived):
            self.pings += 1
        elif isinstance(event, ConnectionTerminated):
            self._goodbye = int(event.error_code)
            if event.error_code:
                self.ended = (event.additional_data or b"goaway").decode()
            else:  # calls under way go on, for which h2 would have no ear
                self._h2.state_machine.state = ConnectionState.CLIENT_OPEN
        elif (stream := self._streams.get(getattr(event, "stream_id", None) or 0)) is None:
            return
        elif isinstance(event, ResponseReceived | TrailersReceived):
            stream.headers |= dict(event.headers)
        elif isinstance(event, DataReceived):
            stream.data += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded | StreamReset):
            stream.is_over = True
            stream.reset = event.error_code if isinstance(event, StreamReset) else stream.reset
