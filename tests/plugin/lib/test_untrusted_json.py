"""One boundary turns foreign JSON into values: safe to compare, to convert, to store and to use in a path."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping  # noqa: TC003  read at run time, too
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stemdock.lib.untrusted_json import parse_json, parse_json_as

# Python stands for bytes of names that are not UTF-8 by the second range.
CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.characters(
    min_codepoint=0xDC80, max_codepoint=0xDCFF
)
SAFE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(CHARACTERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)


@given(SAFE)
def test_a_safe_value_is_what_the_standard_library_reads(value: Any) -> None:
    text = json.dumps(value)
    assert parse_json(text) == json.loads(text) == value
    assert parse_json(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("NaN", "not a number"),
        ('{"a": [-Infinity]}', "not a number"),
        ("1e999", "out of range"),
        ("9223372036854775808", "out of range"),
        ("-9223372036854775809", "out of range"),
        ("9" * 100_000, "out of range"),
        ("[" * 65 + "]" * 65, "nesting"),
        ("[" * 1_000_000, "nesting"),
        ('{"a":' * 65 + "1" + "}" * 65, "nesting"),
        (r'"a\u0000b"', "character"),
        (r'{"\u0000": 1}', "character"),
        (r'[["\ud800"]]', "character"),
        (r'"\udd00"', "character"),
        ('"' + "x" * (5 << 20) + '"', "longer"),
        (b'"\xff"', "utf-8"),
        ("", "Expecting value"),
    ],
)
def test_what_later_code_could_not_handle_is_refused_with_its_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_json(text)


@pytest.mark.skipif(sys.platform == "win32", reason="names there are Unicode")
def test_a_name_of_linux_that_is_not_utf8_survives() -> None:
    name = os.fsdecode(b"caf\xe9")
    assert parse_json(json.dumps(name)) == name


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    size: int
    kind: Literal["a", "b"] = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    name: str
    share: float = 0.0
    flag: bool = False
    note: str | None = None
    parts: tuple[Part, ...] = ()
    named: Mapping[str, Part] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)


def test_a_declared_shape_is_read() -> None:
    text = '{"name": "x", "share": 1, "note": null, "parts": [{"size": 2, "kind": "b"}], "rest": {"k": [1]}}'
    whole = parse_json_as(Whole, text)
    assert whole == Whole(name="x", share=1.0, parts=(Part(size=2, kind="b"),), rest={"k": [1]})
    assert isinstance(whole.share, float)
    assert parse_json_as(Whole, '{"name": "x", "named": {"p": {"size": 1}}}').named == {"p": Part(size=1)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "the value is .*, not an object"),
        ("null", "the value is None, not an object"),
        ("{}", "the value has no 'name'"),
        ('{"name": 1}', "name is 1, not a text"),
        ('{"name": "x", "new": 1}', "the value has an unknown 'new'"),
        ('{"name": "x", "share": true}', "share is True, not a number"),
        ('{"name": "x", "share": "1"}', "share is '1', not a number"),
        ('{"name": "x", "flag": 1}', "flag is 1, not true or false"),
        ('{"name": "x", "note": 1}', "note is 1, not a text"),
        ('{"name": "x", "parts": {}}', "parts is {}, not a list"),
        (
            '{"name": "x", "parts": [{"size": 1}, {"size": 1.5}]}',
            r"parts\[1\].size is 1.5, not a whole number",
        ),
        ('{"name": "x", "parts": [{"size": true}]}', r"parts\[0\].size is True, not a whole number"),
        (
            '{"name": "x", "parts": [{"size": 1, "kind": "c"}]}',
            r"parts\[0\].kind is 'c', not one of 'a', 'b'",
        ),
        ('{"name": "x", "named": {"p": {}}}', r"named\['p'\] has no 'size'"),
        ('{"name": "x", "named": []}', r"named is \[\], not an object"),
    ],
)
def test_another_shape_is_refused_and_the_place_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse_json_as(Whole, text)


def test_fields_of_later_versions_are_ignored_on_request() -> None:
    text = '{"name": "x", "new": 1, "parts": [{"size": 1, "new": 2}]}'
    assert parse_json_as(Whole, text, ignore_unknown=True) == Whole(name="x", parts=(Part(size=1),))


def test_a_wrong_value_is_not_repeated_at_length() -> None:
    with pytest.raises(ValueError, match="not a number") as caught:
        parse_json_as(Whole, json.dumps({"name": "x", "share": ["y" * 10_000] * 50}))
    assert len(str(caught.value)) < 300
