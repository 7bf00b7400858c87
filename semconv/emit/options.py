"""What `setup` decided for the whole process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Options:
    """Read by the helpers at each use."""

    digest_key: bytes | None = None
    """Key of the digests; without it anybody can try out guesses of what was digested."""
    capture_content: bool = False
    """Whether text of models and people may be recorded."""


options = Options()
