"""The place of decoded frames in time, where some frames are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stemdock.audio.ffmpeg.log import DecodedFrame

_SMALLEST_LOSS: Final = 512
"""Samples: half a frame of the usual codecs."""
_MAX_JITTER: Final = 0.05
"""Seconds by which the times of an intact file may be wrong."""


def unkept_start(start: int, sample_rate: int) -> float:
    """The time in seconds of the first sample of a film's sound that no silence keeps, because it is short.

    Args:
        start: Position of the first frame, in samples.
        sample_rate: Hz.
    """
    return start / sample_rate if abs(start) < round(_MAX_JITTER * sample_rate) else 0.0


class Timeline:
    """Decides how much silence keeps the time.

    Attributes:
        position: Samples so far, with silence.
    """

    def __init__(self, sample_rate: int, longest: int, *, has_times: bool, has_video: bool) -> None:
        """Starts at 0.

        Args:
            sample_rate: Hz.
            longest: Samples that the file announces or can have; silence never exceeds it.
            has_times: Whether the times of the frames come from the file, not from counting.
            has_video: Whether the sound belongs to a picture, so that it can start later than the file.
        """
        self.position = 0
        self._jitter = round(_MAX_JITTER * sample_rate)
        self._limit = longest + self._jitter
        self._has_times = has_times
        self._has_video = has_video
        self._origin = 0

    def place(self, frame: DecodedFrame, following: DecodedFrame | None) -> int:
        """Places a frame; returns the samples of silence before it.

        Args:
            frame: The next frame.
            following: The one behind it, which must confirm the time of the first; None at the end.
        """
        silence = self._silence(frame, following) if self._has_times else 0
        self.position += silence + frame.length
        return silence

    def _silence(self, frame: DecodedFrame, following: DecodedFrame | None) -> int:
        if frame.start is None:
            return 0
        if not (self.position or self._has_video or frame.after_error):
            # Some decoders leave out their first frame.
            self._origin = frame.start
        shift = frame.start - self._origin - self.position
        if following is not None and following.start is not None:
            # Some decoders give the first frame after a hole a time that is too late.
            shift = min(shift, following.start - frame.length - self._origin - self.position)
        if shift >= (_SMALLEST_LOSS if frame.after_error else self._jitter):
            if self.position + shift + frame.length <= self._limit:
                return shift
            self._origin += shift
        elif shift <= -self._jitter:
            # The clock was set back, as in joined recordings.
            self._origin += shift
        return 0
