"""What files that hold all stems of a song contain."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from stemdock.errors import OutputOptionError
from stemdock.output.codecs import codec_of
from stemdock.output.daw_tracks import daw_project
from stemdock.output.dj_parts import dj_file
from stemdock.output.formats import format_of
from stemdock.output.mixes import selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock.output.daw_tracks import DawProject
    from stemdock.output.dj_parts import DjFile
    from stemdock.output.options import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class StemArchive:
    """What an archive of stems contains."""

    sounds: Mapping[str, tuple[int, ...]]
    """The stems and mixes to encode: for each name, the indices of the stems that are added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """What a film with another sound contains, besides the picture."""

    sounds: Mapping[str, tuple[int, ...]]
    """The single stem or mix to encode, with the indices of the stems that are added up."""


Package: TypeAlias = "DjFile | DawProject | StemArchive | Film"
"""The content of a file that holds all stems of a song."""


def package_of(output: Output, stems: Sequence[str]) -> Package | None:
    """The content of the file that holds all stems of a song; None for one file for each stem.

    Raises:
        OutputOptionError: The model or the format does not have what `output` asks for.
    """
    found = format_of(output)
    if found is None:
        return None
    if found.name == "stem":
        return dj_file(output.stems, stems)
    if found.name in {"dawproject", "rpp", "ardour", "audacity"}:
        return daw_project(output, stems)
    if found.name == "video":
        return _film(output, stems)
    return StemArchive(sounds=selected(output, stems))


def _film(output: Output, stems: Sequence[str]) -> Film:
    # The mix alone is meant: all stems beside it could not be.
    is_mix = output.stems is None and output.mixes
    sounds = selected(replace(output, stems=()) if is_mix else output, stems)
    if len(sounds) != 1:
        raise OutputOptionError(
            "format",
            f"a film has one sound, and this run makes {len(sounds)}: {', '.join(sounds)}",
            remedy="Choose one stem with --stems, or one mix with --mix.",
        )
    return Film(sounds=sounds)


def result_names(output: Output, stems: Sequence[str]) -> tuple[str, ...]:
    """The files of each song by name: its stems and mixes, or the format if one file holds all.

    Raises:
        OutputOptionError: The model or the format does not have what `output` asks for.
    """
    package = package_of(output, stems)
    if output.format is None or package is None:
        return tuple(selected(output, stems))
    return (output.format,)


def sound_files(output: Output, stems: Sequence[str]) -> dict[str, str]:
    """The files of sounds beside a project: as of `Destination.companions`; empty for other formats.

    Raises:
        OutputOptionError: The model or the format does not have what `output` asks for.
    """
    found, package = format_of(output), package_of(output, stems)
    if found is None or package is None or not found.sound:
        return {}
    extension = codec_of(output).extension
    return {name: found.sound.replace("{sound}", f"{name}.{extension}") for name in package.sounds}
