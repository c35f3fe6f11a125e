"""Progress as text: step, loss, speed, remaining time."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock_training.loss.trainer import Losses

_PERIOD: Final = 10.0
"""Seconds between two lines."""
_MINUTE: Final = 60
_HOUR: Final = 3600


class SongProgress:
    """Prints a line for the first song that is checked and the last, and one each ten seconds between."""

    def __init__(self, echo: Callable[[str], None], clock: Callable[[], float] = monotonic) -> None:
        """Takes what prints a line, and what gives seconds."""
        self._echo = echo
        self._clock = clock
        self._printed = 0.0

    def __call__(self, number: int, n_songs: int) -> None:
        """Prints a line if it is time; `number` counts from 1."""
        now = self._clock()
        if number in {1, n_songs} or now - self._printed >= _PERIOD:
            self._printed = now
            self._echo(f"checking song {number}/{n_songs}")


class TextProgress:
    """Prints a line for the first step, then at most one each ten seconds."""

    def __init__(
        self, n_steps: int, done: int, echo: Callable[[str], None], clock: Callable[[], float] = monotonic
    ) -> None:
        """Starts the clock.

        Args:
            n_steps: Steps in all.
            done: Steps that were made before.
            echo: Prints a line.
            clock: Gives seconds.
        """
        self._n_steps = n_steps
        self._echo = echo
        self._clock = clock
        self._printed = -_PERIOD
        # The first step is left out, since TensorFlow prepares its graph in it.
        self._first = done + 1
        self._started = clock()

    def stepped(self, step: int, losses: Losses) -> None:
        """Prints a line if it is time."""
        now = self._clock()
        if step == self._first:
            self._started = now
        if now - self._printed < _PERIOD and step < self._n_steps:
            return
        self._printed = now
        line = f"step {step}/{self._n_steps}  loss {losses.total:.4g}"
        if step > self._first:
            pace = (now - self._started) / (step - self._first)
            line += f"  {pace:.2f} s/step  {duration_text(pace * (self._n_steps - step))} left"
        self._echo(line)

    def validated(self, step: int, losses: Losses) -> None:
        """Prints the loss."""
        stems = ", ".join(f"{stem} {loss:.4g}" for stem, loss in losses.stems.items())
        self._echo(f"step {step}/{self._n_steps}  validation loss {losses.total:.4g} ({stems})")

    def saved(self, step: int) -> None:
        """Prints nothing: a checkpoint is no news."""


def duration_text(seconds: float) -> str:
    """A duration for people, such as "2 h 5 min"."""
    whole = round(seconds)
    if whole >= _HOUR:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    if whole >= _MINUTE:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole} s"
