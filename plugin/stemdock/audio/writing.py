"""Writing of audio files, by libsndfile or by ffmpeg."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from stemdock.audio.ffmpeg_encoding import FfmpegSink
from stemdock.audio.sndfile_encoding import SndfileSink
from stemdock.audio.tag_writing import add_tags
from stemdock.dsp.levels import peak_of
from stemdock.output.codecs import codec_of
from stemdock.output.options import Output
from stemdock.output.tags import Tags

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.types import FloatArray


class Sink(Protocol):
    """A file that an encoder is writing."""

    @property
    def warning(self) -> str:
        """What went wrong with the tags, empty if nothing did."""
        ...

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`."""
        ...

    def close(self) -> None:
        """Completes the file."""
        ...

    def abort(self) -> None:
        """Stops at once; the file is good for nothing."""
        ...


class AudioWriter:
    """An audio file being written, which keeps count of what it holds.

    Attributes:
        peak: Largest absolute sample so far.
        clipped_length: Samples over all channels that exceed what the format can hold.
        tag_warning: What went wrong with the tags, empty if nothing did; known when the file is complete.
    """

    def __init__(
        self,
        path: Path,
        *,
        output: Output = Output(),  # noqa: B008  a frozen value
        sample_rate: int,
        n_channels: int,
        total_length: int | None,
        tags: Tags = Tags(),  # noqa: B008  a frozen value
    ) -> None:
        """Creates the file.

        Args:
            path: Must not exist yet.
            output: Codec, bit depth and bit rate.
            sample_rate: Hz, one that the codec has.
            n_channels: Channels of every block.
            total_length: Expected samples a channel, None if it is not known.
            tags: What the file says about the song.

        Raises:
            OutputOptionError: The codec has no such bit depth or bit rate.
            OutputError: It cannot be created, or ffmpeg is needed and missing.
        """
        codec = codec_of(output)
        bit_depth = output.bit_depth or next(iter(codec.bit_depths), None)
        bitrate = output.bitrate or codec.bitrate
        self.peak = 0.0
        self.clipped_length = 0
        self.tag_warning = ""
        self._clips = bit_depth != "32f"
        self._path = path
        self._output = output
        self._tags = tags
        self._sink: Sink
        if codec.encoder == "ffmpeg":
            self._sink = FfmpegSink(path, codec, bitrate, sample_rate, n_channels, tags)
        else:
            self._sink = SndfileSink(
                path, codec, bit_depth, bitrate, sample_rate, n_channels, total_length, tags
            )

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            OutputError: The disk is full or gone, or the encoder failed.
        """
        peak = peak_of(block)
        self.peak = max(self.peak, peak)
        if self._clips and peak > 1.0:
            self.clipped_length += int(np.count_nonzero(np.abs(block) > 1.0))
        self._sink.write(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Completes the file; raises `OutputError` if the disk is full or gone."""
        if kind is not None:
            self._sink.abort()
            return
        self._sink.close()
        self.tag_warning = self._sink.warning
        try:
            add_tags(self._path, self._output.codec, self._tags)
        except (OSError, ValueError) as error:
            self.tag_warning = str(error)
