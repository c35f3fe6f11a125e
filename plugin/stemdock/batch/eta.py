"""How fast a batch goes and how long it still takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock.batch.running import Advanced, Done, Started

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.running import BatchEvent, Job
    from stemdock.types import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class SongPace:
    """How a song comes along."""

    fraction: float | None
    """From 0 to 1; None if its length is not known."""
    speed: float | None
    """Seconds of audio a second; None if the sample rate is not known."""
    remaining: float | None
    """Seconds; None if the length is not known."""


class Pace:
    """Counts a batch's progress; the work in a song is taken to be as the size of its file."""

    def __init__(self, jobs: Sequence[Job], now: Callable[[], float]) -> None:
        """Starts the clock.

        Args:
            jobs: All songs.
            now: A clock in seconds.
        """
        self._now = now
        self._weights = {job.number: _weight(job) for job in jobs}
        self._starts: dict[int, float] = {}
        self._fractions: dict[int, float] = {}
        self._begin = now()
        self._n_total = self._n_left = sum(self._weights.values())
        self.songs: dict[int, SongPace] = {}
        """The songs under way, by number."""

    def count(self, event: BatchEvent) -> None:
        """Takes an event into account."""
        number = event.job.number
        if isinstance(event, Started):
            self._starts[number] = self._now()
            self.songs[number] = SongPace(fraction=None, speed=None, remaining=None)
        elif isinstance(event, Advanced):
            self.songs[number] = self._song_pace(number, event.progress)
            self._fractions[number] = self.songs[number].fraction or 0.0
        else:
            self._n_left -= self._weights[number]
            if not isinstance(event, Done):
                # What was not separated took no time, so it tells nothing about the others.
                self._n_total -= self._weights[number]
            self.songs.pop(number, None)
            self._fractions.pop(number, None)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._now() - self._begin

    @property
    def remaining(self) -> float | None:
        """Seconds until the batch ends; None before anything can be said."""
        under_way = sum(self._weights[number] * fraction for number, fraction in self._fractions.items())
        done = self._n_total - self._n_left + under_way
        return self.elapsed * (self._n_left - under_way) / done if done else None

    def _song_pace(self, number: int, progress: Progress) -> SongPace:
        elapsed = self._now() - self._starts[number]
        fraction = remaining = speed = None
        if progress.total_length:
            fraction = min(1.0, progress.done_length / progress.total_length)
            remaining = elapsed * (1 - fraction) / fraction if fraction else None
        if progress.sample_rate and elapsed > 0:
            speed = progress.done_length / progress.sample_rate / elapsed
        return SongPace(fraction=fraction, speed=speed, remaining=remaining)


def _weight(job: Job) -> int:
    try:
        return 0 if job.song.fault else job.song.path.stat().st_size
    except OSError:
        return 0
