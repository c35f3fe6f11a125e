"""Formats that hold all stems of a song in one file, and what each of them supports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputOptionError
from stemdock.output.codecs import codec_of, written_rate
from stemdock.output.dj_parts import dj_file
from stemdock.output.mixes import selected
from stemdock.output.naming import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.naming import Destination
    from stemdock.output.options import CodecName, FormatName, Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format and what it supports."""

    name: str
    title: str
    """For people."""
    codecs: tuple[CodecName, ...]
    """The default comes first."""
    sample_rates: Sequence[int]
    """Hz, ascending."""
    template: str
    """Default names of its files."""
    endings: tuple[str, ...]
    """Ends of names by which other programs recognise its files."""


FORMATS: Final = {
    each.name: each
    for each in (
        Format(
            name="stem",
            title="a DJ stem file",
            codecs=("m4a", "alac"),
            sample_rates=(44100,),
            template="{filename}.stem.{codec}",
            endings=(".stem.m4a", ".stem.mp4"),
        ),
    )
}


def format_of(output: Output) -> Format | None:
    """The format of an output, which supports the output's other settings; None for one file for each stem.

    Raises:
        OutputOptionError: The format is unknown, or does not support the codec, the sample rate or mixes.
    """
    if output.format is None:
        return None
    found = FORMATS.get(output.format)
    if found is None:
        raise OutputOptionError(
            "format", f"{output.format} is unknown", remedy=f"Use one of {', '.join(FORMATS)}."
        )
    if output.codec not in found.codecs:
        raise OutputOptionError(
            "codec",
            f"{found.title} cannot contain {output.codec}",
            remedy=f"Use {' or '.join(found.codecs)}.",
        )
    if output.sample_rate is not None and output.sample_rate not in found.sample_rates:
        raise OutputOptionError(
            "sample rate",
            f"{found.title} does not support {output.sample_rate} Hz",
            remedy=f"Use {' or '.join(map(str, found.sample_rates))} Hz.",
        )
    if output.mixes:
        raise OutputOptionError(
            "mix", f"{found.title} contains no mixes", remedy="Write the mixes in a run without the format."
        )
    return found


def default_codec(form: FormatName | None) -> CodecName:
    """The codec of a format, or of files for each stem, if none is chosen."""
    return FORMATS[form].codecs[0] if form else "wav"


def result_names(output: Output, stems: Sequence[str]) -> tuple[str, ...]:
    """The files of each song by name: its stems and mixes, or the format if one file holds all.

    Raises:
        OutputOptionError: The model or the format does not have what `output` asks for.
    """
    found = format_of(output)
    if found is None:
        return tuple(selected(output, stems))
    dj_file(output.stems, stems)
    return (found.name,)


def named_for(output: Output, destination: Destination) -> Destination:
    """A destination with the format's template instead of the default one.

    Raises:
        OutputOptionError: The template gives files names by which other programs do not recognise them.
    """
    found = format_of(output)
    if found is None:
        return destination
    if destination.template == DEFAULT_TEMPLATE:
        return replace(destination, template=found.template)
    check_ending(found, destination.template.replace("{codec}", codec_of(output).extension), "template")
    return destination


def check_ending(form: Format, name: str, option: str) -> None:
    """Checks the end of a name.

    Raises:
        OutputOptionError: Other programs would not recognise the file.
    """
    if not name.lower().endswith(form.endings):
        raise OutputOptionError(
            option,
            f"other programs recognise {form.title} by the end of its name, and {name!r} ends otherwise",
            remedy=f"End it with {' or '.join(form.endings)}.",
        )


def file_rate(output: Output, sample_rate: int) -> tuple[int, str]:
    """The sample rate of the files of a song, and what decides it if it is not the song's.

    Args:
        output: The format, codec and settings.
        sample_rate: Hz of the song.

    Returns:
        Hz, and the name of the codec or format, for a warning.
    """
    codec, form = codec_of(output), format_of(output)
    if form is None:
        return output.sample_rate or written_rate(codec.sample_rates, sample_rate), codec.name
    return output.sample_rate or written_rate(form.sample_rates, sample_rate), form.title
