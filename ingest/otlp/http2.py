"""One HTTP/2 connection of a sender, over the state machine of the `h2` library: calls come in whole, answers go out.

h2 reads and writes frames, checks them, keeps the windows and answers pings. Here is what it leaves to its user: what a stream
becomes, what a peer may cost us, and how a connection ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from h2 import events
from h2.config import H2Configuration
from h2.connection import ConnectionState, H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import DataFrame, GoAwayFrame

if TYPE_CHECKING:
    from actorscope.ingest.otlp.listener import Listener

log = logging.getLogger(__name__)
Headers = list[tuple[bytes, bytes]]
HEADER_BYTES = 2**14
"""Headers of a call may have so many bytes, 32 for each of them included; memory is set aside for them."""
_FRAME = 2**17
"""Largest frame that a peer may send: fewer frames cost less, and as much may wait for its end in every connection."""
_READ = 2**18
"""The most that asyncio reads at once; what follows a whole frame in it may already be part of the next."""
_SETTINGS = {
    SettingCodes.MAX_CONCURRENT_STREAMS: 256,
    SettingCodes.INITIAL_WINDOW_SIZE: 2**22,
    SettingCodes.MAX_FRAME_SIZE: _FRAME,
    SettingCodes.MAX_HEADER_LIST_SIZE: HEADER_BYTES,
    SettingCodes.ENABLE_CONNECT_PROTOCOL: 0,
}
_WINDOW = 2**24
# What h2 would check of headers ends the whole connection for one odd call; calls look at the few that they read themselves.
_CONFIG = H2Configuration(
    client_side=False, header_encoding=None, validate_inbound_headers=False,
    validate_outbound_headers=False, normalize_outbound_headers=False,
)  # fmt: skip
_QUIET_SECONDS, _PATIENCE_SECONDS = 60.0, 20.0
"""A connection that said nothing for so long is asked whether it lives, and has so long to answer."""
_STUCK_SECONDS = 60.0
"""A call of which nothing came, or whose answer nothing was taken of, for so long is given up."""
_LINGER_SECONDS = 10.0
_MOST_RESETS = 1000
"""Calls that a peer may give up between two looks at its connection; more is an attack (CVE-2023-44487)."""


@dataclass(frozen=True)
class Answer:
    """What is sent back: headers alone, or headers, data and trailers."""

    headers: Headers
    data: bytes = b""
    trailers: Headers | None = None


class AnsweredError(Exception):
    """A call is answered before all of it was read."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class Call(Protocol):
    """One request: gathered on the loop, then run in a thread."""

    def add(self, data: bytes) -> None:
        """Take the next bytes of the body. Raises AnsweredError, after which nothing more is asked of it."""

    def run(self) -> Answer:
        """The answer to a request that is here whole."""

    def lost(self) -> None:
        """It will not be run: the sender or the time to do it has gone."""


class _Stream:
    """A call and how far it is."""

    __slots__ = ("call", "touched", "work", "data", "trailers")

    def __init__(self, call: Call) -> None:
        self.call, self.touched = call, time.monotonic()
        self.work: Future[None] | None = None
        self.data: memoryview | None = None  # of an answer that waits for room in the peer's window
        self.trailers: Headers = []

    def lose(self) -> None:
        """Nobody waits for the answer; what runs already is not stopped."""
        if self.work is None or self.work.cancel():
            self.call.lost()


class _Machine(H2Connection):
    """Remembers the ends of a thousand streams: h2's own 65,536 take 6 MB in each connection."""

    MAX_CLOSED_STREAMS = 1024
    frames = 0
    """Whole frames that came; headers spread over many are one."""

    def _receive_frame(self, frame: Any) -> list[events.Event]:
        """Of every frame h2 makes a text for a log that it does not write; for those with data that is a third of its time."""
        self.frames += 1
        if not isinstance(frame, DataFrame):
            return super()._receive_frame(frame)
        answers, found = self._receive_data_frame(frame)
        self._prepare_for_sending(answers)
        return found

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> Any:
        """For h2 all ends with a goodbye; a client that says it still waits for the answers to what it sent (RFC 9113, 6.8)."""
        found = super()._receive_goaway_frame(frame)
        self.state_machine.state = ConnectionState.SERVER_OPEN
        return found


