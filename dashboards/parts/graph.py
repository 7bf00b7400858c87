"""Who delegated to whom, as an ECharts specification: actors, or single runs, as nodes; delegations as edges with their basis."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any

import polars as pl

from actorscope.dashboards.parts import words
from actorscope.dashboards.parts.text import line

_LINES = {"declared": "solid", "derived": "dashed", "inferred": "dotted"}
MOST_NODES = 60
MOST_RUNS = 40
_FEW = 8
_ROW = 20.0
_WIDE = 620.0


@dataclass(frozen=True)
class Graph:
    """A specification, the pixels that it needs, and per node the span that a click on it leads to."""

    spec: dict[str, Any]
    height: int
    spans: list[str]
    left_out: int = 0


def actors(delegations: list[dict[str, Any]], accused: set[str], first_runs: dict[str, str]) -> Graph:
    """Actors and who delegated to whom; `accused` are the ids of actors with findings in the trace."""
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
    nodes = [_node(key, names[key], places[key], key in accused) for key in order]
    links = [_link(edge, index, edges, is_dense) for edge in edges.values() if {*edge["ends"]} <= index.keys()]
    spec = _spec(nodes, links, "right" if is_dense else "bottom")
    return Graph(spec, 460 if is_dense else 260, [first_runs.get(key, "") for key in order], len(layers) - len(order))


def first_runs(spans: pl.DataFrame) -> dict[str, str]:
    """The first run of each actor."""
    first = spans.filter(pl.col("role") == "run").sort("start_time").unique("actor_id", keep="first", maintain_order=True)
    return dict(first.select("actor_id", "span_id").iter_rows())


def runs(spans: pl.DataFrame, delegations: list[dict[str, Any]], accused: set[str]) -> Graph:
    """Every run by itself, below the run that started it, as far as there is room for them."""
    found = spans.filter(pl.col("role") == "run").select(
        "span_id", "parent_run_span_id", "actor_id", "actor_name", "offset_ms"
    )
    kept = found.head(MOST_RUNS).to_dicts()
    index = {run["span_id"]: at for at, run in enumerate(kept)}
    bases = {
        (_key(edge, "delegator"), _key(edge, "delegate")): edge["basis"]
        for edge in reversed(sorted(delegations, key=lambda edge: list(_LINES).index(edge["basis"])))
    }
    places = _forest([(run["span_id"], run["parent_run_span_id"]) for run in kept])
    parents = {run["parent_run_span_id"] for run in kept}
    nodes, links = [], []
    for run in kept:
        name = f"{line(run['actor_name'] or run['actor_id'] or 'a run', 30)} +{words.duration(run['offset_ms'])}"
        node = _node(run["span_id"], name, places[run["span_id"]], run["actor_id"] in accused)
        side = "left" if run["span_id"] in parents else "right"
        nodes.append({**node, "symbolSize": 13, "label": {"position": side}})
        if run["parent_run_span_id"] in index:
            parent = kept[index[run["parent_run_span_id"]]]
            basis = bases.get((parent["actor_id"], run["actor_id"]), "inferred")
            edge = {"ends": (parent["span_id"], run["span_id"]), "count": 1, "basis": basis}
            links.append(_link(edge, index, {}, True))
    height = max((y for _, y in places.values()), default=0)
    return Graph(_spec(nodes, links, "right"), int(height) + 120, list(index), found.height - len(kept))


def _spec(nodes: list[dict[str, Any]], links: list[dict[str, Any]], label: str) -> dict[str, Any]:
    series = {
        "type": "graph",
        "layout": "none",
        "preserveAspect": True,
        "roam": False,
        "selectedMode": "single",
        "select": {"itemStyle": {"borderColor": "#8b93a1", "borderWidth": 4}},
        "left": 150,
        "right": 150,
        "top": 30,
        "bottom": 40,
        "edgeSymbol": ["none", "arrow"],
        "edgeSymbolSize": 9,
        "label": {"show": True, "position": label, "fontSize": 12},
        "data": nodes,
        "links": links,
    }
    return {"animation": False, "tooltip": {"show": False}, "series": [series]}


def _forest(pairs: list[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """Places of nodes, each to the right of its parent and beside its children; parents come before children."""
    known = {own for own, _ in pairs}
    depth: dict[str, int] = {}
    for own, parent in pairs:
        depth[own] = depth[parent] + 1 if parent in known and parent in depth else 0
    height: dict[str, float] = {}
    next_row = 0.0
    for own, _ in reversed(pairs):
        children = [height[child] for child, above in pairs if above == own and child in height]
        if not children:
            next_row += _ROW
        height[own] = sum(children) / len(children) if children else next_row
    top = max(height.values(), default=0.0)
    step = _WIDE / max(1, max(depth.values(), default=0))
    return {own: (depth[own] * step, top - height[own]) for own in height}


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
        "symbolSize": 22,
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
        },
        "lineStyle": {
            "opacity": 1,
            "color": "#8b93a1",
            "type": _LINES[edge["basis"]],
            "width": 1.5,
            "curveness": 0.3 if goes_back else 0.0,
        },
    }
