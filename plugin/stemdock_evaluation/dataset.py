"""Songs with known stems, laid out like MUSDB18-HQ: SUBSET/TRACK/{mixture,STEM}.wav."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock_evaluation.errors import DatasetError, IncomparableModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


SUBSET: Final = "test"
"""The songs that nobody trains on."""
STEMS: Final = ("vocals", "drums", "bass", "other")
"""What every song has, besides the mixture; they add up to it."""

_ACCOMPANIMENT: Final = "accompaniment"
"""Stem of a model that stands for all that its others do not name."""
_MIN_SOURCES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One song; its files need not exist."""

    folder: Path

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folder.name

    @property
    def mixture(self) -> Path:
        """The file to separate."""
        return self.stem("mixture")

    def stem(self, name: str) -> Path:
        """The file of a true stem."""
        return self.folder / f"{name}.wav"


def find_tracks(folder: Path) -> list[Track]:
    """Every folder below FOLDER/test, by name.

    Raises:
        DatasetError: There is none.
    """
    subset = folder / SUBSET
    try:
        paths = sorted(path for path in subset.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise DatasetError(subset, f"cannot be read ({error.strerror})") from error
    if not paths:
        raise DatasetError(subset, "has no folders of tracks")
    return [Track(folder=path) for path in paths]


def references(model: str, stems: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Which true stems, added up, each stem of a model is measured against.

    "accompaniment" is measured against all that the model does not name otherwise. A stem that the songs
    do not have, the piano of 5stems, is measured against nothing, and belongs to none of the others: as
    in Spleeter's own evaluation.

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
            f"its stems are {', '.join(stems)}",
            remedy=f"Evaluate a model with at least two stems of {', '.join((*STEMS, _ACCOMPANIMENT))}.",
        )
    return measured
