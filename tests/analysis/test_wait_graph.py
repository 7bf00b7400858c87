"""What is stuck is stuck in every order of events, and nothing else is."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from actorscope.analysis.wait_graph import Needs, Node, knots, stuck


def graph(**needs: str) -> dict[Node, Needs]:
    """`a="b c"` needs both, `a="b|c"` any; `a=""` nothing."""
    return {
        (name,): Needs(frozenset((n,) for n in text.replace("|", " ").split()), is_any="|" in text)
        for name, text in needs.items()
    }


def groups(**needs: str) -> list[str]:
    return sorted("".join(sorted(name for (name,) in knot)) for knot in knots(graph(**needs)))


def test_a_circle_is_a_deadlock_and_who_waits_for_it_is_stuck_behind_it() -> None:
    assert groups(a="b", b="c", c="a", d="a") == ["abc"]
    assert {n for (n,) in stuck(graph(a="b", b="c", c="a", d="a"))} == set("abcd")


def test_a_chain_that_ends_at_somebody_at_work_is_none() -> None:
    assert groups(a="b", b="c", c="") == groups(a="b", b="somebody_unknown") == []


def test_one_way_out_of_several_is_enough_for_any() -> None:
    assert groups(a="b|c", b="a", c="") == []
    assert groups(a="b|outside", b="a") == []
    assert groups(a="b|c", b="a", c="a") == ["abc"]


def test_who_needs_all_is_held_by_one() -> None:
    assert groups(a="b c", b="a", c="") == ["ab"]


def test_who_waits_for_itself_and_two_circles_apart() -> None:
    assert groups(a="a") == ["a"]
    assert groups(a="b", b="a", c="d", d="c", e="a c") == ["ab", "cd"]


def test_a_long_circle_needs_no_recursion() -> None:
    n = 5000
    ring = {(str(i),): Needs(frozenset({(str((i + 1) % n),)})) for i in range(n)}
    assert [len(knot) for knot in knots(ring)] == [n]
    del ring[("17",)]
    assert knots(ring) == []


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(2, 9), st.integers(0, 12))
def test_a_known_circle_is_found_and_no_knot_lets_anybody_out(seed: int, size: int, others: int) -> None:
    dice = random.Random(seed)
    circle = [(f"c{i}",) for i in range(size)]
    rest = [(f"r{i}",) for i in range(others)]
    found: dict[Node, Needs] = {}
    for node in rest:
        some = frozenset(dice.sample([*circle, *rest], dice.randint(0, min(3, size + others))))
        found[node] = Needs(some, is_any=dice.random() < 0.5)
    for node, after in zip(circle, circle[1:] + circle[:1], strict=True):
        found[node] = Needs(frozenset({after, *dice.sample(rest, dice.randint(0, min(2, others)))}))
    order = list(found.items())
    dice.shuffle(order)
    held = stuck(found)
    assert set(circle) <= held
    assert any(set(circle) <= knot for knot in knots(found))
    assert stuck(dict(order)) == held, "the order in which waits are told does not matter"
    for node, needs in found.items():
        goes_on = [n not in held for n in needs.of]
        assert (node not in held) == (not goes_on or (any if needs.is_any else all)(goes_on))
    assert all(knot <= held for knot in knots(found))


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 2**32), st.integers(2, 12))
def test_waits_that_only_point_forward_are_never_stuck(seed: int, size: int) -> None:
    dice = random.Random(seed)
    found: dict[Node, Needs] = {
        (str(i),): Needs(
            frozenset((str(j),) for j in range(i + 1, size) if dice.random() < 0.5), is_any=dice.random() < 0.5
        )
        for i in range(size)
    }
    assert not stuck(found)
