"""What a page wants of a song."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

REST: Final = "everything else"
"""The part with what the chosen stems leave of the mixture."""
_RESTS: Final = ("other", "accompaniment")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What becomes of a song: parts that add up to it."""

    stems: tuple[str, ...]
    """Stems as they are."""
    rest: str
    """Name of the part that has all else, also what the model cannot hear."""


def parts_of(chosen: tuple[str, ...] | None, stems: tuple[str, ...]) -> Parts:
    """The parts of a song.

    Args:
        chosen: The stems that a page wants; None for all.
        stems: Those of the model.
    """
    if chosen is not None:
        return Parts(stems=chosen, rest=REST)
    # As in DJ stem files: the stem that has all other instruments takes the rest.
    rest = next((stem for stem in _RESTS if stem in stems), None)
    return Parts(stems=tuple(stem for stem in stems if stem != rest), rest=rest or REST)


@dataclass(frozen=True, slots=True, kw_only=True)
class SongOrder:
    """What a page wants of a song."""

    name: str
    """Of its file, which may be anything."""
    model: str
    parts: Parts
    question: Callable[[], str]
    """Gives what to ask before the model is downloaded; an empty text if it is installed."""
