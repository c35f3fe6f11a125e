"""Songs with known stems in the layout of MUSDB18-HQ: SUBSET/TRACK/{mixture,STEM}.wav."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock import os_errors_as
from stemdock_evaluation.errors import DatasetError, IncomparableModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


SUBSET: Final = "test"
"""The songs that are not used for training."""
STEMS: Final = ("vocals", "drums", "bass", "other")
"""The stems of each song, which add up to the mixture."""

_ACCOMPANIMENT: Final = "accompaniment"
"""A model's stem for everything that its other stems leave."""
_MIN_SOURCES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One song; its files may be missing."""

    folder: Path

    @property
    def name(self) -> str:
        """The track's name."""
        return self.folder.name

    @property
    def mixture(self) -> Path:
        """The file to separate."""
        return self.stem("mixture")

    def stem(self, name: str) -> Path:
        """The file of a true stem."""
        return self.folder / f"{name}.wav"


def find_tracks(folder: Path) -> list[Track]:
    """The folders in FOLDER/test, sorted by name.

    Raises:
        DatasetError: FOLDER/test cannot be read or has no folders.
    """
    subset = folder / SUBSET
    with os_errors_as(lambda reason: DatasetError(subset, f"cannot be read ({reason})")):
        paths = sorted(path for path in subset.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not paths:
        raise DatasetError(subset, "contains no track folders")
    return [Track(folder=path) for path in paths]


def references(model: str, stems: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """For each measured stem of a model, the true stems that add up to its reference.

    The reference of "accompaniment" is the sum of all stems that the model does not name. A stem that the
    songs do not have, such as the piano of 5stems, is not measured, as in Spleeter's own evaluation.

    Args:
        model: Name of the model.
        stems: Its stems.

    Raises:
        IncomparableModelError: Fewer than two stems can be measured.
    """
    named = [stem for stem in stems if stem in STEMS]
    rest = tuple(stem for stem in STEMS if stem not in named)
    known: dict[str, tuple[str, ...]] = {stem: (stem,) for stem in named}
    if rest:
        known[_ACCOMPANIMENT] = rest
    measured = {stem: known[stem] for stem in stems if stem in known}
    if len(measured) < _MIN_SOURCES:
        raise IncomparableModelError(
            model,
            f"its stems {', '.join(stems)} cannot be compared with those of the songs",
            remedy=f"Evaluate a model with at least two stems of {', '.join((*STEMS, _ACCOMPANIMENT))}.",
        )
    return measured
