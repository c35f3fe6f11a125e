"""Reading a stem once: drawing, measuring and compressing it block by block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.audio import AudioWriter, open_audio, resampled
from stemdock.output.options import Output
from stemdock.preview.drawing import Spectrogram, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stemdock.preview.sound import Sound
    from stemdock.preview.stems import SourceFile
    from stemdock.types import FloatArray

_LOUDEST: Final = 4.0
"""Samples are clipped at 12 dB above full scale: players cannot play more, and MP3 cannot store it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnStem:
    """A stem with its pictures and its compressed audio."""

    source: SourceFile
    n_channels: int
    peak: float
    """Largest absolute sample."""
    n_bad_samples: int
    """Number of NaN and infinite samples in all channels; the page plays them as silence."""
    extremes: FloatArray
    """`(n_columns, 2)`, see `Waveform`."""
    powers: FloatArray
    """`(n_columns, n_bands)`, see `Spectrogram`."""
    mp3: Path


def draw(
    source: SourceFile,
    *,
    duration: float,
    sound: Sound,
    mp3: Path,
    on_samples: Callable[[int], None],
) -> DrawnStem:
    """Reads, draws, measures and compresses a stem.

    Args:
        source: The stem.
        duration: Seconds of the longest stem, the width of the pictures.
        sound: Sample rate and bit rate of the compressed file.
        mp3: The compressed file to write.
        on_samples: Called after each block with its number of samples per channel.

    Raises:
        AudioFileError: The stem cannot be read.
        OutputError: The compressed file cannot be written.
    """
    total_length = round(duration * source.sample_rate)
    waveform = Waveform(total_length)
    spectrogram = Spectrogram(total_length, source.sample_rate)
    n_bad_samples = 0

    def drawn(blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
        nonlocal n_bad_samples
        for block in blocks:
            bad = ~np.isfinite(block)
            if n_bad := int(np.count_nonzero(bad)):
                n_bad_samples += n_bad
                block = np.where(bad, np.float32(0), block)  # noqa: PLW2901
            waveform.add(block)
            playable = np.clip(block, -_LOUDEST, _LOUDEST)
            spectrogram.add(playable)
            on_samples(len(block))
            yield playable

    with open_audio(source.path) as audio:
        blocks = resampled(drawn(audio.blocks), audio.sample_rate, sound.sample_rate)
        with AudioWriter(
            mp3,
            output=Output(codec="mp3", bitrate=sound.bitrate),
            sample_rate=sound.sample_rate,
            n_channels=audio.n_channels,
            total_length=None,
        ) as writer:
            for block in blocks:
                writer.write(block)
    return DrawnStem(
        source=source,
        n_channels=audio.n_channels,
        peak=float(waveform.extremes.max()),
        n_bad_samples=n_bad_samples,
        extremes=waveform.extremes,
        powers=spectrogram.powers(),
        mp3=mp3,
    )
