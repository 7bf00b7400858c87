"""What of a request may be written: too much is cut, what must not be kept is redacted, content may become fingerprints.

A request that needs none of this is passed on as the bytes that came. One that does is taken apart as protobuf objects,
changed and put together again, before anything of it reaches a disk.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actorscope.errors import DefinitionError, Problem
from actorscope.ingest.decode import Limits
from actorscope.ingest.decode_python import holders, parse, text_of
from actorscope.ingest.mask import Mask, is_content, is_content_body, load_key
from actorscope.ingest.prints import Prints
from actorscope.ingest.redact import REDACTED, Redactor
from actorscope.semconv.generated import attributes
from actorscope.settings import IngestSettings, LimitSettings

CUT_KEY = attributes.ACTORSCOPE_INTAKE_CUT_KEYS
"""On what was cut: the keys of which something is missing, at most _NAMED of them."""
_NAMED = 20


@dataclass
class Changes:
    """What was done to one request, by kind."""

    attributes_cut: int = 0
    attributes_dropped: int = 0
    values_redacted: int = 0
    contents_masked: int = 0

    @property
    def message(self) -> str:
        """What the sender should know: what was cut against its will. What the operator hides is nobody's surprise."""
        parts = []
        if self.attributes_cut:
            parts.append(f"{self.attributes_cut} values cut to the longest allowed")
        if self.attributes_dropped:
            parts.append(f"{self.attributes_dropped} attributes dropped, over the most allowed")
        return "; ".join(parts)


@dataclass
class _Work:
    """One request being changed: texts wait until all are known, so that patterns run once over all of them."""

    changes: Changes
    texts: list[tuple[Any, str, str, list[str]]] = field(default_factory=list)
    cuts: list[tuple[Any, list[str]]] = field(default_factory=list)


class Policy:
    """The rules of one ingester; `mask` is None where content is kept."""

    def __init__(self, limits: LimitSettings, redactor: Redactor | None = None, mask: Mask | None = None) -> None:
        self.limits = Limits(limits.max_attributes, limits.max_value_kib * 1024)
        self._redactor, self._mask = redactor or Redactor((), ()), mask

    def concerns(self, is_over: bool) -> bool:
        """Whether a request must be changed; `is_over` says that something in it is over the limits."""
        return is_over or self._mask is not None or not self._redactor.is_idle

    def apply(self, signal: str, body: bytes) -> tuple[bytes, Changes]:
        """The request as it may be written, and what was done to it. `body` must have passed `inspect`."""
        request = parse(signal, body)
        work = _Work(Changes())
        for holder in holders(signal, request):
            cut: list[str] = []
            self._attributes(work, holder, cut)
            self._plain_texts(work, holder)
            if hasattr(holder, "body"):
                self._body(work, holder, cut)
            work.cuts.append((holder, cut))
        self._clean(work)
        for holder, cut in work.cuts:
            if cut:
                names = holder.attributes.add(key=CUT_KEY).value.array_value.values
                for key in list(dict.fromkeys(cut))[:_NAMED]:
                    names.add(string_value=key)
        return bytes(request.SerializeToString()), work.changes

    def _attributes(self, work: _Work, holder: Any, cut: list[str]) -> None:
        over = len(holder.attributes) - self.limits.attributes
        if over > 0:
            cut += [pair.key for pair in holder.attributes[self.limits.attributes : self.limits.attributes + _NAMED]]
            del holder.attributes[self.limits.attributes :]
            holder.dropped_attributes_count = min(holder.dropped_attributes_count + over, 2**32 - 1)
            work.changes.attributes_dropped += over
        prints = Prints(self._mask) if self._mask and _has_content(holder) else None
        for pair in holder.attributes:
            if self._redactor.hides(pair.key):
                pair.value.string_value = REDACTED
                work.changes.values_redacted += 1
            else:
                if self._mask is not None and is_content(pair.key):
                    if prints is not None:
                        prints.read(pair.key, pair.value)
                    work.changes.contents_masked += _masked(self._mask, pair.key, pair.value)
                self._collect(work, pair.key, pair.value, cut)
        if prints is not None:
            prints.write(holder)

    def _plain_texts(self, work: _Work, holder: Any) -> None:
        """Texts that are no attributes: names and messages."""
        for message, name in _texts(holder):
            work.texts.append((message, name, "", []))

    def _body(self, work: _Work, record: Any, cut: list[str]) -> None:
        if self._mask is not None and is_content_body(_event_name(record)) and record.body.WhichOneof("value"):
            work.changes.contents_masked += _masked(self._mask, "body", record.body)
        self._collect(work, "body", record.body, cut)

    def _collect(self, work: _Work, key: str, value: Any, cut: list[str]) -> None:
        """Note the texts inside an AnyValue; bytes that are too long are cut at once."""
        kind = value.WhichOneof("value")
        if kind == "string_value":
            work.texts.append((value, kind, key, cut))
        elif kind == "bytes_value" and len(value.bytes_value) > self.limits.value_bytes:
            value.bytes_value = value.bytes_value[: self.limits.value_bytes]
            work.changes.attributes_cut += 1
            cut.append(key)
        elif kind == "array_value":
            for item in value.array_value.values:
                self._collect(work, key, item, cut)
        elif kind == "kvlist_value":
            for pair in value.kvlist_value.values:
                self._collect(work, key, pair.value, cut)

    def _clean(self, work: _Work) -> None:
        before = [getattr(message, name) for message, name, _, _ in work.texts]
        after = self._redactor.clean(before)
        for (message, name, key, cut), old, new in zip(work.texts, before, after, strict=True):
            work.changes.values_redacted += new != old
            if key and len(new) * 4 > self.limits.value_bytes and len(raw := new.encode()) > self.limits.value_bytes:
                new = raw[: self.limits.value_bytes].decode(errors="ignore")
                work.changes.attributes_cut += 1
                cut.append(key)
            if new != old:
                setattr(message, name, new)


