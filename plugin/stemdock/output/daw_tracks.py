"""The tracks of a project for audio editors: the mixture and the stems of a song."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.output.colors import COLORS, GREY
from stemdock.output.mixes import name_used, selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock.output.options import Output

_MIXTURE: Final = "(mixture)"
"""Name of a sound that is no stem; the brackets keep it apart from stems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DawTrack:
    """A track with one clip, which starts at the beginning of the project."""

    name: str
    color: str
    """As in HTML: `#RRGGBB`."""
    sound: str
    """Name of the sound in its clip."""
    is_muted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DawProject:
    """What a project contains."""

    sounds: Mapping[str, tuple[int, ...]]
    """The sounds to encode: for each name, the indices of the stems that are added up. An index after the
    last stem stands for what the stems leave of the mixture."""
    tracks: tuple[DawTrack, ...]
    """From the top."""


def daw_project(output: Output, stems: Sequence[str]) -> DawProject:
    """The mixture, then the stems and mixes to write. Mixture and mixes are muted: stems would sound twice.

    Args:
        output: Which stems and mixes to write.
        stems: The model's stems, in its order.

    Raises:
        OutputOptionError: The model does not have the stems that `output` asks for, or a mix has the name of
            the mixture or of the project.
    """
    chosen = selected(output, stems)
    for name in output.mixes:
        if name.casefold() in {_MIXTURE, output.format}:
            raise name_used(name)
    colors = {name: COLORS[number % len(COLORS)] for number, name in enumerate(chosen) if name in stems}
    return DawProject(
        sounds={_MIXTURE: tuple(range(len(stems) + 1))} | chosen,
        tracks=(
            DawTrack(name="mixture", color=GREY, sound=_MIXTURE, is_muted=True),
            *(
                DawTrack(
                    name=name,
                    color=colors.get(name, GREY),
                    sound=name,
                    is_muted=name not in stems and any(stem in stems for stem in chosen),
                )
                for name in chosen
            ),
        ),
    )
