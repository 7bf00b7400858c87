"""Fingerprints of what content names, written beside content that is not kept: who an action acts on can still be traced.

One fingerprint stands for one canonical target under one key; see `ingest/targets.py` and `analysis/origins.py`.
"""

from __future__ import annotations

import re
from typing import Any

from actorscope.ingest.decode_python import text_of
from actorscope.ingest.mask import Mask, content_columns
from actorscope.ingest.targets import instructing, mentions, targets
from actorscope.semconv.generated import attributes

_MOST = 64
TARGETS, MENTIONS = attributes.ACTORSCOPE_ACTION_TARGETS, attributes.ACTORSCOPE_CONTENT_MENTIONS
TARGET = re.compile(r"(?P<kind>\w+):(?P<print>[^:]+:[^:]+)(?P<link>:link)?")
"""One of TARGETS."""
MENTION = r"^\w+:(?<print>[^:]+:[^:]+):(?<words>\d)$"
"""One of MENTIONS, for Polars; `words` as in `targets.instructing`."""


class Prints:
    """What the content of one record names."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._targets: dict[str, None] = {}
        self._mentions: dict[str, int] = {}

    def read(self, key: str, value: Any) -> None:
        """Take in a content attribute as it came."""
        columns, text = content_columns(key), text_of(value)
        if "arguments" in columns:
            for target in targets(text):
                link = ":link" if target.is_link else ""
                self._targets[f"{target.kind}:{self._mask.fingerprint(target.name)}{link}"] = None
        if columns & {"request", "result"}:
            low = text.lower()
            for kind, name in dict.fromkeys(mentions(text)):
                print_ = f"{kind}:{self._mask.fingerprint(name)}"
                self._mentions[print_] = max(self._mentions.get(print_, 0), instructing(low, name) or 0)

    def write(self, holder: Any) -> None:
        """Add what was read as attributes, unless the sender already did."""
        said = {pair.key for pair in holder.attributes}
        for key, values in ((TARGETS, list(self._targets)), (MENTIONS, [f"{p}:{n}" for p, n in self._mentions.items()])):
            if values and key not in said:
                items = holder.attributes.add(key=key).value.array_value.values
                for value in values[:_MOST]:
                    items.add(string_value=value)
