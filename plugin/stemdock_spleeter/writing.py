"""Writes samples in the formats of Spleeter."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from stemdock import AudioWriter, Output
from stemdock_spleeter.codecs import CONTAINERS, ENCODERS, Codec
from stemdock_spleeter.encoding import FfmpegFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock import FloatArray

    class BlockWriter(Protocol):
        """A file that is being written."""

        def write(self, block: FloatArray) -> None:
            """Appends a block `(n_samples, n_channels)`."""


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
    n_samples: int | None = None,
) -> Iterator[BlockWriter]:
    """Opens a file for writing. As in Spleeter, the suffix decides the container, and wav names no encoder.

    Args:
        path: The file; must not exist.
        place: Its later name, whose suffix decides.
        codec: How the file is encoded. With wav, the suffix decides that, too.
        bitrate: Bit rate as ffmpeg takes it, such as "128k"; None or empty for the encoder's own.
        sample_rate: Hz.
        n_channels: Channels of every block.
        n_samples: Expected samples per channel, if known.

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
            total_length=n_samples,
        ) as writer:
            yield _Rounding(writer)
        return
    settings = ["-c:a", ENCODERS[encoder], "-f", CONTAINERS[container]]
    if bitrate:
        settings = ["-b:a", bitrate, *settings]
    with FfmpegFile(path, place, settings, sample_rate=sample_rate, n_channels=n_channels) as file:
        yield file


class _Rounding:
    """Rounds samples to 16 bits to the nearest step, as ffmpeg does; libsndfile takes the next lower one."""

    def __init__(self, writer: BlockWriter) -> None:
        self._writer = writer

    def write(self, block: FloatArray) -> None:
        steps = np.rint(block * _FULL_SCALE)
        np.clip(steps, -_FULL_SCALE, _FULL_SCALE - 1, out=steps)
        self._writer.write(np.divide(steps, _FULL_SCALE, dtype=np.float32))
