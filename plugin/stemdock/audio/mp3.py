"""Writing of MP3 files by libsndfile: what every browser plays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import soundfile

from stemdock.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from stemdock.types import FloatArray


def write_mp3(
    path: Path, blocks: Iterable[FloatArray], *, sample_rate: int, n_channels: int, compression: float
) -> None:
    """Writes a whole MP3 file, at a bitrate that follows the sound.

    Args:
        path: Is replaced.
        blocks: `(n_samples, n_channels)` each, all finite.
        sample_rate: Hz, one that MP3 knows: 8000, 11025 or 12000, twice or four times one of them.
        n_channels: 1 or 2.
        compression: From 0, the best sound, to 1, the smallest file.

    Raises:
        OutputError: The disk is full or gone.
    """
    try:
        with soundfile.SoundFile(
            path,
            "w",
            samplerate=sample_rate,
            channels=n_channels,
            format="MP3",
            compression_level=compression,
            bitrate_mode="VARIABLE",
        ) as file:
            for block in blocks:
                file.write(block)
    # soundfile asserts that libsndfile wrote all it was given, which a full disk disproves.
    except (soundfile.SoundFileError, AssertionError) as error:
        raise OutputError(
            path, f"cannot be written ({error})", remedy="Check permissions and free disk space."
        ) from error
