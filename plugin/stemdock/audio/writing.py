"""Writing of audio files by libsndfile."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, Self

import numpy as np
import soundfile

from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import FloatArray

BitDepth = Literal["16", "24", "32f"]
"""Bits of a sample in a WAV file: integers, or 32-bit floating point, which cannot clip."""

_SUBTYPES: Final = {"16": "PCM_16", "24": "PCM_24", "32f": "FLOAT"}
_SAMPLE_SIZES: Final = {"16": 2, "24": 3, "32f": 4}
"""Bytes."""
_WAV_LIMIT: Final = 2**32 - 2**16
"""Bytes of samples that a WAV file's 32-bit sizes can count, less some room for its headers."""


class WavWriter:
    """A WAV file being written, which keeps count of what it holds.

    Attributes:
        peak: Largest absolute sample so far.
        clipped_length: Samples over all channels that the bit depth had to clip.
    """

    def __init__(
        self, path: Path, *, sample_rate: int, n_channels: int, bit_depth: BitDepth, total_length: int | None
    ) -> None:
        """Creates the file.

        Args:
            path: Must not exist yet.
            sample_rate: Hz.
            n_channels: Channels of every block.
            bit_depth: How samples are stored.
            total_length: Expected samples a channel; what does not fit in WAV becomes RF64.

        Raises:
            OutputError: It cannot be created.
        """
        self._path = path
        size = (total_length or 0) * n_channels * _SAMPLE_SIZES[bit_depth]
        self._full_scale = None if bit_depth == "32f" else 1.0
        self.peak = 0.0
        self.clipped_length = 0
        with self._told_errors():
            self._file = soundfile.SoundFile(
                path,
                "x",
                samplerate=sample_rate,
                channels=n_channels,
                subtype=_SUBTYPES[bit_depth],
                format="WAV" if size < _WAV_LIMIT else "RF64",
            )

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            OutputError: The disk is full or gone.
        """
        magnitude = np.abs(block)
        self.peak = max(self.peak, float(magnitude.max(initial=0.0)))
        if self._full_scale is not None:
            self.clipped_length += int(np.count_nonzero(magnitude > self._full_scale))
        with self._told_errors():
            self._file.write(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Completes the file; raises `OutputError` if the disk is full or gone."""
        with self._told_errors():
            self._file.close()

    @contextmanager
    def _told_errors(self) -> Iterator[None]:
        try:
            yield
        # soundfile asserts that libsndfile wrote all it was given, which a full disk disproves.
        except (soundfile.SoundFileError, OSError, AssertionError) as error:
            raise OutputError(
                self._path, f"cannot be written ({error})", remedy="Check permissions and free disk space."
            ) from error
