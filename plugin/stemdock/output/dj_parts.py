"""The four parts of a DJ stem file, from the stems of any model.

The parts add up to the mixture, because DJ programs play the parts and not the mixture: sound that the stems
leave out, such as that above the bandwidth of a model, goes to one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.errors import OutputOptionError
from stemdock.output.colors import COLORS, GREY
from stemdock.output.mixes import check_known

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

N_PARTS: Final = 4
MIXTURE: Final = "(mixture)"
_SILENCE: Final = "(silence)"
"""Names of sounds that are no stems; the brackets keep them apart from those of stems."""
_PLACES: Final = {"drums": 0, "bass": 1, "other": 2, "accompaniment": 2, "vocals": 3}
"""Where each stem is in Traktor's own stem files, so that a controller's knob always moves the same stem."""
_OWN: Final = ("drums", "bass", "vocals")
"""Stems of larger models that get a part of their own; all others share one."""
_REST: Final = ("other", "accompaniment")
"""Stems that get what the stems leave of the mixture; of models without them, the last stem."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DjPart:
    """A part of a DJ stem file."""

    name: str
    """What DJ programs show."""
    color: str
    """As in HTML: `#RRGGBB`."""
    sound: str
    """Name of the sound that it plays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DjFile:
    """What a DJ stem file contains."""

    sounds: Mapping[str, tuple[int, ...]]
    """The sounds to encode, the mixture first: for each name, the indices of the stems that are added up.
    An index after the last stem stands for what the stems leave of the mixture."""
    parts: tuple[DjPart, ...]
    """Four, in the order of the file."""


def dj_file(requested: Sequence[str] | None, stems: Sequence[str]) -> DjFile:
    """Distributes the stems of a model among the four parts.

    A model with up to four stems has a part for each; the others are silent. Of a larger model, drums, bass
    and vocals have one each, and all other stems share the fourth.

    Args:
        requested: Stems that get a part of their own; all others share one. None for the usual parts.
        stems: The model's stems, in its order.

    Raises:
        OutputOptionError: A stem is unknown, there is none, or there are too many.
    """
    if requested is None:
        requested = stems if len(stems) <= N_PARTS else [stem for stem in _OWN if stem in stems] or stems[:3]
    check_known(requested, stems)
    own = [stem for stem in stems if stem in requested]
    shared = [stem for stem in stems if stem not in requested]
    if not own:
        raise OutputOptionError("stems", "there is nothing to write", remedy="Choose a stem.")
    if len(own) + bool(shared) > N_PARTS:
        raise OutputOptionError(
            "stems",
            f"a DJ stem file has room for {N_PARTS} parts, and these are {len(own) + bool(shared)}",
            remedy=f"Choose up to {N_PARTS - 1} stems: all others share the last part.",
        )
    chosen = {stem: [stems.index(stem)] for stem in own}
    if shared:
        name = shared[0] if len(shared) == 1 else next(each for each in ("other", "rest") if each not in own)
        chosen[name] = [stems.index(stem) for stem in shared]
    else:
        name = next((stem for stem in _REST if stem in own), own[-1])
    chosen[name].append(len(stems))
    placed = _placed(list(chosen))
    sounds = {MIXTURE: tuple(range(len(stems) + 1))} | {stem: tuple(chosen[stem]) for stem in placed if stem}
    if None in placed:
        sounds[_SILENCE] = ()
    return DjFile(sounds=sounds, parts=tuple(_part(place, stem) for place, stem in enumerate(placed)))


def _placed(names: Sequence[str]) -> list[str | None]:
    """The stem in each place; None for silence."""
    placed: list[str | None] = [None] * N_PARTS
    waiting = []
    for name in names:
        place = _PLACES.get(name)
        if place is None or placed[place] is not None:
            waiting.append(name)
        else:
            placed[place] = name
    for name in waiting:
        placed[placed.index(None)] = name
    return placed


def _part(place: int, stem: str | None) -> DjPart:
    if stem is None:
        return DjPart(name="Silence", color=GREY, sound=_SILENCE)
    return DjPart(name=stem[:1].upper() + stem[1:], color=COLORS[place], sound=stem)