def _texts(holder: Any) -> Iterator[tuple[Any, str]]:
    kind = holder.DESCRIPTOR.name
    if kind in ("Span", "Event"):
        yield holder, "name"
    if kind == "Span" and holder.HasField("status"):
        yield holder.status, "message"


def _has_content(holder: Any) -> bool:
    """Whether it is a record with its content; what fingerprints name was written where they were made."""
    is_record = holder.DESCRIPTOR.name in ("Span", "LogRecord")
    return is_record and all(pair.key != attributes.ACTORSCOPE_EDGE_CONTENT for pair in holder.attributes)


def _event_name(record: Any) -> str:
    named = (pair.value.string_value for pair in record.attributes if pair.key == "event.name")
    return str(record.event_name or next(named, ""))


def _masked(mask: Mask, key: str, value: Any) -> bool:
    """Mask an AnyValue in place; structured values become JSON text, as they are kept as such anyway."""
    kind = value.WhichOneof("value")
    if kind in (None, "bool_value"):
        return False
    if kind == "bytes_value":
        value.string_value = mask.fingerprint(b64encode(value.bytes_value).decode())
        return True
    old = text_of(value)
    new = mask.number(key, old) if kind in ("int_value", "double_value") else mask.text(key, old)
    if new != old or kind in ("array_value", "kvlist_value"):
        value.string_value = new
    return new != old


def policy_of(settings: IngestSettings, data: Path) -> Policy:
    """The policy that these settings ask for; the key of fingerprints lies in `data` unless they name another place.

    Raises DefinitionError on a pattern that is none and on a key that cannot be read.
    """
    privacy = settings.privacy
    redactor = Redactor(privacy.redact_keys, privacy.redact_patterns, privacy.redact_presets)
    if privacy.capture_content:
        return Policy(settings.limits, redactor)
    path = _key_file(settings, data)
    try:
        return Policy(settings.limits, redactor, Mask(load_key(path)))
    except (OSError, ValueError) as error:
        where = "setting ingest.privacy.fingerprint_key_file"
        raise DefinitionError([Problem(where, f"cannot read the key in {path}: {error}", "hex digits")]) from error


def fingerprint_of(settings: IngestSettings, data: Path) -> Callable[[str], str] | None:
    """How ingesters that share this key write fingerprints; None where no key is at hand."""
    path = _key_file(settings, data)
    try:
        return Mask(load_key(path)).fingerprint if path.exists() else None
    except (OSError, ValueError):
        return None


def _key_file(settings: IngestSettings, data: Path) -> Path:
    return settings.privacy.fingerprint_key_file or data / "fingerprint.key"
