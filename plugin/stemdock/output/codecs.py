"""The codecs that stems can be written in, and the settings that each supports."""

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
    """A codec and the settings that it supports."""

    name: str
    extension: str
    """Of its files, without the dot."""
    encoder: Literal["libsndfile", "ffmpeg", "either"]
    """"either" is ffmpeg where it has the encoder, because the libsndfile of soundfile's package for Linux
    encodes three times as slowly."""
    bit_depths: tuple[BitDepth, ...] = ()
    """The default comes first; empty if the codec is lossy."""
    bitrates: range = range(0)
    """Kilobits per second for two channels; empty if the codec is lossless."""
    bitrate: int | None = None
    """The default in kilobits per second; None if the codec is lossless."""
    sample_rates: Sequence[int]
    """Hz, ascending."""
    can_grow: bool = False
    """Whether the beginning of a file can be played while the rest is still missing."""

    @property
    def is_compressed(self) -> bool:
        """Whether encoding takes longer than starting a thread for it."""
        return self.name not in {"wav", "raw"}


SAMPLE_RATES: Final = range(1000, 768_001)
"""Hz. At other rates, a block or a segment would become too large when it is resampled."""

CODECS: Final = {
    codec.name: codec
    for codec in (
        Codec(
            name="wav",
            extension="wav",
            encoder="libsndfile",
            bit_depths=("32f", "24", "16"),
            sample_rates=SAMPLE_RATES,
            can_grow=True,
        ),
        Codec(
            name="flac",
            extension="flac",
            encoder="libsndfile",
            bit_depths=("24", "16"),
            sample_rates=range(1000, 655351),
            can_grow=True,
        ),
        # Below 32 kHz, mp3 files are MPEG-2, with other bit rates and less than half the bandwidth.
        Codec(
            name="mp3",
            extension="mp3",
            encoder="either",
            bitrates=range(40, 321),
            bitrate=256,
            sample_rates=(32000, 44100, 48000),
        ),
        # libvorbis supports only these settings, and libsndfile detects others only when it writes.
        Codec(
            name="ogg",
            extension="ogg",
            encoder="libsndfile",
            bitrates=range(64, 501),
            bitrate=192,
            sample_rates=range(4000, 200001),
            can_grow=True,
        ),
        Codec(
            name="opus",
            extension="opus",
            encoder="either",
            bitrates=range(16, 511),
            bitrate=160,
            sample_rates=(8000, 12000, 16000, 24000, 48000),
            can_grow=True,
        ),
        Codec(
            name="m4a",
            extension="m4a",
            encoder="ffmpeg",
            bitrates=range(32, 513),
            bitrate=256,
            sample_rates=(
                *(8000, 11025, 12000, 16000, 22050, 24000, 32000),
                *(44100, 48000, 64000, 88200, 96000),
            ),
        ),
        # Apple's lossless codec, in the same container.
        Codec(
            name="alac",
            extension="m4a",
            encoder="ffmpeg",
            bit_depths=("24", "16"),
            sample_rates=range(1000, 384_001),
        ),
        # Samples without a header: little-endian, channels interleaved.
        Codec(
            name="raw",
            extension="raw",
            encoder="libsndfile",
            bit_depths=("32f", "24", "16"),
            sample_rates=SAMPLE_RATES,
            can_grow=True,
        ),
    )
}


def codec_of(output: Output, *, typed_bitrate: str | None = None) -> Codec:
    """The codec of an output, which supports the output's other settings.

    Args:
        output: The codec and its settings.
        typed_bitrate: The bit rate as the user wrote it, for the error message.

    Raises:
        OutputOptionError: The codec is unknown, or does not support the bit depth, bit rate or sample rate.
    """
    codec = CODECS.get(output.codec)
    if codec is None:
        raise OutputOptionError(
            "codec", f"{output.codec} is unknown", remedy=f"Use one of {', '.join(CODECS)}."
        )
    if output.bit_depth is not None and output.bit_depth not in codec.bit_depths:
        raise OutputOptionError(
            "bit depth",
            f"{codec.name} does not support {output.bit_depth}"
            + (" bits" if output.bit_depth.isdigit() else ""),
            remedy=f"Use {_listed(codec.bit_depths)}."
            if codec.bit_depths
            else "Omit the bit depth, or use wav, flac or alac.",
        )
    if output.bitrate is not None and output.bitrate not in codec.bitrates:
        raise OutputOptionError(
            "bit rate",
            f"{codec.name} does not support {typed_bitrate or f'{output.bitrate}k'}",
            remedy=f"Use {codec.bitrates[0]}k to {codec.bitrates[-1]}k."
            if codec.bitrates
            else "Omit the bit rate, or use a lossy codec: mp3, ogg, opus or m4a.",
        )
    if output.sample_rate is not None and output.sample_rate not in codec.sample_rates:
        raise OutputOptionError(
            "sample rate",
            f"{codec.name} does not support {output.sample_rate} Hz",
            remedy=f"Use {_listed(codec.sample_rates)} Hz.",
        )
    return codec


def can_grow(output: Output) -> bool:
    """Whether the files of an output can be played while they are written.

    Raises:
        OutputOptionError: As `codec_of`.
    """
    return codec_of(output).can_grow and output.format is None and not output.prevent_clipping


def check_growing(output: Output) -> None:
    """Checks that the files of an output can be played while they are written.

    Raises:
        OutputOptionError: They cannot.
    """
    if not can_grow(output):
        option, what = "codec", f"{output.codec} files"
        if output.format is not None:
            option, what = "format", f"{output.format} files"
        elif output.prevent_clipping:
            option, what = "prevent clipping", "files whose level depends on the whole song"
        growing = [codec.name for codec in CODECS.values() if codec.can_grow]
        raise OutputOptionError(
            option,
            f"{what} cannot be played before they are complete",
            remedy=f"Use {_listed(growing)}, without a format and without preventing clipping.",
        )


def written_rate(supported: Sequence[int], sample_rate: int) -> int:
    """The lowest of the supported rates in Hz that is not below `sample_rate`, or the highest of them."""
    above = bisect_left(supported, sample_rate)
    return supported[min(above, len(supported) - 1)]


def _listed(values: Sequence[int] | Sequence[str]) -> str:
    if isinstance(values, range):
        return f"{values[0]} to {values[-1]}"
    *others, last = map(str, values)
    return f"{', '.join(others)} or {last}" if others else last
