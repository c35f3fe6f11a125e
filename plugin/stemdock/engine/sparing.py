"""Runs the network on silence once only: its estimates for silence are the same every time.

Recordings of single instruments and of speech consist of silence for a good part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from stemdock.engine.masking import MaskSession
    from stemdock.types import FloatArray


class SparingSession:
    """A session that remembers its estimates for a silent segment.

    Attributes:
        n_at_once: As of `stemdock.engine.masking.MaskSession`.
        provider: As of `MaskSession`.
    """

    def __init__(self, session: MaskSession) -> None:
        """Takes the session that runs the network."""
        self.provider = session.provider
        self.n_at_once = session.n_at_once
        self._session = session
        self._of_silence: Sequence[FloatArray] | None = None

    def run(self, magnitude: FloatArray, cancel: Event | None = None) -> Sequence[FloatArray]:
        """Estimates the magnitude of every stem of one segment: see `MaskSession`.

        The result may be used again, so it must not be changed.
        """
        if magnitude.any():
            return self._session.run(magnitude, cancel)
        if self._of_silence is None:
            self._of_silence = self._session.run(magnitude, cancel)
        return self._of_silence
