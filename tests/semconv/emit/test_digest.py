"""Digests of the helpers equal those of the backend."""

from __future__ import annotations

import decimal
import hashlib
import json
import math
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from actorscope.ingest import content
from actorscope.semconv.emit.digest import canonicalise, digest, of_key

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_the_canonical_form_is_that_of_the_reference_library(value: Any) -> None:
    assert canonicalise(value) == rfc8785.dumps(value)


@settings(max_examples=300, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_are_those_of_the_reference_library(value: float) -> None:
    assert canonicalise(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [  # RFC 8785, appendix B
        (5e-324, "5e-324"), (-5e-324, "-5e-324"), (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"), (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"), (1e23, "1e+23"), (1e21, "1e+21"),
        (999999999999999900000.0, "999999999999999900000"),
        (1e-7, "1e-7"), (0.000001, "0.000001"), (333333333.33333329, "333333333.3333333"), (-0.0, "0"), (4.5, "4.5"), (2e-3, "0.002"),
    ],
)  # fmt: skip
def test_doubles_are_written_as_the_rfc_says(value: float, text: str) -> None:
    assert canonicalise(value).decode() == text


def test_names_are_sorted_by_utf16() -> None:
    names = ("\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\xf6")
    told = json.loads(canonicalise(dict.fromkeys(names, 0)))
    assert list(told) == ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    "text", ['{"b":1.0,"a":[1e3,"x"]}', "no json {", '{"n":99999999999999999999}', '"\\ud800"', "1.50", "[NaN]", ""]
)
def test_the_digest_of_arguments_is_that_of_the_backend(text: str) -> None:
    assert digest(text) == content.digest(text)


def test_a_mapping_has_the_digest_of_its_json() -> None:
    value = {"order": "A-17", "amount": 12.50, "lines": [1, None, True]}
    assert digest(value) == digest(json.dumps(value)) == content.digest(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [{1: 2}, {"x": object()}, math.nan, [math.inf], 2**53, "\ud800x".split(), {"x": b""}, {"\ud800": 1}, {1, 2}],
)
def test_what_is_no_certain_json_has_no_digest(value: Any) -> None:
    assert digest(value) is None


def test_a_value_that_contains_itself_has_no_digest() -> None:
    value: list[Any] = []
    value.append(value)
    assert digest(value) is None


def test_the_precision_of_the_caller_does_not_matter() -> None:
    with decimal.localcontext(prec=3):
        assert canonicalise(0.1234567890123) == b"0.1234567890123"


def test_a_key_makes_another_digest_and_another_name() -> None:
    keyed = digest({"a": 1}, key=b"secret")
    assert keyed is not None and keyed.startswith("hmac-sha256:") and keyed != digest({"a": 1}, key=b"other")


def test_an_idempotency_key_is_no_json() -> None:
    assert of_key("1.0") == "sha256:" + hashlib.sha256(b"1.0").hexdigest() != of_key("1")
