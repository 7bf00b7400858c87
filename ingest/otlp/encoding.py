"""Compressions of OTLP bodies at both doors; never more than the allowed size is produced, whatever the bytes promise."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable

import cramjam
import zstandard

from actorscope.errors import TooLargeError
from actorscope.ingest.decode import UndecodableError

_WINDOW = 2**26
"""Largest zstd window in bytes: how much memory a stranger may ask for before a single byte is produced."""


def decompress(encoding: str, data: bytes, limit: int) -> bytes:
    """The plain body. Raises TooLargeError above `limit` bytes and UndecodableError for damaged data; `encoding` is one of
    ENCODINGS.
    """
    if not data:
        return b""
    try:
        plain = _DECODERS[encoding](data, limit + 1)
    except (zlib.error, zstandard.ZstdError, cramjam.DecompressionError, EOFError) as error:
        raise UndecodableError(f"cannot decompress the body as {encoding}: {error}") from error
    if len(plain) > limit:
        raise TooLargeError(f"request is over the limit of {limit} bytes after decompression")
    return plain


def _gzip(data: bytes, most: int) -> bytes:
    """Gzip members one after the other (RFC 1952, section 2.2)."""
    parts = []
    while data and most > 0:
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(data, most))
        most -= len(parts[-1])
        if not member.eof and most > 0:
            raise EOFError("it ends too early")
        data = member.unused_data
    return b"".join(parts)


def _deflate(data: bytes, most: int) -> bytes:
    """The zlib format (RFC 9110, section 8.4.1.2), or bare deflate, which some clients send under this name."""
    try:
        return _inflate(data, most, zlib.MAX_WBITS)
    except zlib.error:
        return _inflate(data, most, -zlib.MAX_WBITS)


def _inflate(data: bytes, most: int, bits: int) -> bytes:
    stream = zlib.decompressobj(wbits=bits)
    plain = stream.decompress(data, most)
    if not stream.eof and len(plain) < most:
        raise EOFError("it ends too early")
    return plain


def _zstd(data: bytes, most: int) -> bytes:
    reader = zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(io.BytesIO(data), read_across_frames=True)
    plain = reader.read(most)
    is_whole = zstandard.frame_content_size(data) == len(plain)  # one frame that says its size, as most senders make
    if len(plain) < most and not is_whole and not _is_whole(data):
        raise EOFError("it ends too early")
    return plain


def _is_whole(data: bytes) -> bool:
    """Whether zstd data ends where a frame ends: the reader takes the end of the data for the end of the stream."""
    while data:
        frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        frame.decompress(data)
        if not frame.eof:
            return False
        data = frame.unused_data
    return True


def _snappy(data: bytes, most: int) -> bytes:
    """The framing format; what its chunks promise is added up before one of them is unpacked."""
    size = at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 1 : at + 4], "little")
        size += _chunk_size(data[at], data[at + 4 : at + 4 + length])
        at += 4 + length
    if size >= most:
        raise TooLargeError(f"request is over the limit of {most - 1} bytes after decompression")
    return bytes(cramjam.snappy.decompress(data, output_len=size))


def _chunk_size(kind: int, chunk: bytes) -> int:
    """What becomes of a chunk: four bytes of checksum stand before its data, and a varint before what is compressed."""
    if kind == 1:
        return max(0, len(chunk) - 4)
    size = 0
    for place, byte in enumerate(chunk[4:9] if kind == 0 else b""):
        size |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            break
    return size


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "": lambda data, most: data,
    "identity": lambda data, most: data,
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
    "x-snappy-framed": _snappy,
}
ENCODINGS = frozenset(_DECODERS)
ACCEPTED = "gzip, zstd, deflate, x-snappy-framed, identity"
"""What a sender is told when it used another one."""
