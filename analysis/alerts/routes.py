"""Which targets hear of a finding. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from actorscope.analysis.alerts.heard import matches as all_match
from actorscope.analysis.alerts.heard import rank
from actorscope.settings import RouteSettings, TargetSettings


def hears(targets: Sequence[TargetSettings], routes: Sequence[RouteSettings], labels: Mapping[str, str]) -> frozenset[str]:
    """Names of the targets that hear of a finding with these labels.

    The first route that matches counts, and those below it as long as the matching ones continue. A target that no route
    names hears of everything; everyone's own `min_severity` holds beside.
    """
    routed: set[str] = set()
    for route in routes:
        if _matches(route, labels):
            routed |= {*route.targets}
            if not route.continues:
                break
    named = {name for route in routes for name in route.targets}
    return frozenset(
        target.name
        for target in targets
        if rank(labels["severity"]) >= rank(target.min_severity) and (target.name in routed or target.name not in named)
    )


def _matches(route: RouteSettings, labels: Mapping[str, str]) -> bool:
    return (
        rank(labels["severity"]) >= rank(route.min_severity)
        and (not route.families or labels["family"] in route.families)
        and _any(route.detectors, labels["detector"])
        and _any(route.tenants, labels.get("tenant", ""))
        and all_match(route.labels, labels)
    )


def _any(patterns: Sequence[str], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
