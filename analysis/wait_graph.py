"""Who can never go on: a graph of what waits for what, and the knots in it. Pure.

A node goes on when `all` of what it needs goes on, or `any` of it; a node that needs nothing goes on by itself. What can
not go on in any order of events is stuck; a deadlock is a group of stuck nodes that need each other. Where every node
needs one other this is the search for a cycle, with `any` that for a knot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Node = tuple[str, ...]


@dataclass(frozen=True)
class Needs:
    """What a node waits for."""

    of: frozenset[Node]
    is_any: bool = False
    """One of them is enough."""


def stuck(graph: Mapping[Node, Needs]) -> frozenset[Node]:
    """Nodes that can never go on, those that only wait for such nodes included. Who is not in the graph goes on."""
    waiters: dict[Node, list[Node]] = {}
    open_needs: dict[Node, int] = {}
    for node, needs in graph.items():
        present = [n for n in needs.of if n in graph]
        is_free = not needs.of or (needs.is_any and len(present) < len(needs.of))
        open_needs[node] = 0 if is_free else 1 if needs.is_any else len(present)
        for n in present:
            waiters.setdefault(n, []).append(node)
    free = [node for node, count in open_needs.items() if count == 0]
    going = set(free)
    while free:
        for waiter in waiters.get(free.pop(), ()):
            open_needs[waiter] -= 1
            if open_needs[waiter] <= 0 and waiter not in going:
                going.add(waiter)
                free.append(waiter)
    return frozenset(graph.keys() - going)


def knots(graph: Mapping[Node, Needs]) -> list[frozenset[Node]]:
    """The groups of stuck nodes that wait for each other, without those that merely wait for a group."""
    held = stuck(graph)
    return [
        group
        for group in _components({node: [n for n in graph[node].of if n in held] for node in held})
        if len(group) > 1 or any(node in graph[node].of for node in group)
    ]


def _components(edges: Mapping[Node, Iterable[Node]]) -> list[frozenset[Node]]:
    """Strongly connected components (Tarjan), without recursion."""
    order: dict[Node, int] = {}
    low: dict[Node, int] = {}
    path: list[Node] = []
    on_path: set[Node] = set()
    found: list[frozenset[Node]] = []
    for root in edges:
        if root in order:
            continue
        work = [(root, iter(edges[root]))]
        order[root] = low[root] = len(order)
        path.append(root)
        on_path.add(root)
        while work:
            node, rest = work[-1]
            step = next((n for n in rest if n not in order or n in on_path), None)
            if step is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    found.append(_cut(path, on_path, node))
            elif step in order:
                low[node] = min(low[node], order[step])
            else:
                order[step] = low[step] = len(order)
                path.append(step)
                on_path.add(step)
                work.append((step, iter(edges[step])))
    return found


def _cut(path: list[Node], on_path: set[Node], node: Node) -> frozenset[Node]:
    at = path.index(node)
    group = frozenset(path[at:])
    del path[at:]
    on_path -= group
    return group
