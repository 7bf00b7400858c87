"""For tests only: bodies as clickhouse-connect puts them on the wire: chunks, compression, form parts."""

from __future__ import annotations

import email
import email.policy
import zlib
from collections.abc import Callable
from email.message import Message
from typing import Any, BinaryIO

from clickhouse_connect.driver.compression import (
    _lz4_decompressor,
    _zstd_decompressor,
    available_compression,
    get_compressor,
)

_UNPACKERS: dict[str, Callable[[], Any]] = {
    "lz4": _lz4_decompressor,
    "zstd": _zstd_decompressor,
    "gzip": lambda: zlib.decompressobj(wbits=31),
    "deflate": zlib.decompressobj,
}


def read_body(headers: Message, stream: BinaryIO) -> bytes:
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        parts = []
        while size := int(stream.readline().split(b";")[0], 16):
            parts.append(stream.read(size))
            stream.readline()
        while stream.readline().strip():
            pass  # trailers
        data = b"".join(parts)
    else:
        data = stream.read(int(headers.get("Content-Length") or 0))
    encoding = headers.get("Content-Encoding", "identity").lower()
    return data if encoding == "identity" else unpack(data, encoding)


def unpack(data: bytes, encoding: str) -> bytes:
    """Decompress; the client writes each block of an insert as a frame of its own."""
    parts = []
    while data:
        unpacker = _UNPACKERS[encoding]()
        parts.append(unpacker.decompress(data))
        if not unpacker.eof:
            raise ValueError(f"the {encoding} body is cut short")
        data = unpacker.unused_data
    return b"".join(parts)


def pack(body: bytes, accepted: str) -> tuple[bytes, str | None]:
    """Compress with the first accepted encoding that is at hand."""
    names = [each.split(";")[0].strip().lower() for each in accepted.split(",")]
    encoding = next((each for each in names if each in ("lz4", "zstd", "gzip") and each in available_compression), None)
    if encoding is None or not body:
        return body, None
    packer = get_compressor(encoding)
    return bytes(packer.compress_block(body)) + bytes(packer.flush() or b""), encoding


def multipart(content_type: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """The fields and the files of a form."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for part in email.message_from_bytes(head + body, policy=email.policy.HTTP).iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = part.get_payload(decode=True)
        if part.get_filename() is None:
            fields[name] = content.decode()
        else:
            files[name] = content
    return fields, files
