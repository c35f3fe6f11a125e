"""Writes samples in the formats of Spleeter."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from stemdock import AudioWriter, Output
from stemdock_spleeter.codecs import CONTAINERS, ENCODERS, Codec
from stemdock_spleeter.encoding import FfmpegFile
from stemdock_spleeter.errors import SpleeterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock import FloatArray

    class BlockWriter(Protocol):
        """A file that is being written."""

        def write(self, block: FloatArray) -> None:
            """Appends a block `(n_samples, n_channels)`."""


_MAX_BYTES: Final = (1 << 32) - (1 << 20)
"""Size of the samples in a wav file, with room for the rest."""
_FULL_SCALE: Final = 32768
"""Steps of 16 bits up to full scale."""


@contextmanager
def open_writer(
    path: Path,
    place: Path,
    codec: Codec,
    bitrate: str | None,
    *,
    sample_rate: int,
    n_channels: int,
    n_samples: int | None,
) -> Iterator[BlockWriter]:
    """Opens a file for writing. As in Spleeter, the suffix decides the container, and wav names no encoder.

    Args:
        path: The file; must not exist.
        place: Its later name, whose suffix decides.
        codec: How the file is encoded. With wav, the suffix decides that, too.
        bitrate: Bit rate as ffmpeg takes it, such as "128k"; None or empty for the encoder's own.
        sample_rate: Hz.
        n_channels: Channels of every block.
        n_samples: Expected samples per channel; None if unknown.

    Raises:
        SpleeterError: ffmpeg is needed and not installed, or cannot write the file.
        OutputError: The file cannot be written.
    """
    suffix = place.suffix[1:].lower()
    container = Codec(suffix) if suffix in set(Codec) else codec
    encoder = container if codec == Codec.WAV else codec
    if container == encoder == Codec.WAV:
        with AudioWriter(
            path,
            output=Output(codec="wav", bit_depth="16"),
            sample_rate=sample_rate,
            n_channels=n_channels,
            # Without a number, the file would get the extended header, which few programs read.
            total_length=n_samples or 0,
        ) as writer:
            yield _Rounding(writer, place, None if n_samples else _MAX_BYTES // (2 * n_channels))
        return
    settings = ["-c:a", ENCODERS[encoder], "-f", CONTAINERS[container]]
    if bitrate:
        settings = ["-b:a", bitrate, *settings]
    with FfmpegFile(path, place, settings, sample_rate=sample_rate, n_channels=n_channels) as file:
        yield file


class _Rounding:
    """Rounds samples to 16 bits to the nearest step, as ffmpeg does; libsndfile takes the next lower one."""

    def __init__(self, writer: BlockWriter, place: Path, n_left: int | None) -> None:
        self._writer = writer
        self._place = place
        self._n_left = n_left

    def write(self, block: FloatArray) -> None:
        if self._n_left is not None:
            self._n_left -= len(block)
            if self._n_left < 0:
                raise SpleeterError(
                    f"{self._place}: is too long for a wav file", remedy="Use another codec, such as flac."
                )
        steps = np.rint(block * _FULL_SCALE)
        np.clip(steps, -_FULL_SCALE, _FULL_SCALE - 1, out=steps)
        self._writer.write(np.divide(steps, _FULL_SCALE, dtype=np.float32))
