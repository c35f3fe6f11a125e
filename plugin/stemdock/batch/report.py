"""What a batch costs: songs per hour, the stage that limits the speed, core-hours."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.batch.events import Done
from stemdock.lib.paths import size_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock.batch.events import BatchEvent
    from stemdock.batch.songs import Song

N_SAMPLED: Final = 10
"""Songs that an estimate separates."""
_HOUR: Final = 3600.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The speed and the cost of some songs."""

    n_songs: int
    elapsed: float
    """Seconds from the beginning of the first song to the end of the last, all cores working."""
    duration: float
    """Seconds of audio."""
    shares: Mapping[str, float]
    """Parts of the time that the stages took, which add up to 1, largest first; empty if unknown."""
    n_cores: float
    """On average."""
    price: float | None
    """Of a core for an hour, in any currency."""

    @property
    def songs_per_hour(self) -> float:
        """0 if nothing was separated."""
        return self.n_songs / self.elapsed * _HOUR if self.elapsed else 0.0

    @property
    def speed(self) -> float:
        """Seconds of audio per second."""
        return self.duration / self.elapsed if self.elapsed else 0.0

    @property
    def bottleneck(self) -> str | None:
        """The stage that takes longest."""
        return next(iter(self.shares), None)

    @property
    def core_hours(self) -> float:
        """Cores times hours, idle ones included, as machines are paid."""
        return self.n_cores * self.elapsed / _HOUR

    @property
    def cost(self) -> float | None:
        """At the price; None if there is none."""
        return None if self.price is None else self.core_hours * self.price

    def scaled(self, factor: float, n_songs: int) -> Report:
        """The report of so many songs, if they take the time of these times a factor."""
        return Report(
            n_songs=n_songs,
            elapsed=self.elapsed * factor,
            duration=self.duration * factor,
            shares=self.shares,
            n_cores=self.n_cores,
            price=self.price,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a whole batch would take, from some of its songs."""

    measured: Report
    expected: Report
    """Of all songs."""


class Ledger:
    """Adds up what the songs of a batch took."""

    def __init__(self, *, n_at_once: int, n_cores: float, price: float | None = None) -> None:
        """Begins with nothing.

        Args:
            n_at_once: Songs in progress at the same time.
            n_cores: Cores that the run may use.
            price: Of a core for an hour.
        """
        self._n_at_once = n_at_once
        self._n_cores = n_cores
        self._price = price
        self._n_done = 0
        self._busy = 0.0
        self._duration = 0.0
        self._stages: dict[str, float] = defaultdict(float)

    def count(self, event: BatchEvent) -> None:
        """Adds a song, if the event is its end."""
        if not isinstance(event, Done):
            return
        separated = event.separated
        self._n_done += 1
        self._busy += event.elapsed
        self._duration += separated.total_length / separated.sample_rate
        for stage, seconds in separated.stages.items():
            self._stages[stage] += seconds
        self._stages["other"] += max(0.0, event.elapsed - sum(separated.stages.values()))

    def report(self, elapsed: float | None = None, core_seconds: float | None = None) -> Report:
        """What the separated songs took.

        Args:
            elapsed: Seconds of the whole run. If it is not given, as if all places that got a song had always
                been busy: a run of few songs has idle places at its end.
            core_seconds: Seconds that cores were kept, if not all of them were for the whole run. Only with
                `elapsed`.
        """
        n_cores = self._n_cores
        if elapsed and core_seconds is not None:
            n_cores = core_seconds / elapsed
        total = sum(self._stages.values())
        ordered = sorted(self._stages.items(), key=lambda item: -item[1])
        return Report(
            n_songs=self._n_done,
            elapsed=self._busy / max(1, min(self._n_at_once, self._n_done)) if elapsed is None else elapsed,
            duration=self._duration,
            shares={stage: seconds / total for stage, seconds in ordered} if total else {},
            n_cores=n_cores,
            price=self._price,
        )


def sample(songs: Sequence[Song], n_places: int) -> list[Song]:
    """Songs for an estimate, spread over all that can be separated.

    Args:
        songs: All songs.
        n_places: Songs in progress at the same time; at least two for each place are taken.
    """
    usable = array("Q", (place for place, song in enumerate(songs) if not song.fault))
    n_sampled = max(N_SAMPLED, 2 * n_places)
    if len(usable) <= n_sampled:
        return [songs[place] for place in usable]
    return [songs[usable[number * (len(usable) - 1) // (n_sampled - 1)]] for number in range(n_sampled)]


def estimated(measured: Report, some: Sequence[Song], songs: Sequence[Song]) -> Estimate:
    """What all songs would take.

    Songs count by the sizes of their files, or if one is elsewhere, all the same.

    Args:
        measured: Of some songs.
        some: The songs that were to be measured.
        songs: All songs.
    """
    n_songs = sum(not song.fault for song in songs)
    whole, part = _weight(songs), _weight(some)
    factor = whole / part if part else 0.0
    if measured.n_songs < len(some) and measured.n_songs:  # some of them failed
        factor *= len(some) / measured.n_songs
    return Estimate(measured=measured, expected=measured.scaled(factor, n_songs))


def _weight(songs: Sequence[Song]) -> int:
    n_songs = n_bytes = 0
    is_known = True
    for song in songs:
        if not song.fault:
            n_songs += 1
            if isinstance(song.path, Path):
                n_bytes += size_of(song.path)
            else:
                is_known = False
    return n_bytes if is_known else n_songs
