"""The songs of a batch, what happens to them, and the final counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from stemdock.lib.locations import Location

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from stemdock.batch.songs import Song
    from stemdock.errors import StemdockError
    from stemdock.lib.locations import Place
    from stemdock.types import Damage, Progress, SeparatedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class SongPlan:
    """One song and the files to write for it."""

    number: int
    """From 1, in the order of the songs on the command line."""
    song: Song
    targets: Mapping[str, Place]
    """By stem; empty if the song has a fault."""

    @property
    def files(self) -> Mapping[str, Path]:
        """Those of the targets that are on this machine: all or none."""
        return {name: place for name, place in self.targets.items() if isinstance(place, Path)}

    @property
    def objects(self) -> Mapping[str, Location]:
        """Those of the targets that are elsewhere: all or none."""
        return {name: place for name, place in self.targets.items() if isinstance(place, Location)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpToDate:
    """What a separation returns instead of a result if a previous run wrote the same stems."""

    damage: tuple[Damage, ...] = ()
    """Damaged places of the mixture, found by the previous run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The separation of a song begins."""

    plan: SongPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Another process is separating a song, and no other song is left; the song is looked at again."""

    plan: SongPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """One more segment of a song is separated."""

    plan: SongPlan
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """All stems of a song are written."""

    plan: SongPlan
    separated: SeparatedFile
    """If the targets are elsewhere, its paths are those of files that were removed after their upload."""
    elapsed: float
    """Seconds that the separation took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A previous run wrote the same stems, and they are intact."""

    plan: SongPlan
    damage: tuple[Damage, ...] = ()
    """Damaged places of the mixture, found by the previous run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A song could not be separated; none of its stems is written."""

    plan: SongPlan
    error: StemdockError


BatchEvent: TypeAlias = Started | Waiting | Advanced | Done | Skipped | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """How many songs of a batch ended in which way."""

    n_songs: int
    n_done: int
    n_skipped: int
    n_failed: int
    n_left: int
    """Songs that did not end because the run was interrupted."""


def summarise(n_songs: int, ended: Counter[type[BatchEvent]]) -> Summary:
    """How the songs ended.

    Args:
        n_songs: Number of songs.
        ended: How often which event was the last of a song that ended.
    """
    return Summary(
        n_songs=n_songs,
        n_done=ended[Done],
        n_skipped=ended[Skipped],
        n_failed=ended[Failed],
        n_left=n_songs - ended.total(),
    )
