from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock import Output, separate_file
from stemdock.errors import OutputOptionError
from stemdock.output.mixes import parse_mix, selected
from support.small_model import write_noise

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Separator

STEMS = ("vocals", "drums", "bass", "other")


@pytest.mark.parametrize(
    ("text", "name", "terms"),
    [
        ("karaoke=drums+bass+other", "karaoke", ("drums", "bass", "other")),
        ("karaoke=all-vocals", "karaoke", ("-vocals",)),
        (" a b = all - drums -bass", "a b", ("-drums", "-bass")),
        ("solo=vocals", "solo", ("vocals",)),
    ],
)
def test_mixes_are_understood(text: str, name: str, terms: tuple[str, ...]) -> None:
    assert parse_mix(text) == (name, terms)


@pytest.mark.parametrize("text", ["", "karaoke", "karaoke=", "=vocals", "k=vocals+", "k=all-", "k=+vocals"])
def test_what_is_no_mix_is_refused(text: str) -> None:
    with pytest.raises(OutputOptionError, match="not a valid mix"):
        parse_mix(text)


@given(st.text())
def test_any_text_is_a_mix_or_refused(text: str) -> None:
    try:
        name, terms = parse_mix(text)
    except OutputOptionError:
        return
    assert name
    assert all(term.strip("-") for term in terms)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({}, {"vocals": (0,), "drums": (1,), "bass": (2,), "other": (3,)}),
        ({"stems": ("bass", "vocals")}, {"vocals": (0,), "bass": (2,)}),
        ({"stems": (), "mixes": {"k": ("-vocals",)}}, {"k": (1, 2, 3)}),
        ({"stems": ("bass",), "mixes": {"r": ("bass", "drums")}}, {"bass": (2,), "r": (1, 2)}),
        (
            {
                "stems": ("bass", "vocals", "drums"),
                "mixes": {"other": ("mixture", "-vocals", "-drums", "-bass")},
            },
            {"vocals": (0,), "drums": (1,), "bass": (2,), "other": (3, 4)},
        ),
    ],
)
def test_what_is_selected(output: dict[str, Any], expected: dict[str, tuple[int, ...]]) -> None:
    found = selected(Output(**output), STEMS)
    assert found == expected
    assert list(found) == list(expected)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ({"stems": ("guitar",)}, "no stem 'guitar'"),
        ({"mixes": {"k": ("guitar",)}}, "no stem 'guitar'"),
        ({"mixes": {"k": ("-guitar",)}}, "no stem 'guitar'"),
        ({"mixes": {"Vocals": ("drums",)}}, "Vocals is already used"),
        ({"mixes": {"k": ("drums",), "K": ("bass",)}}, "K is already used"),
        ({"mixes": {"k": tuple(f"-{stem}" for stem in STEMS)}}, "k contains no stem"),
        ({"mixes": {"k": ("drums", "-bass")}}, "both adds and omits"),
        ({"mixes": {"k": ("drums", "bass", "drums")}}, "k names drums more than once"),
        ({"mixes": {"k": ("-bass", "-bass")}}, "k names bass more than once"),
        ({"stems": ()}, "there is nothing to write"),
        ({"mixes": {"a/b": ("bass",)}}, "the name 'a/b' cannot be a file name"),
        ({"mixes": {"con": ("bass",)}}, "the name 'con' cannot be a file name"),
    ],
)
def test_what_cannot_be_selected(output: dict[str, Any], reason: str) -> None:
    with pytest.raises(OutputOptionError, match=reason) as caught:
        selected(Output(**output), STEMS)
    if "no stem '" in reason:
        assert "vocals, drums, bass, other" in caught.value.remedy


def test_only_the_stems_that_are_wanted_are_written(
    small_separator: Separator, song: Path, tmp_path: Path
) -> None:
    separated = separate_file(small_separator, song, tmp_path / "out", output=Output(stems=("high",)))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["high.wav"]
    assert list(separated.stems) == list(separated.peaks) == ["high"]


def test_a_mix_is_the_sum_before_the_samples_are_rounded(small_separator: Separator, tmp_path: Path) -> None:
    """Stems beyond full scale whose sum is within it: clipped first, they would not add up to it."""
    source = write_noise(tmp_path / "loud.wav", level=1.2)
    output = Output(bit_depth="16", mixes={"all of it": ("low", "high")})
    separated = separate_file(small_separator, source, tmp_path / "out", output=output)
    stems = small_separator.separate(soundfile.read(source, dtype="float32")[0])
    expected = stems["low"] + stems["high"]
    found, _ = soundfile.read(separated.mixes["all of it"], dtype="float32")
    np.testing.assert_allclose(found, np.clip(expected, -1, 1), atol=2**-15)
    assert separated.peaks["all of it"] == np.abs(expected).max()
    assert list(separated.files) == ["low", "high", "all of it"]
