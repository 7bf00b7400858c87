"""What must not be written: attributes by their key, and whatever a pattern matches in any text."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence

import polars as pl

from actorscope.errors import DefinitionError, Problem

REDACTED = "[redacted]"
PRESETS: dict[str, tuple[str, ...]] = {
    "secrets": (
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\b(?:sk|pk|rk)[-_](?:[A-Za-z]+[-_])?[A-Za-z0-9_-]{20,}",
        r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|whsec_|acs_|hf_|npm_)[A-Za-z0-9_-]{16,}",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"(?i)\bbearer\s+[a-z0-9._~+/=-]{16,}",
        r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    ),
    "emails": (r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b",),
    "cards": (
        r"\b(?:4\d{3}|5[1-5]\d{2}|2[2-7]\d{2}|6(?:011|5\d{2}))[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b",
        r"\b3[47]\d{2}[ -]?\d{6}[ -]?\d{5}\b",
    ),
}


class Redactor:
    """Replaces by REDACTED. Patterns run in the engine of Polars, in time linear in the text, whatever they are: span
    text comes from strangers. Raises DefinitionError on a pattern that is none.
    """

    def __init__(self, keys: Sequence[str], patterns: Sequence[str], presets: Sequence[str] = ()) -> None:
        globs = "|".join(fnmatch.translate(key) for key in keys)
        self._keys = re.compile(globs, re.IGNORECASE) if globs else None
        self._patterns = [*patterns, *(p for preset in presets for p in PRESETS[preset])]
        problems = [Problem("setting ingest.privacy.redact_patterns", said) for p in patterns if (said := _wrong(p))]
        if problems:
            raise DefinitionError(problems)
        self._hidden: dict[str, bool] = {}

    @property
    def is_idle(self) -> bool:
        """True when there is nothing to replace."""
        return self._keys is None and not self._patterns

    def hides(self, key: str) -> bool:
        """Whether the value of this attribute is replaced as a whole."""
        if self._keys is None:
            return False
        found = self._hidden.get(key)
        if found is None:
            found = self._keys.match(key) is not None
            if len(self._hidden) < 65_536:
                self._hidden[key] = found
        return found

    def clean(self, texts: list[str]) -> list[str]:
        """The same texts with every match replaced."""
        if not self._patterns or not texts:
            return texts
        series = pl.Series(texts, dtype=pl.String)
        for pattern in self._patterns:
            series = series.str.replace_all(pattern, REDACTED)
        return series.to_list()


def _wrong(pattern: str) -> str:
    """Why this is no pattern; empty when it is one. A pattern that matches nothing at all would match everywhere."""
    try:
        if pl.Series([""]).str.contains(pattern).item():
            return f"{pattern!r} matches the empty text"
    except pl.exceptions.PolarsError as error:
        return f"{pattern!r} is no regular expression: {str(error).splitlines()[0]}"
    return ""
