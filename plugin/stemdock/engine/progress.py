"""Progress of a separation, and its cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stemdock.errors import CancelledError
from stemdock.types import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

_ANALYSIS_SHARE: Final = 0.8
"""Share of the work that the first of two passes does. For Spleeter it contains the networks."""


class ProgressTracker:
    """Reports how far a separation has come, and stops it when it is cancelled.

    Attributes:
        cancel: Stops the separation when it is set.
    """

    def __init__(
        self,
        sample_rate: int,
        total_length: int | None,
        on_progress: Callable[[Progress], None] | None,
        cancel: Event | None,
    ) -> None:
        """Starts at the first sample.

        Args:
            sample_rate: Hz of the mixture.
            total_length: Samples of the mixture, if known.
            on_progress: Receives the reports.
            cancel: Stops the separation when it is set.
        """
        self._analysis_share = 0.0
        self._sample_rate = sample_rate
        self._total_length = total_length
        self._on_progress = on_progress
        self.cancel = cancel

    def analysed(self, length: int) -> None:
        """Reports that a first pass, which gives no stems, has come to this sample of the mixture."""
        self._analysis_share = _ANALYSIS_SHARE
        self.check()
        self._report(round(_ANALYSIS_SHARE * length), self._total_length)

    def separated(self, length: int, taken_length: int) -> None:
        """Reports that the stems have come to this sample of the mixture.

        Args:
            length: Samples of the mixture that have been separated.
            taken_length: Samples of the mixture that the engine has taken in.
        """
        analysed = round(self._analysis_share * taken_length)
        self._report(
            analysed + round((1 - self._analysis_share) * length) if length < taken_length else taken_length,
            taken_length if self._analysis_share else self._total_length,
        )

    def check(self) -> None:
        """Raises `CancelledError` if the separation is cancelled."""
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError

    def _report(self, done_length: int, total_length: int | None) -> None:
        if self._on_progress:
            self._on_progress(
                Progress(done_length=done_length, total_length=total_length, sample_rate=self._sample_rate)
            )
