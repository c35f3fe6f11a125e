"""Estimating the speed of a batch and the time that it still needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.batch.events import Advanced, Done, Started, Waiting
from stemdock.lib.locations import Location
from stemdock.lib.paths import size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.types import Progress

_MANY: Final = 10_000
"""Songs, above which all count the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SongEta:
    """Progress of a song that is being separated."""

    fraction: float | None
    """Finished part, 0 to 1; None if the song's length is not known."""
    speed: float | None
    """Seconds of audio per second; None if the sample rate is not known."""
    remaining: float | None
    """Seconds until the song is finished; None if its length is not known."""


class BatchEta:
    """Estimates the remaining time from events, on the assumption that it is proportional to file size.

    Among many songs, and if one is elsewhere, all count the same.
    """

    def __init__(self, plans: Sequence[SongPlan], now: Callable[[], float]) -> None:
        """Starts the clock.

        Args:
            plans: All songs.
            now: A clock in seconds.
        """
        self._now = now
        # Among many songs, sizes matter little. Those of objects are not known.
        is_equal = len(plans) > _MANY or any(isinstance(plan.song.path, Location) for plan in plans)
        self._weights = {} if is_equal else {plan.number: _weight(plan) for plan in plans}
        """By number; 1 if it is not there."""
        self._starts: dict[int, float] = {}
        self._fractions: dict[int, float] = {}
        self._begin = now()
        self._n_total = self._n_left = len(plans) if is_equal else sum(self._weights.values())
        self.songs: dict[int, SongEta] = {}
        """The songs in progress, by number."""

    def count(self, event: BatchEvent) -> None:
        """Updates the estimate."""
        number = event.plan.number
        if isinstance(event, Started):
            self._starts[number] = self._now()
            self.songs[number] = SongEta(fraction=None, speed=None, remaining=None)
        elif isinstance(event, Advanced):
            self.songs[number] = self._song_eta(number, event.progress)
            self._fractions[number] = self.songs[number].fraction or 0.0
        elif not isinstance(event, Waiting):
            self._n_left -= self._weights.get(number, 1)
            if not isinstance(event, Done):
                # Skipped and failed songs take almost no time, so they must not raise the estimated speed.
                self._n_total -= self._weights.get(number, 1)
            self._starts.pop(number, None)
            self.songs.pop(number, None)
            self._fractions.pop(number, None)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._now() - self._begin

    @property
    def remaining(self) -> float | None:
        """Seconds until the batch ends; None before the first progress."""
        in_progress = sum(
            self._weights.get(number, 1) * fraction for number, fraction in self._fractions.items()
        )
        done = self._n_total - self._n_left + in_progress
        return self.elapsed * (self._n_left - in_progress) / done if done else None

    def _song_eta(self, number: int, progress: Progress) -> SongEta:
        elapsed = self._now() - self._starts[number]
        fraction = remaining = speed = None
        if progress.total_length:
            fraction = min(1.0, progress.done_length / progress.total_length)
            remaining = elapsed * (1 - fraction) / fraction if fraction else None
        if progress.sample_rate and elapsed > 0:
            speed = progress.done_length / progress.sample_rate / elapsed
        return SongEta(fraction=fraction, speed=speed, remaining=remaining)


def _weight(plan: SongPlan) -> int:
    path = plan.song.path
    return size_of(path) if isinstance(path, Path) and not plan.song.fault else 0
