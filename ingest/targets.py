"""What an action acts on, read out of its arguments, and where such a thing was spoken of before.

Targets are compared in canonical form: lower case, URLs without scheme, `www.` and closing punctuation.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

STRONG = frozenset({"email", "url", "iban", "phone", "wallet"})
"""Kinds that name one party in the world by their form; the others (`name`) are what an argument of a telling name holds."""
_LONGEST_TEXT = 65_536
_LONGEST_NAME = 200
_REMEMBERED = 1024
"""Longer arguments seldom come twice, and would fill the memory of those that do."""
_MOST = 64
_FORMS = {
    "email": re.compile(r"[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}"),
    "url": re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)[^\s\"'<>()\[\]{}\\|,;`]{3,2000}"),
    "iban": re.compile(r"\b[a-z]{2}\d{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,4})?\b"),
    "phone": re.compile(r"(?<![\w.])\+\d[\d ().-]{6,18}\d\b"),
    "wallet": re.compile(r"\b(?:0x[0-9a-f]{40}|bc1[a-z0-9]{25,60})\b"),
}
_HOLDERS = re.compile(
    r"(?:^|[_.-])(?:to|cc|bcc|(?:recipient|receiver|participant|attendee|invitee|member|user|channel|account|payee|beneficiar(?:y|ie)|"
    r"wallet|phone|email|mail|address(?:e)?|group|topic|queue|bucket|repo|repository|branch|remote|path|file|folder|directory|"
    r"table|database|destination|dest|target|webhook|iban)(?:s|es)?)(?:_?(?:name|id|address|number|path))?$"
)
_LINKS = re.compile(r"(?:^|[_.-])(?:url|uri|link|href|endpoint|host|hostname|domain|website|webhook|site|page)s?$")
_CAMEL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_INSTRUCTS = tuple(
    re.compile(words)
    for words in (
        r"\b(?:you|your|yourself)\b",
        r"\b(?:please|must|should|need to|have to|make sure|kindly|required)\b",
        r"\b(?:before|after (?:that|you)|first|instead|then|once)\b",
        r"\b(?:ignore|important|instructions?|urgent|the following|task|system|assistant|ai|model|prompt)\b",
        r"\b(?:send|transfer|pay|visit|go to|click|invite|add|forward|e?mail|update|change|delete|share|post|download|run|execute|call)\b",
    )
)
_BEFORE, _AFTER = 200, 150


@dataclass(frozen=True)
class Target:
    """A canonical target and its kind; whether the argument that holds it is there to be opened (a link), and whether it is
    named for what the action acts on (held), so that the target is no mention in some text.
    """

    name: str
    kind: str
    is_link: bool
    is_held: bool = False


def canonical(text: str) -> str:
    """The form in which targets are compared."""
    text = re.sub(r"^(?:[a-z][a-z0-9+.-]{1,20}://)?(?:www\.)?", "", text.strip().lower())
    return text.rstrip("/.,;:!?'\")")


def targets(arguments: str) -> tuple[Target, ...]:
    """The targets in the arguments of an action (JSON or plain text), at most 64, each once, in order of appearance."""
    return _remembered(arguments) if len(arguments) <= _REMEMBERED else _targets(arguments[:_LONGEST_TEXT])


def _targets(text: str) -> tuple[Target, ...]:
    try:
        value = json.loads(text) if text[:1] in "{[" else text
    except (ValueError, RecursionError):
        value = text
    found: dict[str, Target] = {}
    _walk("", value, found, 0)
    return tuple(found.values())[:_MOST]


_remembered = lru_cache(maxsize=8192)(_targets)


def _walk(key: str, value: Any, found: dict[str, Target], depth: int) -> None:
    if depth > 32 or len(found) >= _MOST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            _walk(_CAMEL.sub(r"_\1", str(name)).lower(), inner, found, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _walk(key, inner, found, depth + 1)
    elif isinstance(value, str):
        is_link = _LINKS.search(key) is not None
        is_holder = _HOLDERS.search(key) is not None
        is_held = is_link or is_holder
        for kind, name in mentions(value):
            known = found.setdefault(name, Target(name, kind, is_link, is_held))
            if is_held and not known.is_held:
                found[name] = replace(known, is_held=True)
        is_name = 2 <= len(value) <= _LONGEST_NAME and "\n" not in value
        if is_name and is_link and "." in value:
            found.setdefault(canonical(value), Target(canonical(value), "url", True, True))
        elif is_name and is_holder:
            found.setdefault(canonical(value), Target(canonical(value), "name", False, True))


def mentions(text: str) -> list[tuple[str, str]]:
    """Kind and canonical name of everything in a text that names a party by its form."""
    low = text[:_LONGEST_TEXT].lower()
    found = []
    for kind, form in _FORMS.items():
        if kind == "email" and "@" not in low:
            continue
        for match in form.findall(low):
            name = canonical(match.replace(" ", "") if kind in ("iban", "phone") else match)
            if len(name) > 3 and (kind != "iban" or sum(c.isdigit() for c in name) >= 8):
                found.append((kind, name))
    return found


def asks_for(request: str, name: str, kind: str) -> bool:
    """Whether a request names a target; a mail address also by the words of its local part, as in "write to Ann Lee"."""
    low = request.lower()
    if name in low:
        return True
    words = re.findall(r"[a-z]{3,}", name.partition("@")[0]) if kind == "email" else []
    return bool(words) and set(words) <= set(re.findall(r"[a-z]{3,}", low))


def instructing(text: str, name: str) -> int | None:
    """How much the words around `name` in a text read like an instruction (0 to 5); None when the text does not name it.

    Counted are kinds of words near its mention that address a reader and tell what to do: data seldom does, an injected
    instruction must. `text` is in lower case.
    """
    best, at = None, text.find(name)
    for _ in range(_MOST):
        if at < 0:
            break
        near = text[max(0, at - _BEFORE) : at + _AFTER]
        best = max(best or 0, sum(words.search(near) is not None for words in _INSTRUCTS))
        at = text.find(name, at + 1)
    return best
