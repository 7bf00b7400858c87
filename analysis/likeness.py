"""How much two texts say the same thing, by their words."""

from __future__ import annotations

import re

Grams = frozenset[tuple[str, ...]]
_WORD = re.compile(r"\w+")
_STRIPPED = ".,;:!?()[]{}<>\"'`“”‘’"


def words(text: str) -> list[str]:
    """The words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def grams(text: str, size: int) -> Grams:
    """Every run of `size` words in a row; of a shorter text, all of it."""
    found = words(text)
    return frozenset(tuple(found[i : i + size]) for i in range(max(1, len(found) - size + 1))) if found else frozenset()


def jaccard(one: Grams, other: Grams) -> float:
    """The share that both have of what either has, 0 to 1."""
    return len(one & other) / len(one | other) if one and other else 0.0


def kept(text: str, earlier: str) -> float:
    """The share of the earlier text's words that are still there: 1 for a text that was only wrapped in more words."""
    before = set(words(earlier))
    return len(before & set(words(text))) / len(before) if before else 0.0


def names(text: str) -> frozenset[str]:
    """Words that name something: with a digit in them, or a capital letter though no sentence begins there."""
    found, is_first = set(), True
    for token in text.split():
        word = token.strip(_STRIPPED)
        if word and (any(c.isdigit() for c in word) or (word[0].isupper() and not is_first)):
            found.add(word.lower())
        is_first = token[-1] in ".!?:"
    return frozenset(found)


def is_about_another(text: str, earlier: str) -> bool:
    """One thing was replaced by another: each of the texts names something that the other does not."""
    one, other = names(text), names(earlier)
    return bool(one - other) and bool(other - one)
