"""Writing of audio files, through libsndfile or ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from stemdock.audio.encoding import Signal, encoding_of
from stemdock.audio.ffmpeg.encoding import FfmpegSink, prefers_ffmpeg
from stemdock.audio.sndfile.encoding import SndfileSink
from stemdock.audio.tags.writing import add_tags
from stemdock.dsp.levels import peak_of
from stemdock.lib.os_errors import reason_for
from stemdock.output.arguments import as_path
from stemdock.output.codecs import check_growing
from stemdock.output.options import Output
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock.lib.arguments import StrPath
    from stemdock.types import FloatArray


class Sink(Protocol):
    """A file that an encoder writes."""

    @property
    def warning(self) -> str:
        """Why tags are missing; empty if none are."""
        ...

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`."""
        ...

    def close(self) -> None:
        """Completes the file."""
        ...

    def abort(self) -> None:
        """Stops; the file is incomplete and must be removed by the caller."""
        ...


class AudioWriter:
    """Writes an audio file block by block, and measures its peak.

    Use it as a context manager: leaving the context completes the file.

    Attributes:
        peak: Largest absolute sample so far.
        clipped_length: Samples so far, over all channels, that exceed full scale and are therefore
            clipped; always 0 in 32-bit floating point.
        tag_warning: Why tags are missing, set when the file is complete; empty if none are.
    """

    def __init__(
        self,
        path: StrPath,
        *,
        output: Output = Output(),  # noqa: B008  a frozen value
        sample_rate: int,
        n_channels: int,
        total_length: int | None,
        tags: Tags = Tags(),  # noqa: B008  a frozen value
        on_encoded: Callable[[bytes], None] | None = None,
    ) -> None:
        """Creates the file.

        Args:
            path: A file that does not exist yet.
            output: Codec, bit depth and bit rate.
            sample_rate: Hz; a rate that the codec supports.
            n_channels: Channels of every block.
            total_length: Expected samples per channel; None if unknown.
            tags: Title, artist and so on, and the cover.
            on_encoded: Called after each block and at the end with the next bytes of the file, which can be
                played before the rest is there. They differ from the complete file in the lengths in its
                header, and lack its cover.

        Raises:
            ArgumentError: `path` is not a path.
            OutputOptionError: The codec does not support the bit depth or bit rate, or its files cannot
                be played before they are complete, and `on_encoded` is given.
            OutputError: The file cannot be created, or ffmpeg is needed and not installed.
        """
        path = as_path("path", path)
        signal = Signal(sample_rate=sample_rate, n_channels=n_channels, total_length=total_length)
        encoding = encoding_of(output, signal)
        if on_encoded:
            check_growing(output)
        self.peak = 0.0
        self.clipped_length = 0
        self.tag_warning = ""
        self._path = path
        self._encoding = encoding
        self._tags = tags
        self._sink: Sink = (
            FfmpegSink(path, encoding, tags)
            if prefers_ffmpeg(encoding) and not on_encoded
            else SndfileSink(path, encoding, tags, on_encoded)
        )

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            OutputError: The disk is full or disconnected, or the encoder failed.
        """
        peak = peak_of(block)
        self.peak = max(self.peak, peak)
        if peak > 1.0 and self._encoding.bit_depth != "32f":
            self.clipped_length += int(np.count_nonzero(np.abs(block) > 1.0))
        self._sink.write(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Completes the file; raises `OutputError` if the disk is full or disconnected."""
        if kind is not None:
            self._sink.abort()
            return
        self._sink.close()
        self.tag_warning = self._sink.warning
        try:
            add_tags(self._path, self._encoding.codec.name, self._tags)
        except (OSError, ValueError) as error:
            self.tag_warning = reason_for(error)
