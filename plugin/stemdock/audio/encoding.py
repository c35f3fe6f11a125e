"""How samples become the bytes of an audio file: the values that all encoders take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock.output.codecs import codec_of

if TYPE_CHECKING:
    from stemdock.output.codecs import Codec
    from stemdock.output.options import BitDepth, Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Format and length of the samples to write."""

    sample_rate: int
    """Hz."""
    n_channels: int
    """Channels of every block."""
    total_length: int | None
    """Expected samples per channel; None if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """A codec, its settings and the signal to encode."""

    codec: Codec
    bit_depth: BitDepth | None
    """None for lossy codecs."""
    bitrate: int | None
    """Kilobits per second; None for lossless codecs."""
    signal: Signal


def encoding_of(output: Output, signal: Signal) -> Encoding:
    """The encoding that `output` asks for, with the codec's defaults where it asks for nothing.

    Raises:
        OutputOptionError: The codec does not support the bit depth or bit rate.
    """
    codec = codec_of(output)
    return Encoding(
        codec=codec,
        bit_depth=output.bit_depth or next(iter(codec.bit_depths), None),
        bitrate=output.bitrate or codec.bitrate,
        signal=signal,
    )
