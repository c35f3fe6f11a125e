"""The codecs that stems can be written in, and what each of them can do."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from stemdock.errors import OutputOptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.output.options import BitDepth, Output


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """What a codec can do."""

    name: str
    encoder: Literal["libsndfile", "ffmpeg"]
    bit_depths: tuple[BitDepth, ...] = ()
    """The default first; none if the codec is lossy."""
    bitrates: range = range(0)
    """Kilobits per second of two channels; none if the codec is lossless."""
    bitrate: int | None = None
    """The default."""
    sample_rates: Sequence[int]
    """Hz, ascending."""


SAMPLE_RATES: Final = range(1000, 768_001)
"""Hz. Below and above, a block or a segment would become too large when its rate is changed."""

CODECS: Final = {
    codec.name: codec
    for codec in (
        Codec(name="wav", encoder="libsndfile", bit_depths=("32f", "24", "16"), sample_rates=SAMPLE_RATES),
        Codec(name="flac", encoder="libsndfile", bit_depths=("24", "16"), sample_rates=range(1000, 655351)),
        # Below 32 kHz, MPEG-2 takes over, with other bit rates and less than half the bandwidth.
        Codec(
            name="mp3",
            encoder="libsndfile",
            bitrates=range(40, 321),
            bitrate=256,
            sample_rates=(32000, 44100, 48000),
        ),
        # libvorbis has no settings beyond this, and libsndfile does not notice until it is too late.
        Codec(
            name="ogg",
            encoder="libsndfile",
            bitrates=range(64, 501),
            bitrate=192,
            sample_rates=range(4000, 200001),
        ),
        Codec(
            name="opus",
            encoder="libsndfile",
            bitrates=range(16, 511),
            bitrate=160,
            sample_rates=(8000, 12000, 16000, 24000, 48000),
        ),
        Codec(
            name="m4a",
            encoder="ffmpeg",
            bitrates=range(32, 513),
            bitrate=256,
            sample_rates=(
                *(8000, 11025, 12000, 16000, 22050, 24000, 32000),
                *(44100, 48000, 64000, 88200, 96000),
            ),
        ),
    )
}


def codec_of(output: Output) -> Codec:
    """The codec of an output whose other wishes it can fulfil.

    Raises:
        OutputOptionError: The codec is unknown, or has no such bit depth, bit rate or sample rate.
    """
    codec = CODECS.get(output.codec)
    if codec is None:
        raise OutputOptionError(
            "codec", f"unknown: {output.codec}", remedy=f"Use one of {', '.join(CODECS)}."
        )
    if output.bit_depth is not None and output.bit_depth not in codec.bit_depths:
        raise OutputOptionError(
            "bit depth",
            f"{codec.name} has none of {output.bit_depth}",
            remedy=f"Use {_told(codec.bit_depths)}."
            if codec.bit_depths
            else "Leave it out, or use wav or flac.",
        )
    if output.bitrate is not None and output.bitrate not in codec.bitrates:
        raise OutputOptionError(
            "bit rate",
            f"{codec.name} has none of {output.bitrate}k",
            remedy=f"Use {codec.bitrates[0]}k to {codec.bitrates[-1]}k."
            if codec.bitrates
            else "Leave it out, or use a lossy codec: mp3, ogg, opus or m4a.",
        )
    if output.sample_rate is not None and output.sample_rate not in codec.sample_rates:
        raise OutputOptionError(
            "sample rate",
            f"{codec.name} has none of {output.sample_rate} Hz",
            remedy=f"Use {_told(codec.sample_rates)} Hz.",
        )
    return codec


def written_rate(codec: Codec, sample_rate: int) -> int:
    """The sample rate in Hz that audio of `sample_rate` is written at: the next that the codec has."""
    above = bisect_left(codec.sample_rates, sample_rate)
    return codec.sample_rates[min(above, len(codec.sample_rates) - 1)]


def _told(values: Sequence[int] | Sequence[str]) -> str:
    if isinstance(values, range):
        return f"{values[0]} to {values[-1]}"
    return " or ".join(str(value) for value in values)
