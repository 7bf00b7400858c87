"""What the entries of a grant cover: scopes, tools, and the resources that they may be used on.

An entry is a scope (`invoice:read`), a tool (`tool:send_email`), or one of the two with a resource behind it
(`files:write:/srv/reports/*`, `tool:send_email:*@example.org`); `*` stands for any text. Pure.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

import polars as pl

from actorscope.analysis.finding import BASES
from actorscope.ingest.mask import PREFIX
from actorscope.ingest.targets import canonical

_ENTRY = re.compile(r"([^:/\s]+:[^:/\s]+):(.+)", re.DOTALL)
_THREE = r"^[^:/\s]+:[^:/\s]+:."
_HOST = re.compile(r"(?:[^@/]*@)?[\w*.-]+\.(?:[a-z]{2,}|\*)(?::\d+)?(?:/.*)?")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_STRICT = ("email", "url", "path")
"""Kinds of which one action seldom names several with another meaning than to act on them."""
_REMEMBERED = 4096
"""Grants are the same again and again."""
_plain = lru_cache(maxsize=_REMEMBERED)(canonical)
Target = Mapping[str, Any]
Fingerprint = Callable[[str], str]


@lru_cache(maxsize=_REMEMBERED)
def split(entry: str) -> tuple[str, str]:
    """The scope or tool of an entry, and its resource; empty where it stands for all."""
    found = _ENTRY.fullmatch(entry)
    return (found[1], found[2]) if found else (entry, "")


def like(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` covers a text; in linear time, since both may come from strangers."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == text
    at = len(first)
    for part in rest[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return text.startswith(first) and text.endswith(rest[-1]) and len(text) - len(rest[-1]) >= at


def covers(grant: Iterable[str], scope: str) -> bool:
    """Whether one entry of a grant covers a scope, with its resource if it names one."""
    return any(_covers(entry, scope) for entry in grant)


def _covers(entry: str, scope: str) -> bool:
    (head, resource), (used, place) = split(entry), split(scope)
    if entry == scope:
        return True
    if resource and place:
        return like(head, used) and within(resource, place, kind_of(place))
    return like(entry, scope) or bool(place and like(entry, used))


@lru_cache(maxsize=_REMEMBERED)
def kind_of(resource: str) -> str:
    """What a resource or a pattern of resources names: an email, a url, an absolute path, a part of one, any, else a name."""
    if resource == "*":
        return "any"
    low = resource.lower()
    if "@" in low and "/" not in low:
        return "email"
    if low.startswith("file://") or re.match(r"[/~\\]|[a-z]:[/\\]", low):
        return "path"
    if re.match(r"[a-z][a-z0-9+.-]*://|www\.", low) or _HOST.fullmatch(low):
        return "url"
    return "part" if "/" in low or "\\" in low else "name"


def within(pattern: str, name: str, kind: str) -> bool:
    """Whether a pattern of resources covers what is named, whose kind is that of `kind_of`; both in any spelling."""
    if pattern in ("*", name):
        return True
    if kind != kind_of(pattern):
        return False
    pattern, name = _plain(pattern), canonical(name)
    if kind == "email":
        mine, theirs = pattern.rpartition("@"), name.rpartition("@")
        return name.count("@") == 1 and like(mine[0] or "*", theirs[0]) and like(mine[2], theirs[2])
    if kind == "url":
        return _within_site(pattern, name)
    if kind in ("path", "part"):
        pattern, name = _resolved(pattern), _resolved(name)
        return like(pattern, name) or pattern == f"{name}/*"
    return like(pattern.replace(" ", ""), name.replace(" ", ""))


def _within_site(pattern: str, name: str) -> bool:
    """A host with all below it, or only what is below a path; who is named before an `@` is not the host."""
    host, _, path = pattern.partition("/")
    site, _, place = re.split(r"[?#]", name, maxsplit=1)[0].partition("/")
    place = _resolved(f"/{unquote(place)}")
    return like(host, site.rpartition("@")[2]) and (not path or like(f"/{path}", place) or f"/{path}" == f"{place}/*")


def _resolved(path: str) -> str:
    """A path without steps to the side and back."""
    return posixpath.normpath(re.sub(r"[/\\]+", "/", path))


def beyond(allowed: Iterable[tuple[str, str]], targets: Iterable[Target]) -> list[str]:
    """Targets that no pattern covers; empty as well where that cannot be judged.

    `allowed` has patterns with their fingerprint under the key of the intake (empty: unknown). Of a kind that no pattern
    names nothing is said. One pattern covered is enough where a call may name several things of a kind for other reasons.
    """
    patterns = list(allowed)
    if any(pattern == "*" for pattern, _ in patterns):
        return []
    by_kind: dict[str, list[Target]] = {}
    for target in targets:
        if target["is_held"] is not False:
            by_kind.setdefault(_kind(target), []).append(target)
    found: list[str] = []
    for kind, named in by_kind.items():
        mine = [each for each in patterns if _speaks_of(each[0], kind)]
        is_printed = any(target["target"].startswith(PREFIX) for target in named)
        if not mine or (is_printed and not all(_print(*each) for each in mine)):
            continue
        missed = [t["target"] for t in named if not any(_matches(*each, t["target"], kind) for each in mine)]
        if len(missed) == len(named) or (kind in _STRICT and not is_printed):
            found += missed
    return sorted(set(found))


def _kind(target: Target) -> str:
    """Fingerprints of names do not tell paths from other names, and `report.csv` is no host."""
    kind, name = str(target["target_kind"]), str(target["target"])
    if kind in ("email", "url"):
        return kind
    if name.startswith(PREFIX):
        return "print"
    form = kind_of(name) if kind == "name" else "name"
    return form if form in ("path", "part") else "name"


def _speaks_of(pattern: str, kind: str) -> bool:
    is_print = pattern.startswith(PREFIX)
    mine = kind_of(pattern)
    return is_print or mine == kind or (kind == "print" and mine not in ("email", "url"))


def _print(pattern: str, print_: str) -> str:
    """The fingerprint of what a pattern without `*` names, where it is known."""
    return pattern if pattern.startswith(PREFIX) else "" if "*" in pattern else print_


def _matches(pattern: str, print_: str, name: str, kind: str) -> bool:
    return _print(pattern, print_) == name if name.startswith(PREFIX) else within(pattern, name, kind)


def names_tool(scope: str, tool: str) -> bool:
    """Whether the words of a scope (`files:write`) stand in the name of a tool (`write_file`)."""
    return _words(scope) <= _words(tool)


@lru_cache(maxsize=_REMEMBERED)
def _words(text: str) -> set[str]:
    return {word.lower().removesuffix("s") for word in _WORD.findall(text)}


@dataclass(frozen=True)
class Use:
    """What an action used of its grant: the entries that cover it, and what none covers."""

    entries: frozenset[str] = frozenset()
    outside: frozenset[str] = frozenset()
    basis: str = "declared"
    is_known: bool = True
    """What it used can be compared with the grant; else nothing is outside, and any entry may have been used."""


def use_of(action: Mapping[str, Any], fingerprint: Fingerprint | None = None) -> Use:
    """The use of an action with a grant; scopes are declared, else the tool stands for one.

    Needs scope_used, tool_name, grant, reach (see `origins.aim`) and target; `fingerprint` is that of the intake.
    """
    grant, tool = action["grant"], action["tool_name"] or ""
    if action["scope_used"]:
        return _sum([_use(scope, action, fingerprint) for scope in action["scope_used"]])
    heads = [split(entry)[0] for entry in grant]
    by_name = all(head == "*" or head.startswith("tool:") for head in heads)
    if tool and (by_name or any(like(head, f"tool:{tool}") for head in heads)):
        return replace(_use(f"tool:{tool}", action, fingerprint), basis="derived")
    # In another notation an entry is known to speak of a tool only where its words say so, and to limit it only by what is
    # clearly a resource: `read:page:confluence` names none.
    named = [entry for entry, head in zip(grant, heads, strict=True) if tool and names_tool(head, tool)]
    resources = [split(entry)[1] for entry in named]
    if not named or any(resource and kind_of(resource) == "name" for resource in resources):
        return Use(basis="inferred", is_known=False)
    if not all(resources):
        return Use(frozenset(named), basis="derived")
    return _limited(split(named[0])[0], named, action, fingerprint)


def _sum(uses: list[Use]) -> Use:
    entries, outside = (frozenset[str]().union(*(getattr(use, part) for use in uses)) for part in ("entries", "outside"))
    return Use(entries, outside, min((use.basis for use in uses), key=BASES.index))


def _use(scope: str, action: Mapping[str, Any], fingerprint: Fingerprint | None) -> Use:
    covering = [entry for entry in action["grant"] if covers([entry], scope)]
    if covering:
        return Use(frozenset(covering))
    limited = [entry for entry in action["grant"] if split(entry)[1] and like(split(entry)[0], scope)]
    return _limited(scope, limited, action, fingerprint) if limited else Use(outside=frozenset([scope]))


def _limited(scope: str, entries: list[str], action: Mapping[str, Any], fingerprint: Fingerprint | None) -> Use:
    """The use of a scope that these entries give for some resources only."""
    resources = {entry: split(entry)[1] for entry in entries}
    allowed = {e: (r, fingerprint(canonical(r)) if fingerprint and "*" not in r else "") for e, r in resources.items()}
    told = action["target"] or ""
    declared = [{"target": told, "target_kind": "email" if kind_of(told) == "email" else "name", "is_held": True}] if told else []
    targets = [*declared, *(action["reach"] or ())]
    outside = frozenset(f"{scope}:{name}" for name in beyond(allowed.values(), targets))
    used = {e for e, pattern in allowed.items() if any(_matches(*pattern, t["target"], _kind(t)) for t in targets)}
    return Use(frozenset(used or (() if outside else entries)), outside, "derived")


def is_limited() -> pl.Expr:
    """The span carries a grant with an entry of three parts, which may name a resource."""
    lists = (pl.col(c).list.eval(pl.element().str.contains(_THREE)).list.any() for c in ("scope_granted", "scope_authorized"))
    return pl.any_horizontal(*lists).fill_null(False)


def used(actions: pl.DataFrame, fingerprint: Fingerprint | None) -> pl.DataFrame:
    """`actions` with what each used of its grant (see Use): `use_entries`, `use_outside`, `use_heads` (the scopes of what is
    outside), `use_basis`, `use_known`; null without a grant. Each way of use is judged once.
    """
    limited = pl.col("grant").list.eval(pl.element().str.contains(_THREE)).list.any()
    named = pl.col("reach").list.eval(pl.element().struct.field("target")).list.join("\x1e")
    parts = (
        pl.col("tool_name"), pl.col("scope_used").list.join("\x1e"), pl.col("grant").list.join("\x1e"),
        pl.when(limited).then("target"), pl.when(limited).then(named),
    )  # fmt: skip
    keyed = actions.with_columns(
        pl.when(pl.col("grant").list.len() > 0)
        .then(pl.concat_str([part.fill_null("") for part in parts], separator="\x1f"))
        .alias("use_key")
    )
    ways = keyed.filter(pl.col("use_key").is_not_null()).unique("use_key", maintain_order=True)
    found = [(way["use_key"], *_told(use_of(way, fingerprint))) for way in ways.select(_WAY).iter_rows(named=True)]
    return keyed.join(pl.DataFrame(found, _USE, orient="row"), on="use_key", how="left", maintain_order="left").drop("use_key")


_WAY = ("use_key", "tool_name", "scope_used", "grant", "reach", "target")
_USE: Any = {
    "use_key": pl.String, "use_entries": pl.List(pl.String), "use_outside": pl.List(pl.String), "use_heads": pl.List(pl.String),
    "use_basis": pl.String, "use_known": pl.Boolean,
}  # fmt: skip


def _told(use: Use) -> tuple[list[str], list[str], list[str], str, bool]:
    heads = sorted({split(scope)[0] for scope in use.outside})
    return sorted(use.entries), sorted(use.outside), heads, use.basis, use.is_known


def widened(grants: pl.DataFrame) -> pl.DataFrame:
    """`grants` with `beyond_upper`: what each gives that the delegation above does not hold."""
    pairs = grants.select(pl.col("scope_granted").fill_null([]), pl.col("upper_scope_granted").fill_null([])).iter_rows()
    beyond_ = [sorted({scope for scope in mine if upper and not covers(upper, scope)}) for mine, upper in pairs]
    return grants.with_columns(pl.Series("beyond_upper", beyond_, pl.List(pl.String)))
