from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from stemdock import Output, Plugins, Separator, separate_file
from stemdock.errors import OutputOptionError
from stemdock.output.mix_terms import Level
from stemdock.output.mixes import mix_levels, parse_mix, selected
from support.small_model import SmallPlugin, small_card, write_noise

if TYPE_CHECKING:
    from pathlib import Path

STEMS = ("vocals", "drums", "bass", "other")


@pytest.mark.parametrize(
    ("text", "name", "terms"),
    [
        ("karaoke=drums+bass+other", "karaoke", ("drums", "bass", "other")),
        ("karaoke=all-vocals", "karaoke", ("-vocals",)),
        (" a b = all - drums -bass", "a b", ("-drums", "-bass")),
        ("solo=vocals", "solo", ("vocals",)),
        ("practice=vocals:-12dB+drums+bass", "practice", ("vocals:-12dB", "drums", "bass")),
        ("p=vocals: +3dB :L30 + drums:r100", "p", ("vocals:+3dB:L30", "drums:r100")),
        ("p=all-vocals+vocals:-1.5dB", "p", ("-vocals", "vocals:-1.5dB")),
        ("p=mixture-vocals-bass", "p", ("mixture", "-vocals", "-bass")),
        ("p=lead-vocals+drums", "p", ("lead-vocals", "drums")),
    ],
)
def test_mixes_are_understood(text: str, name: str, terms: tuple[str, ...]) -> None:
    assert parse_mix(text) == (name, terms)


@pytest.mark.parametrize("text", ["", "karaoke", "karaoke=", "=vocals", "k=vocals+", "k=all-", "k=+vocals"])
def test_what_is_no_mix_is_refused(text: str) -> None:
    with pytest.raises(OutputOptionError, match="not a valid mix"):
        parse_mix(text)


@pytest.mark.parametrize(
    ("text", "reason", "remedy"),
    [
        ("p=vocals:-12", "p: '-12' of vocals is neither a gain nor a pan", "vocals:-12dB, vocals:L50 or"),
        ("p=vocals:", "'' of vocals is neither a gain nor a pan", "vocals:-12dB"),
        ("p=vocals:-12 dB", "'-12 dB' of vocals is neither", "vocals:-12dB"),
        ("p=vocals:41dB", "'41dB' of vocals is out of range", "Use -100dB to +40dB"),
        ("p=vocals:-101dB", "'-101dB' of vocals is out of range", "leave the stem out"),
        ("p=vocals:infdB", "'infdB' of vocals is neither", "vocals:-12dB"),
        ("p=vocals:L101", "'L101' of vocals is out of range", "Use L100 to R100"),
        ("p=vocals:1dB:2dB", "vocals has two gains", "one gain and one pan"),
        ("p=vocals:L1:R1", "vocals has two pans", "one gain and one pan"),
        ("p=:3dB", "not a valid mix", "NAME=STEM"),
    ],
)
def test_what_is_no_level_is_refused(text: str, reason: str, remedy: str) -> None:
    with pytest.raises(OutputOptionError) as caught:
        parse_mix(text)
    assert reason in str(caught.value)
    assert remedy in caught.value.remedy


@given(st.text(alphabet="kp=+-:dBLR1all.vocals ") | st.text())
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
        ({"stems": (), "mixes": {"r": ("bass:-3dB", "drums:L9")}}, {"r": (1, 2)}),
        ({"stems": (), "mixes": {"r": ("-bass", "bass:-3dB")}}, {"r": (0, 1, 2, 3)}),
        ({"stems": (), "mixes": {"r": ("mixture", "-bass", "bass:-3dB")}}, {"r": (0, 1, 2, 3, 4)}),
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
        ({"mixes": {"k": ("bass:-3dB", "bass")}}, "k names bass more than once"),
        ({"mixes": {"k": ("-drums", "bass:-3dB")}}, "both adds and omits"),
        ({"mixes": {"k": ("mixture", "bass:-3dB")}}, "both adds and omits"),
        ({"mixes": {"k": ("-bass:-3dB",)}}, "k gives a gain or pan to a stem that is left out"),
        ({"mixes": {"k": ("mixture:-3dB", "-bass")}}, "k gives a gain or pan to a whole mixture"),
        ({"mixes": {"k": ("bass:loud",)}}, "k: 'loud' of bass is neither a gain nor a pan"),
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


@pytest.mark.parametrize(
    ("stems", "stem", "model"),
    [
        (("vocals", "accompaniment"), "drums", "4stems"),
        (("vocals", "accompaniment"), "piano", "5stems"),
        (STEMS, "piano", "5stems"),
        (STEMS, "accompaniment", "2stems"),
        (("low", "high"), "drums", ""),
        (STEMS, "guitar", ""),
    ],
)
def test_the_model_that_has_the_stem(stems: tuple[str, ...], stem: str, model: str) -> None:
    for output in (Output(stems=(stem,)), Output(mixes={"k": (stem,)})):
        with pytest.raises(OutputOptionError) as caught:
            selected(output, stems)
        other = f", or use --model {model}" if model else ""
        assert caught.value.remedy == f"Choose from its stems: {', '.join(stems)}{other}."


def test_the_levels_of_mixes() -> None:
    mixes = {"a": ("bass", "drums"), "b": ("bass:-6dB:R50", "drums"), "c": ("-vocals", "vocals:L100")}
    assert mix_levels(Output(mixes=mixes), STEMS) == {
        "b": {1: Level(), 2: Level(gain_db=-6, pan=0.5)},
        "c": {0: Level(pan=-1), 1: Level(), 2: Level(), 3: Level()},
    }


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


@pytest.mark.parametrize("output_format", [None, "zip"])
def test_a_mix_with_levels(
    small_separator: Separator, song: Path, tmp_path: Path, output_format: Any
) -> None:
    """The oracle is the definition of each level, without Stemdock's law of panning: hard left, and dB."""
    mixes = {"m": ("low:-6dB", "high:L100"), "rest": ("mixture", "-low", "low:+6dB")}
    output = Output(format=output_format, stems=(), mixes=mixes)
    separated = separate_file(small_separator, song, tmp_path / "out", output=output)
    mixture = soundfile.read(song, dtype="float32")[0]
    stems = small_separator.separate(mixture)
    low, high = stems["low"], stems["high"]
    left = high.sum(axis=1)
    expected = {
        "m": low * 10 ** (-6 / 20) + np.stack([left, np.zeros_like(left)], axis=1),
        "rest": mixture + low * (10 ** (6 / 20) - 1),
    }
    if output_format:
        with ZipFile(separated.packages["zip"]) as archive:
            archive.extractall(tmp_path)
        files = {name: tmp_path / "song" / f"{name}.wav" for name in expected}
    else:
        files = dict(separated.mixes)
    for name, samples in expected.items():
        found, _ = soundfile.read(files[name], dtype="float32")
        np.testing.assert_allclose(found, samples, atol=1e-6)


def test_only_stereo_can_be_panned(song: Path, tmp_path: Path) -> None:
    plugins = Plugins()
    plugins.register(SmallPlugin(tmp_path, small_card(n_channels=1)), "small")
    mono = Separator("small", plugins=plugins)
    source = write_noise(tmp_path / "mono.wav", n_channels=1)
    made = separate_file(mono, source, tmp_path / "out", output=Output(mixes={"m": ("low:-6dB", "high")}))
    assert list(made.mixes) == ["m"]
    with pytest.raises(OutputOptionError, match="m has a pan, and the stems of small are not stereo"):
        separate_file(mono, song, tmp_path / "two", output=Output(mixes={"m": ("low:L5", "high")}))