class Connection(asyncio.Protocol):
    """All methods are called on the loop of the listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._h2 = _Machine(_CONFIG)
        self._streams: dict[int, _Stream] = {}
        self._unfinished = listener.budget.hold()
        self._resets = 0
        self._heard, self._asked, self._closed = time.monotonic(), 0.0, 0.0
        self._is_draining = False
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if not self._listener.joined(self):
            self._closed = self._heard
            self._transport.abort()
            return
        self._h2.local_settings = Settings(client=False, initial_values=_SETTINGS)
        self._h2.max_inbound_frame_size = _FRAME
        self._h2.decoder.max_header_list_size = HEADER_BYTES
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_WINDOW)
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        self._heard, self._asked = time.monotonic(), 0.0
        try:
            before = self._h2.frames
            found = self._h2.receive_data(data)
            self._hold_unfinished(len(data), self._h2.frames > before)
            for event in found:
                if take := _TAKE.get(type(event)):
                    take(self, event)
        except ProtocolError as error:
            log.debug("an HTTP/2 connection is ended: %s", error)
            self._close()
        except Exception:  # whatever it is, only this connection ends
            log.exception("unexpected error in an HTTP/2 connection")
            self._close()
        self.flush()

    def _hold_unfinished(self, size: int, is_moving: bool) -> None:
        """Count bytes that h2 keeps until their frame, or the headers spread over many, is whole; no more than one frame."""
        if is_moving:
            self._unfinished.release()
            return
        self._unfinished.count(size)
        if self._unfinished.size > _FRAME + _READ:
            self._calm()

    def _requested(self, event: Any) -> None:
        number, is_whole = event.stream_id, event.stream_ended is not None
        if self._is_draining:
            self._reset(number, ErrorCodes.REFUSED_STREAM)
            return
        try:
            self._streams[number] = _Stream(self._listener.open(dict(event.headers)))
        except AnsweredError as early:
            self._say_early(number, early.answer, is_whole)

    def _got(self, event: Any) -> None:
        number = event.stream_id
        self._h2.acknowledge_received_data(event.flow_controlled_length, number)
        stream = self._streams.get(number)
        if stream is None:
            return
        stream.touched = self._heard
        try:
            stream.call.add(event.data)
        except AnsweredError as early:
            del self._streams[number]
            self._say_early(number, early.answer, event.stream_ended is not None)

    def _whole(self, event: Any) -> None:
        if stream := self._streams.get(event.stream_id):
            stream.work = self._listener.run(self, event.stream_id, stream.call)

    def _given_up(self, event: Any) -> None:
        self._resets += event.remote_reset
        if stream := self._streams.pop(event.stream_id, None):
            stream.lose()
        if self._resets > _MOST_RESETS:
            self._calm()

    def _window_grew(self, _: Any) -> None:
        for number, stream in [*self._streams.items()]:
            if stream.data is not None:
                self._push(number, stream)

    def _left(self, _: Any) -> None:
        self._is_draining = True

    def answer(self, number: int, answer: Answer) -> None:
        """Say what a thread found; written with the next `flush`. Nobody may be there to hear it."""
        if number in self._streams:
            self._say(number, answer)

    def flush(self) -> None:
        """Write what was said."""
        if self._is_draining and not self._streams:
            self._close()
        self._flush()

    def _say_early(self, number: int, answer: Answer, is_whole: bool) -> None:
        self._say(number, answer)
        if not is_whole:
            self._reset(number, ErrorCodes.NO_ERROR)  # what is still to come is not wanted (RFC 9113, section 8.1)

    def _say(self, number: int, answer: Answer) -> None:
        try:
            self._h2.send_headers(number, answer.headers, end_stream=answer.trailers is None)
        except ProtocolError:  # the peer gave it up in the bytes that h2 has read already
            self._streams.pop(number, None)
            return
        if answer.trailers is None:
            self._streams.pop(number, None)
        elif stream := self._streams.get(number):
            stream.data, stream.trailers = memoryview(answer.data), answer.trailers
            self._push(number, stream)

    def _push(self, number: int, stream: _Stream) -> None:
        """As much of an answer as the peer has room for."""
        assert stream.data is not None
        try:
            while stream.data:
                room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
                if room <= 0:
                    return
                self._h2.send_data(number, bytes(stream.data[:room]))
                stream.data, stream.touched = stream.data[room:], self._heard
            self._h2.send_headers(number, stream.trailers, end_stream=True)
        except ProtocolError:
            pass
        self._streams.pop(number, None)

    def _reset(self, number: int, code: ErrorCodes) -> None:
        try:
            self._h2.reset_stream(number, code)
        except ProtocolError:
            pass

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._transport.write(data)
        if self._closed:
            self._transport.close()

    def pause_writing(self) -> None:
        """A peer that does not read what it asked for is not read either."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        if not self._closed:
            self._transport.resume_reading()

    def look(self, now: float) -> None:
        """Called every few seconds: ends what does not move."""
        self._resets = 0
        if self._closed:
            if now - self._closed > _LINGER_SECONDS:
                self._transport.abort()
            return
        for number, stream in [*self._streams.items()]:
            if (stream.work is None or stream.data is not None) and now - stream.touched > _STUCK_SECONDS:
                del self._streams[number]
                stream.lose()
                self._reset(number, ErrorCodes.CANCEL)
        if self._asked and now - self._asked > _PATIENCE_SECONDS:
            self._transport.abort()
            return
        if not self._asked and now - self._heard > _QUIET_SECONDS:
            self._asked = now
            self._h2.ping(b"are you?")
        self._flush()

    def drain(self) -> None:
        """Take no new call; the connection ends with the last one. Calls the peer has opened meanwhile may be sent again."""
        if self._closed or self._is_draining:
            return
        self._is_draining = True
        # h2 says nothing more once it has said goodbye itself, so that this frame is written past it.
        self._transport.write(GoAwayFrame(0, last_stream_id=self._h2.highest_inbound_stream_id).serialize())
        self.flush()

    def finish(self, answer: Answer) -> None:
        """Give `answer` to every call that has none, and end."""
        for number, stream in [*self._streams.items()]:
            stream.lose()
            if stream.data is None:
                self._say_early(number, answer, stream.work is not None)
        self._close()
        self._flush()

    def abort(self) -> None:
        """End at once, whatever is unsaid."""
        self._transport.abort()

    def _calm(self) -> None:
        self._close(ErrorCodes.ENHANCE_YOUR_CALM)

    def _close(self, code: ErrorCodes | None = None) -> None:
        if self._closed:
            return
        self._closed = time.monotonic()
        if code is not None:
            self._h2.close_connection(code)
        self._lose_all()

    def _lose_all(self) -> None:
        for stream in self._streams.values():
            stream.lose()
        self._streams.clear()
        self._unfinished.release()

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = self._closed or time.monotonic()
        self._lose_all()
        self._listener.parted(self)


_TAKE: dict[type[events.Event], Callable[[Connection, Any], None]] = {
    events.RequestReceived: Connection._requested,
    events.DataReceived: Connection._got,
    events.StreamEnded: Connection._whole,
    events.StreamReset: Connection._given_up,
    events.WindowUpdated: Connection._window_grew,
    events.RemoteSettingsChanged: Connection._window_grew,
    events.ConnectionTerminated: Connection._left,
}
