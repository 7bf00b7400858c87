"""OTLP/JSON to the protobuf bytes of the same request, so that all that follows knows one encoding only.

The mapping of protobuf to JSON with OTLP's own rules (specification 1.11, section "JSON Protobuf Encoding"): trace and span ids
are hex, enums are numbers, unknown fields are ignored, keys are lowerCamelCase only.
"""

from __future__ import annotations

import binascii
import json
import math
from base64 import b64decode
from collections.abc import Callable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest, "logs": ExportLogsServiceRequest, "metrics": ExportMetricsServiceRequest
}  # fmt: skip
_IDS = ("trace_id", "span_id", "parent_span_id")
_DEEPEST = 100
"""The nesting at which protobuf parsers give up."""
_Read = Callable[[Any, str, int], Any]
_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_DOUBLES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def to_protobuf(signal: str, body: bytes) -> bytes:
    """The request as protobuf. Raises ValueError that names the place of what is wrong."""
    try:
        document = json.loads(body, parse_constant=_no_constant)
        message = _REQUESTS[signal]()
        _fill(message, document, "request", 0)
        return bytes(message.SerializeToString())
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON; write it as text")


@cache
def _fields(descriptor: Descriptor) -> dict[str, tuple[FieldDescriptor, bool, _Read]]:
    """The fields of a message by their JSON name, whether each is a list, and how its values are read."""
    return {f.json_name: (f, f.is_repeated, _reader(f)) for f in descriptor.fields}


def _fill(message: Any, value: Any, place: str, depth: int) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{place} must be an object")
    if depth > _DEEPEST:
        raise ValueError(f"{place} is nested too deeply")
    known = _fields(message.DESCRIPTOR)
    for key, given in value.items():
        if given is None or key not in known:
            continue
        field, is_list, read = known[key]
        where = f"{place}.{key}"
        if is_list:
            if not isinstance(given, list):
                raise ValueError(f"{where} must be a list")
            items = getattr(message, field.name)
            for index, item in enumerate(given):
                if field.message_type is not None:
                    _fill(items.add(), item, f"{where}[{index}]", depth + 1)
                else:
                    items.append(read(item, where, depth))
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            _fill(inner, given, where, depth + 1)
        else:
            setattr(message, field.name, read(given, where, depth))


def _reader(field: FieldDescriptor) -> _Read:
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _id if field.name in _IDS else _bytes
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _text
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _bool
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return _double
    least, most = _INTEGERS.get(field.cpp_type, (0, 0))

    def integer(value: Any, place: str, depth: int) -> int:
        number = _integer(value, place)
        if not least <= number <= most:
            raise ValueError(f"{place} is out of range")
        return number

    return integer


def _integer(value: Any, place: str) -> int:
    """A number or a text of one; `1.0` and `1e3` are whole as well."""
    if isinstance(value, bool):
        raise ValueError(f"{place} must be a number")
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip() == value and "_" not in value and len(value) <= 40:
        try:
            return int(value) if value.lstrip("+-").isdigit() and value.isascii() else _whole(float(value), place)
        except (ValueError, OverflowError):
            pass
    if isinstance(value, float):
        return _whole(value, place)
    raise ValueError(f"{place} must be a whole number")


def _whole(value: float, place: str) -> int:
    if not value.is_integer():
        raise ValueError(f"{place} must be a whole number")
    return int(value)


def _double(value: Any, place: str, depth: int) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise ValueError(f"{place} is out of range") from None
    if isinstance(value, str):
        try:
            return _DOUBLES[value] if value in _DOUBLES else _plain_double(value)
        except ValueError:
            pass
    raise ValueError(f"{place} must be a number")


def _plain_double(text: str) -> float:
    if not text.isascii() or "_" in text or not text.strip("+-").replace(".", "", 1)[:1].isdigit():
        raise ValueError(text)
    return float(text)


def _bool(value: Any, place: str, depth: int) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{place} must be true or false")
    return value


def _text(value: Any, place: str, depth: int) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{place} must be a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{place} holds half a surrogate pair") from None
    return value


def _id(value: Any, place: str, depth: int) -> bytes:
    """Hex in any case; of a wrong length it stays wrong, so that only its span is rejected."""
    try:
        if value == "" or value.isalnum():  # fromhex would skip spaces
            return bytes.fromhex(value)
    except (ValueError, AttributeError):
        pass
    raise ValueError(f"{place} must be hexadecimal digits")


def _bytes(value: Any, place: str, depth: int) -> bytes:
    try:
        padded = value.translate(_URL_SAFE) + "=" * (-len(value) % 4)
        return b64decode(padded, validate=True)
    except (ValueError, AttributeError, binascii.Error):
        raise ValueError(f"{place} must be base64") from None


_URL_SAFE = str.maketrans("-_", "+/")
