from __future__ import annotations

from pathlib import Path

import pytest

from stemdock import Output
from stemdock.errors import OutputOptionError
from stemdock.output.dj_parts import dj_file
from stemdock.output.formats import FORMATS, file_rate, format_of, named_for
from stemdock.output.naming import Destination
from stemdock.output.packages import result_names

TWO = ("vocals", "accompaniment")
FOUR = ("vocals", "drums", "bass", "other")
FIVE = ("vocals", "piano", "drums", "bass", "other")


def parts(stems: tuple[str, ...], requested: tuple[str, ...] | None = None) -> list[tuple[str, set[str]]]:
    """The name of each part and the stems in it; "rest" is what the stems leave of the mixture."""
    content = dj_file(requested, stems)
    names = (*stems, "rest")
    return [(part.name, {names[index] for index in content.sounds[part.sound]}) for part in content.parts]


SILENCE = ("Silence", set[str]())


@pytest.mark.parametrize(
    ("stems", "requested", "expected"),
    [
        (TWO, None, [SILENCE, SILENCE, ("Accompaniment", {"accompaniment", "rest"}), ("Vocals", {"vocals"})]),
        (TWO, ("vocals",),
         [SILENCE, SILENCE, ("Accompaniment", {"accompaniment", "rest"}), ("Vocals", {"vocals"})]),
        (FOUR, None,
         [("Drums", {"drums"}), ("Bass", {"bass"}), ("Other", {"other", "rest"}), ("Vocals", {"vocals"})]),
        (FIVE, None,
         [("Drums", {"drums"}), ("Bass", {"bass"}), ("Other", {"piano", "other", "rest"}),
          ("Vocals", {"vocals"})]),
        (FIVE, ("vocals", "piano"),
         [("Piano", {"piano"}), SILENCE, ("Other", {"drums", "bass", "other", "rest"}),
          ("Vocals", {"vocals"})]),
        (FIVE, ("other",),
         [("Rest", {"vocals", "piano", "drums", "bass", "rest"}), SILENCE, ("Other", {"other"}), SILENCE]),
        (("harmonic", "percussive"), None,
         [("Harmonic", {"harmonic"}), ("Percussive", {"percussive", "rest"}), SILENCE, SILENCE]),
        (("a", "b", "c", "d", "e"), None, [("A", {"a"}), ("B", {"b"}),
         ("Other", {"d", "e", "rest"}), ("C", {"c"})]),
    ],
)  # fmt: skip
def test_how_stems_become_four_parts(
    stems: tuple[str, ...], requested: tuple[str, ...] | None, expected: list[tuple[str, set[str]]]
) -> None:
    assert parts(stems, requested) == expected


@pytest.mark.parametrize("stems", [TWO, FOUR, FIVE, ("only",), ("harmonic", "percussive")])
def test_the_parts_add_up_to_the_mixture(stems: tuple[str, ...]) -> None:
    """DJ programs play the four parts: a stem that is in none, or in two, would be heard."""
    content = dj_file(None, stems)
    played = [index for part in content.parts for index in content.sounds[part.sound]]
    everything = list(range(len(stems) + 1))
    assert sorted(played) == everything
    assert list(next(iter(content.sounds.values()))) == everything
    assert len(content.parts) == 4


def test_colors_tell_parts_apart() -> None:
    colors = [part.color for part in dj_file(None, FOUR).parts]
    assert len(set(colors)) == 4
    assert all(len(color) == 7 and int(color[1:], 16) >= 0 for color in colors)
    assert [part.color for part in dj_file(None, TWO).parts][2:] == colors[2:]


@pytest.mark.parametrize(
    ("stems", "requested", "reason"),
    [
        (FIVE, ("vocals", "piano", "drums", "bass"), "room for 4 parts, and these are 5"),
        (FIVE, FIVE, "room for 4 parts, and these are 5"),
        (FOUR, ("guitar",), "no stem 'guitar'"),
        (FOUR, (), "nothing to write"),
    ],
)
def test_what_does_not_fit(stems: tuple[str, ...], requested: tuple[str, ...], reason: str) -> None:
    with pytest.raises(OutputOptionError, match=reason) as caught:
        dj_file(requested, stems)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (Output(format="stem"), "cannot contain wav"),
        (Output(format="stem", codec="m4a", sample_rate=48000), "does not support 48000 Hz"),
        (Output(format="stem", codec="m4a", mixes={"a": ("vocals",)}), "contains no mixes"),
        (Output(format="tar", codec="m4a"), "tar is unknown"),  # type: ignore[arg-type]
    ],
)
def test_what_the_format_does_not_have(output: Output, reason: str) -> None:
    with pytest.raises(OutputOptionError, match=reason) as caught:
        format_of(output)
    assert caught.value.remedy


def test_one_file_for_each_song() -> None:
    output = Output(format="stem", codec="alac")
    assert result_names(output, FOUR) == ("stem",)
    destination = named_for(output, Destination(folder=Path("out")))
    assert destination.targets(Path("song.mp3"), ["stem"], codec="m4a", model="m") == {
        "stem": Path("out/song.stem.m4a")
    }
    assert result_names(Output(), FOUR) == FOUR


@pytest.mark.parametrize("template", ["{title}.stem.mp4", "a/{filename}.STEM.m4a", "{artist}.stem.{codec}"])
def test_names_that_dj_programs_recognise(template: str) -> None:
    destination = Destination(folder=Path(), template=template)
    assert named_for(Output(format="stem", codec="m4a"), destination) == destination


@pytest.mark.parametrize("template", ["{title}.m4a", "{filename}.stem", "{filename}stem.m4a"])
def test_names_that_they_do_not_recognise(template: str) -> None:
    with pytest.raises(OutputOptionError, match="recognise") as caught:
        named_for(Output(format="stem", codec="m4a"), Destination(folder=Path(), template=template))
    assert caught.value.option == "template"
    assert ".stem.m4a" in caught.value.remedy


@pytest.mark.parametrize(
    ("output", "rate", "expected"),
    [
        (Output(format="stem", codec="m4a"), 96000, (44100, FORMATS["stem"].title)),
        (Output(format="stem", codec="alac"), 8000, (44100, FORMATS["stem"].title)),
        (Output(codec="opus"), 44100, (48000, "opus")),
        (Output(sample_rate=22050), 44100, (22050, "wav")),
    ],
)
def test_sample_rates(output: Output, rate: int, expected: tuple[int, str]) -> None:
    assert file_rate(output, rate) == expected
