"""Detectors of users: packages with an entry point `actorscope.detectors`, loaded beside our own."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from actorscope.analysis.detector import FAMILIES, Detector
from actorscope.analysis.detectors import DETECTORS
from actorscope.analysis.frames import FRAMES
from actorscope.analysis.watches import WATCHES
from actorscope.errors import DefinitionError, Problem

GROUP = "actorscope.detectors"
ID = re.compile(r"[a-z][a-z0-9_]*")


@cache
def extensions() -> tuple[Detector, ...]:
    """The detectors of installed packages; raises DefinitionError with all that is wrong with them."""
    return load(entry_points(group=GROUP))


def every_detector() -> tuple[Detector, ...]:
    """Ours and those of installed packages."""
    return (*DETECTORS, *extensions())


def load(points: Iterable[EntryPoint]) -> tuple[Detector, ...]:
    """The detectors that entry points name; one or several each."""
    found: list[Detector] = []
    problems: list[Problem] = []
    for point in sorted(points, key=lambda p: (p.name, p.value)):
        where = f"detector {point.name} ({point.value})"
        try:
            named = point.load()
        except Exception as error:
            problems.append(Problem(where, f"cannot be loaded: {type(error).__name__}: {error}", "mend or uninstall its package"))
            continue
        for each in named if isinstance(named, list | tuple) else [named]:
            wrong = list(_problems(each, where, [*DETECTORS, *WATCHES, *found]))
            problems += wrong
            if not wrong:
                found.append(each)
    if problems:
        raise DefinitionError(problems)
    return tuple(found)


def _problems(detector: object, where: str, taken: list[Detector]) -> Iterator[Problem]:
    if not isinstance(detector, Detector):
        yield Problem(where, f"is a {type(detector).__name__}, not a Detector", "name the Detector itself")
        return
    if not ID.fullmatch(detector.id) or not detector.id.startswith(f"{detector.family}_"):
        yield Problem(where, f"has the id {detector.id!r}", f"ids are {detector.family}_<what> in small letters")
    if detector.family not in FAMILIES:
        yield Problem(where, f"is of the family {detector.family!r}", f"known: {', '.join(FAMILIES)}")
    if any(detector.id == other.id for other in taken):
        yield Problem(where, f"has the id {detector.id!r}, which another detector has", "choose another one")
    for name in sorted(set(detector.needs) - set(FRAMES)):
        yield Problem(where, f"needs a frame {name!r}", f"known: {', '.join(FRAMES)}")
    if not dataclasses.is_dataclass(detector.config):
        yield Problem(where, "has a config that is no dataclass", "give every threshold a default")
        return
    for field in dataclasses.fields(detector.config):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            yield Problem(where, f"has a threshold {field.name!r} without a default", "give it one")
