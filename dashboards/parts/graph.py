"""Who delegated to whom, as an ECharts specification: agents as nodes in layers, delegations as edges with their basis."""

from __future__ import annotations

from collections import defaultdict
from math import cos, pi, sin
from typing import Any

from actorscope.dashboards.parts.text import line

_LINES = {"declared": "solid", "derived": "dashed", "inferred": "dotted"}
MOST_NODES = 60
_FEW = 8


def height(delegations: list[dict[str, Any]]) -> int:
    """Pixels that the graph needs."""
    ends = {_key(each, end) for each in delegations for end in ("delegator", "delegate")}
    return 260 if len(ends) <= _FEW else 460


def spec(delegations: list[dict[str, Any]], accused: set[str]) -> dict[str, Any]:
    """The graph; `accused` are the ids of actors with findings in the trace."""
    edges = _merge(delegations)
    layers = _layers(edges)
    names = {}
    for edge in delegations:
        names[_key(edge, "delegator")] = edge["delegator_name"] or edge["delegator_id"]
        names[_key(edge, "delegate")] = edge["delegate_name"] or edge["delegate_id"]
    order = list(layers)[:MOST_NODES]
    is_dense = len(order) > _FEW
    places = _around(order) if is_dense else _places(layers)
    index = {key: at for at, key in enumerate(order)}
    return {
        "animation": False,
        "tooltip": {"show": False},
        "series": [
            {
                "type": "graph",
                "layout": "none",
                "preserveAspect": True,
                "roam": False,
                "left": 70,
                "right": 90,
                "top": 30,
                "bottom": 40,
                "edgeSymbol": ["none", "arrow"],
                "edgeSymbolSize": 9,
                "label": {"show": True, "position": "right" if is_dense else "bottom", "fontSize": 12},
                "data": [_node(key, names[key], places[key], key in accused) for key in order],
                "links": [
                    _link(edge, index, edges, is_dense) for edge in edges.values() if {*edge["ends"]} <= index.keys()
                ],
            }
        ],
    }


def _key(edge: dict[str, Any], end: str) -> str:
    return str(edge[f"{end}_id"] or edge[f"{end}_name"])


def _merge(delegations: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, Any]]:
    """One edge per pair; the weakest basis is the edge's."""
    edges: dict[tuple[str, str], dict[str, Any]] = {}
    rank = list(_LINES)
    for each in delegations:
        ends = (_key(each, "delegator"), _key(each, "delegate"))
        edge = edges.setdefault(ends, {"ends": ends, "count": 0, "basis": "declared"})
        edge["count"] += each["delegations"]
        if each["basis"] in rank and rank.index(each["basis"]) > rank.index(edge["basis"]):
            edge["basis"] = each["basis"]
    return edges


def _layers(edges: dict[tuple[str, str], Any]) -> dict[str, int]:
    """How far each actor is from one that nobody delegates to; in a closed loop the first delegator starts."""
    below = defaultdict(list)
    for delegator, delegate in edges:
        below[delegator].append(delegate)
    delegates = {delegate for _, delegate in edges}
    layers: dict[str, int] = {}
    for top in [*[d for d, _ in edges if d not in delegates], *[d for d, _ in edges]]:
        waiting = [] if top in layers else [(top, 0)]
        while waiting:
            actor, depth = waiting.pop(0)
            if actor not in layers:
                layers[actor] = depth
                waiting += [(delegate, depth + 1) for delegate in below[actor]]
    return layers


def _places(layers: dict[str, int]) -> dict[str, tuple[float, float]]:
    rows: dict[int, list[str]] = defaultdict(list)
    for actor, layer in layers.items():
        rows[layer].append(actor)
    return {
        actor: (layer * 100.0, (at - (len(actors) - 1) / 2) * 60.0 + (layer % 2) * 32.0)
        for layer, actors in sorted(rows.items())
        for at, actor in enumerate(actors)
    }


def _around(actors: list[str]) -> dict[str, tuple[float, float]]:
    """Many actors on an ellipse, so that no edge hides another."""
    turn = 2 * pi / len(actors)
    return {actor: (190 * cos(at * turn - pi), 80 * sin(at * turn - pi)) for at, actor in enumerate(actors)}


def _node(key: str, name: str, place: tuple[float, float], is_accused: bool) -> dict[str, Any]:
    # The id keeps equal names apart; nodes are drawn by their name, which ECharts takes as plain text.
    shown = ("⚑ " if is_accused else "") + line(name, 40)
    colour = "#e11d48" if is_accused else "#7c5cff"
    return {
        "id": key,
        "name": shown,
        "x": place[0],
        "y": place[1],
        "symbolSize": 26,
        "itemStyle": {"color": colour},
        "symbol": "diamond" if is_accused else "circle",
    }


def _link(
    edge: dict[str, Any], index: dict[str, int], edges: dict[tuple[str, str], Any], is_dense: bool
) -> dict[str, Any]:
    delegator, delegate = edge["ends"]
    goes_back = (delegate, delegator) in edges
    return {
        "source": index[delegator],
        "target": index[delegate],
        "label": {
            "show": not is_dense,
            "formatter": f"{edge['count']}× {edge['basis']}",
            "fontSize": 11,
            "color": "#8b93a1",
        },
        "lineStyle": {
            "opacity": 1,
            "color": "#8b93a1",
            "type": _LINES[edge["basis"]],
            "width": 1.5,
            "curveness": 0.3 if goes_back else 0.0,
        },
    }
