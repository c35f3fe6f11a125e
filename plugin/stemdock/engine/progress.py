"""How far a separation has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.errors import CancelledError
from stemdock.types import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

_FIRST_SHARE: Final = 0.8
"""Of the work of a separation with the Wiener filter, what the first pass does, with the networks in it."""


class Meter:
    """Tells how far a separation has come, and stops one that was cancelled."""

    def __init__(
        self,
        sample_rate: int,
        total_length: int | None,
        on_progress: Callable[[Progress], None] | None,
        cancel: Event | None,
        *,
        mwf: bool,
    ) -> None:
        """Begins at the first sample.

        Args:
            sample_rate: Of the mixture, in Hz.
            total_length: Samples of the mixture, if they are known.
            on_progress: Whom to tell.
            cancel: What to look at.
            mwf: Whether there is a pass before that which gives the stems.
        """
        self._first_share = _FIRST_SHARE if mwf else 0.0
        self._sample_rate = sample_rate
        self._total_length = total_length
        self._on_progress = on_progress
        self._cancel = cancel

    def estimated(self, length: int) -> None:
        """The first pass has come to this sample of the mixture."""
        self.check()
        self._tell(round(self._first_share * length), self._total_length)

    def separated(self, length: int, taken_length: int) -> None:
        """The stems have come to this sample of the mixture, of which so much was taken in."""
        before = round(self._first_share * taken_length)
        self._tell(
            before + round((1 - self._first_share) * length) if length < taken_length else taken_length,
            taken_length if self._first_share else self._total_length,
        )

    def check(self) -> None:
        """Raises `CancelledError` if that is wanted."""
        if self._cancel is not None and self._cancel.is_set():
            raise CancelledError

    def _tell(self, done_length: int, total_length: int | None) -> None:
        if self._on_progress:
            self._on_progress(
                Progress(done_length=done_length, total_length=total_length, sample_rate=self._sample_rate)
            )
