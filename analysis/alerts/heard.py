"""What alerting knows of a finding, and the labels by which people choose what they hear of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from actorscope.analysis.finding import SEVERITIES
from actorscope.analysis.findings import NO_DATA

PLACE = ("tenant", "service", "environment")
"""Labels that come from the spans of the evidence."""
_DAY = timedelta(days=1)


def rank(severity: str) -> int:
    """The place of a severity among all; what is none lies below."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


@dataclass(frozen=True)
class Heard:
    """A finding by its JSON, when it was last new or graver, its labels, and the targets that hear of it."""

    body: Mapping[str, Any]
    risen_at: datetime
    labels: Mapping[str, str]
    targets: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def fingerprint(self) -> str:
        return str(self.body["fingerprint"])

    @property
    def severity(self) -> str:
        return str(self.body["severity"])

    @property
    def state(self) -> str:
        return str(self.body["state"])

    @property
    def root(self) -> str:
        return str(self.body.get("root") or "")

    @property
    def updated_at(self) -> datetime:
        return datetime.fromisoformat(self.body["updated_at"])

    @property
    def is_no_data(self) -> bool:
        return str(self.body.get("resolution") or "").startswith(NO_DATA)

    @property
    def flaps(self) -> int:
        """How often it was opened again in the day before it changed last."""
        return sum(datetime.fromisoformat(at) >= self.updated_at - _DAY for at in self.body.get("reopened") or ())


def labels(body: Mapping[str, Any], place: Mapping[str, str] | None = None) -> dict[str, str]:
    """The labels of a finding; `place` are those of its evidence: tenant, service, environment."""
    subject = body["subject"]
    own = {key: str(body[key]) for key in ("detector", "family", "rule", "severity")}
    return {**own, "subject": subject.get("name") or subject.get("id", ""), "subject_id": subject.get("id", ""), **(place or {})}


def matches(matchers: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Whether all of them hold; `*` in a value stands for anything, and `subject` is a name or an id."""
    return all(
        fnmatchcase(labels.get(key, ""), value) or (key == "subject" and fnmatchcase(labels.get("subject_id", ""), value))
        for key, value in matchers.items()
    )
