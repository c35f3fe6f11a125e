"""How long the stages of a separation take."""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_T = TypeVar("_T")


class Stopwatch:
    """Adds up seconds; stages may overlap."""

    def __init__(self, now: Callable[[], float] = perf_counter) -> None:
        """Starts nothing yet.

        Args:
            now: A clock in seconds.
        """
        self._now = now
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts while the context lasts."""
        start = self._now()
        try:
            yield
        finally:
            self.seconds += self._now() - start

    def each(self, values: Iterable[_T]) -> Iterator[_T]:
        """The same values; counts while they are made, and not while they are used."""
        following = iter(values)
        while True:
            with self.running():
                try:
                    value = next(following)
                except StopIteration:
                    return
            yield value
