"""Formats that hold all stems of a song in one file, and what each of them supports."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputOptionError
from stemdock.output.codecs import SAMPLE_RATES, codec_of, written_rate
from stemdock.output.naming import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.naming import Destination
    from stemdock.output.options import CodecName, FormatName, Output


KEPT_ENDING: Final = ".{extension}"
"""End of templates that keep that of the song's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format and what it supports."""

    name: str
    title: str
    """For people."""
    codecs: tuple[CodecName, ...]
    """The default comes first."""
    sample_rates: Sequence[int] = SAMPLE_RATES
    """Hz, ascending; those of the codecs are further limits."""
    n_channels: int | None = None
    """Channels of the stems; None for any number."""
    contains_mixes: bool
    template: str
    """Default names of its files."""
    endings: tuple[str, ...]
    """Ends of names by which other programs recognise its files."""
    sound: str = ""
    """Path of a sound from the folder of the file: {project} stands for the name of the file without the
    ending, {sound} for that of the sound. Empty if the sounds are inside the file."""
    has_own_folder: bool = False
    """Whether the file has the name of its folder, which contains nothing else."""

    @property
    def keeps_ending(self) -> bool:
        """Whether its files have the ends of the songs' names."""
        return self.template.endswith(KEPT_ENDING)


FORMATS: Final = {
    each.name: each
    for each in (
        Format(
            name="stem",
            title="a DJ stem file",
            codecs=("m4a", "alac"),
            sample_rates=(44100,),
            n_channels=2,
            contains_mixes=False,
            template="{filename}.stem.{codec}",
            endings=(".stem.m4a", ".stem.mp4"),
        ),
        Format(
            name="dawproject",
            title="a DAWproject file",
            codecs=("wav", "flac"),
            contains_mixes=True,
            template="{filename}.dawproject",
            endings=(".dawproject",),
        ),
        Format(
            name="rpp",
            title="a REAPER project",
            codecs=("wav", "flac", "mp3", "ogg", "opus"),
            contains_mixes=True,
            template="{filename}/{filename}.rpp",
            endings=(".rpp",),
            sound="{project} media/{sound}",
        ),
        Format(
            name="ardour",
            title="a session of Ardour",
            codecs=("wav", "flac"),
            contains_mixes=True,
            template="{filename}/{filename}.ardour",
            endings=(".ardour",),
            sound="interchange/{project}/audiofiles/{sound}",
            has_own_folder=True,
        ),
        Format(
            name="audacity",
            title="a project of Audacity",
            codecs=("wav",),
            contains_mixes=True,
            template="{filename}/{filename}.aup",
            endings=(".aup",),
            # The whole name, because Audacity looks for it in its current folder first.
            sound="{project}_data/{project} {sound}",
        ),
        Format(
            name="zip",
            title="a zip archive",
            codecs=("wav", "flac", "mp3", "ogg", "opus", "m4a", "alac"),
            contains_mixes=True,
            template="{filename}.zip",
            endings=(".zip",),
        ),
        Format(
            name="video",
            title="a film",
            codecs=("m4a", "alac", "flac"),
            contains_mixes=True,
            template="{filename}.{extension}",
            endings=(".mp4", ".m4v", ".mov", ".mkv"),
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
    if output.mixes and not found.contains_mixes:
        raise OutputOptionError(
            "mix", f"{found.title} contains no mixes", remedy="Write the mixes in a run without the format."
        )
    return found


def default_codec(form: FormatName | None) -> CodecName:
    """The codec of a format, or of files for each stem, if none is chosen."""
    return FORMATS[form].codecs[0] if form else "wav"


def named_for(output: Output, destination: Destination) -> Destination:
    """A destination with the format's template instead of the default one.

    Raises:
        OutputOptionError: The template gives files names by which other programs do not recognise them.
    """
    found = format_of(output)
    if found is None:
        return destination
    if found.has_own_folder:
        destination = replace(destination, own_folder=found.endings[0])
    if destination.template == DEFAULT_TEMPLATE:
        return replace(destination, template=found.template)
    template = destination.template.replace("{codec}", codec_of(output).extension)
    # That of a song is known later, from its file.
    if not (found.keeps_ending and template.endswith(KEPT_ENDING)):
        check_ending(found, template, "template", f"End it with {' or '.join(found.endings)}.")
    if found.has_own_folder:
        _check_folder(found, template)
    return destination


def _check_folder(form: Format, template: str) -> None:
    folder, name = ["", *re.split(r"[/\\]", template)][-2:]
    ending = name[-len(form.endings[0]) :]
    if name != f"{folder}{form.endings[0]}":
        own = name.removesuffix(ending)
        raise OutputOptionError(
            "template",
            f"{form.title} has a folder of its name, and {template!r} names another one",
            remedy=f"Write {own}/{own}{form.endings[0]}",
        )


def check_ending(form: Format, name: str, option: str, remedy: str) -> None:
    """Checks the end of a name.

    Args:
        form: The format of the file.
        name: Of the file, or its template.
        option: What the name comes from, for the error.
        remedy: What to do if the end is wrong.

    Raises:
        OutputOptionError: Other programs would not recognise the file.
    """
    if not name.lower().endswith(form.endings):
        raise OutputOptionError(
            option,
            f"other programs recognise {form.title} by the end of its name, and {name!r} ends otherwise",
            remedy=remedy,
        )


def is_project(name: str) -> bool:
    """Whether people save their own work under a name of results: it is a project beside its sounds."""
    return any(form.sound and name.lower().endswith(form.endings) for form in FORMATS.values())


def file_rate(output: Output, sample_rate: int) -> tuple[int, str]:
    """The sample rate of the files of a song, and what decides it if it is not the song's.

    Args:
        output: The format, codec and settings.
        sample_rate: Hz of the song.

    Returns:
        Hz, and the name of the codec or format, for a warning.
    """
    codec, form = codec_of(output), format_of(output)
    if output.sample_rate is not None:
        return output.sample_rate, codec.name
    if form is not None and (rate := written_rate(form.sample_rates, sample_rate)) != sample_rate:
        return rate, form.title
    return written_rate(codec.sample_rates, sample_rate), codec.name
