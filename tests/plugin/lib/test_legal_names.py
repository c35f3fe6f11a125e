"""Legal names, compared with Python's own knowledge of Windows and with a plain list of rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stemdock.lib.legal_names import cut_to_bytes, is_device_name, is_legal_name, legal_name, n_bytes
from support.windows_names import is_reserved

FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in (*range(32), *range(127, 160))}
FORBIDDEN |= set("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
DEVICES = ["con", "NUL.wav", "aux .wav", "Com1", "lpt9.tar.gz", "prn", "CONIN$", "com\xb9"]
"""Names of devices; blanks before the first dot do not count."""


@pytest.mark.parametrize("name", DEVICES)
def test_devices_of_windows(name: str) -> None:
    assert is_reserved(name)  # Python knows them too
    assert is_device_name(name)
    assert not is_device_name(legal_name(name))


@pytest.mark.parametrize("name", ["console", "con_", "my con", "com10", "nul-1.wav", "auxiliary"])
def test_names_that_only_resemble_devices(name: str) -> None:
    assert not is_device_name(name)
    assert legal_name(name) == name


@given(text=ANY_TEXT, max_bytes=st.integers(10, 255))
@example(text="aux .wav", max_bytes=20)
@example(text="a\ud800b", max_bytes=20)
@example(text="a\udc7fb", max_bytes=20)
@example(text="a\udfffb", max_bytes=20)
@example(text=" . ", max_bytes=20)
@example(text="\u3042" * 100, max_bytes=11)
def test_any_text_becomes_a_name_for_every_system(text: str, max_bytes: int) -> None:
    name = legal_name(text, max_bytes=max_bytes)
    assert name
    assert not set(name) & FORBIDDEN
    assert name == name.rstrip(" .").lstrip(" ")
    assert not is_reserved(name)
    # The system can encode it; an underscore may follow the name of a device.
    assert len(name.encode("utf-8", "surrogateescape")) <= max_bytes + 1
    assert legal_name(name) == name


@given(text=st.text(st.characters(exclude_characters=FORBIDDEN, exclude_categories=["Cs"]), min_size=1))
def test_a_legal_text_stays(text: str) -> None:
    text = f"a{text}z"
    assert legal_name(text) == text


def test_bytes_that_are_not_utf8_stay() -> None:
    name = b"latin-\xe9".decode("utf-8", "surrogateescape")
    assert legal_name(name) == name


@given(text=ANY_TEXT)
@example(text="vocals")
@example(text=".hidden")
@example(text="x.")
@example(text="a\x85b")
@example(text="lead vocals (2)")
def test_names_of_stems(text: str) -> None:
    expected = (
        text != ""
        and text[0] != "."
        and text[-1] not in " ."
        and not set(text) & FORBIDDEN
        and not any(0x80 <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000 for char in text)
    )
    assert is_legal_name(text) == expected


def test_an_empty_text_becomes_the_fallback() -> None:
    assert legal_name(" ..", fallback="Item") == "Item"


@given(text=ANY_TEXT, max_bytes=st.integers(0, 40))
def test_a_text_is_cut_between_characters(text: str, max_bytes: int) -> None:
    whole = text.encode("utf-8", "surrogatepass")
    cut = cut_to_bytes(text, max_bytes)
    assert text.startswith(cut)
    assert n_bytes(cut) <= max_bytes
    # One character more would be too long.
    assert cut == text or n_bytes(text[: len(cut) + 1]) > max_bytes
    assert whole.startswith(cut.encode("utf-8", "surrogatepass"))


def test_a_name_of_megabytes_is_cut_at_once() -> None:
    assert legal_name("\N{HIRAGANA LETTER A}" * (8 << 20), max_bytes=100) == "\N{HIRAGANA LETTER A}" * 33
