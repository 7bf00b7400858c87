"""What entries of grants cover: scopes, and resources by pattern, in any spelling and against those who try to get around."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.analysis.analyst import Analyst
from tests.make import Made, spans

from actorscope.analysis.runner import Runner
from actorscope.analysis.scopes import beyond, covers, like, names_tool, use_of
from actorscope.ingest.mask import Mask
from actorscope.ingest.store.client import Store, in_worker
from actorscope.ingest.targets import canonical
from actorscope.settings import AnalysisSettings


@pytest.mark.parametrize(
    ("entry", "scope", "is_covered"),
    [
        ("files:write:/srv/*", "files:write:/srv/reports/*", True),
        ("files:write:/srv/*", "files:write:/srv/../etc/passwd", False),
        ("files:write:/srv/*", "files:write", False),
        ("files:write", "files:write:/srv/x", True),
        ("files:*", "files:write:/etc/passwd", True),
        ("mail:send:*@example.org", "mail:send:*", False),
        ("mail:send:*@example.org", "mail:send:eve@evil.example,ann@example.org", False),
        ("tool:search_*", "tool:search_web", True),
        ("read:page:confluence", "read:page:confluence", True),
        ("https://mail.example/auth/*", "https://mail.example/auth/send", True),
        ("files:write:[a-z]", "files:write:b", False),
    ],
)
def test_an_entry_covers_a_scope(entry: str, scope: str, is_covered: bool) -> None:
    assert covers([entry], scope) is is_covered


@pytest.mark.parametrize(
    ("pattern", "kind", "inside", "outside"),
    [
        ("/srv/reports/*", "name", ["/srv/reports/a/b", "/srv/reports", "\\SRV\\reports\\x"], ["/srv/reports2/a", "/srv/reports/../x"]),
        ("*@example.org", "email", ["ann@example.org"], ["ann@example.org.evil.example", "ann@sub.example.org"]),
        ("https://api.example.org/v1/*", "url", ["http://www.api.example.org/v1/x"], ["api.example.org/v1/%2e%2e/v2"]),
        ("*.example.org", "url", ["a.example.org/p?q=/../"], ["evil.example/x.example.org", "a.example.org@evil.example"]),
        ("team-*", "name", ["team-blue"], ["general"]),
    ],
)  # fmt: skip
def test_a_pattern_covers_resources(pattern: str, kind: str, inside: list[str], outside: list[str]) -> None:
    for name in (*inside, *outside):
        target = {"target": canonical(name), "target_kind": kind, "is_held": True}
        assert bool(beyond([(pattern, "")], [target])) is (name in outside), name


@given(st.text("ab*", max_size=9), st.text("ab", max_size=9))
def test_patterns_are_those_of_regular_expressions(pattern: str, text: str) -> None:
    assert like(pattern, text) is (re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None)


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_entry_and_no_target_breaks_it(entry: str, name: str) -> None:
    assert covers([entry], entry)
    for kind in ("name", "email", "url"):
        beyond([(entry, "")], [{"target": name, "target_kind": kind, "is_held": True}])
    use_of({"grant": [entry], "scope_used": None, "tool_name": name, "reach": None, "target": name})


def test_words_of_a_scope_name_a_tool() -> None:
    assert names_tool("files:write", "write_file") and names_tool("mail:send", "sendMail")
    assert not names_tool("mail:send", "send_email")


MASK = Mask(b"k" * 32)


def _printed(account: str) -> Made:
    print_ = f"iban:{MASK.fingerprint(account.lower())}"
    clerk: dict[str, Any] = {
        "agent": "clerk", "grant": ["bank:pay:DE89370400440532013000"],
        "children": [{"tool": "transfer", "used": ["bank:pay"], "effect": "write", "target_prints": [print_]}],
    }  # fmt: skip
    return spans([{"trace": "t", "spans": [clerk]}])


@pytest.mark.parametrize(
    ("account", "has_key", "fires"),
    [
        ("DE89370400440532013000", True, False),
        ("FR7630006000011234567890189", True, True),
        ("FR7630006000011234567890189", False, False),
    ],
)
def test_exact_targets_match_by_the_key_of_the_intake(store: Store, account: str, has_key: bool, fires: bool) -> None:
    def act() -> list[str]:
        analyst = Analyst(store)
        key = MASK.fingerprint if has_key else None
        analyst.runner = Runner(store, AnalysisSettings(), fingerprint=key)  # type: ignore[call-arg]
        analyst.look(_printed(account))
        return [finding.severity for finding in analyst.open("authority_outside_grant")]

    assert in_worker(act) == (["high"] if fires else [])
