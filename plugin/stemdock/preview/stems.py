"""Stems as a page shows them: read once, drawn and compressed while they pass by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.audio import AudioWriter, open_audio, resampled
from stemdock.batch.inputs import AUDIO_SUFFIXES
from stemdock.errors import AudioFileError
from stemdock.output.options import Output
from stemdock.preview.drawing import Spectrogram, Waveform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from stemdock.types import FloatArray

N_GOOD_MINUTES: Final = 30
"""Minutes of all stems together up to which they sound their best: 48 MB of page."""
N_MINUTES: Final = 60
"""Minutes beyond which no page is made: a browser holds all samples, 15 MB a minute."""
_LOUDEST: Final = 4.0
"""Samples beyond 12 dB over full scale are clipped to it: no player plays them, and MP3 has no room."""
_REDUCED_RATE: Final = 32000
"""Hz; MP3 has lower ones, but sounds much duller there."""
_GOOD: Final = 160
_REDUCED: Final = 80
"""Kilobits per second: 1.6 and 0.8 MB of page a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """How stems are stored in a page, all in the same way, so that they stay in step."""

    sample_rate: int
    """Hz."""
    bitrate: int
    """Kilobits per second."""
    is_reduced: bool
    """Whether the song's length cost sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A stem that has been looked at."""

    name: str
    path: Path
    sample_rate: int
    """Hz."""
    total_length: int
    """Samples a channel."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.total_length / self.sample_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnStem:
    """A stem that has been read."""

    source: SourceFile
    n_channels: int
    peak: float
    """Largest absolute sample."""
    n_bad_samples: int
    """Samples over all channels that were no finite numbers, and are silent in the page."""
    extremes: FloatArray
    """`(n_columns, 2)`, as of `Waveform`."""
    powers: FloatArray
    """`(n_columns, n_bands)`, as of `Spectrogram`."""
    mp3: Path


def find_stems(folder: Path) -> dict[str, Path]:
    """The audio files in a folder by the name of the stem, alphabetically.

    Raises:
        AudioFileError: It is no folder, or has no audio files in it.
    """
    try:
        paths = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in AUDIO_SUFFIXES and not path.name.startswith(".") and path.is_file()
        )
    except OSError as error:
        raise AudioFileError(
            folder, f"is no folder to read ({error.strerror})", remedy="Name the folder with a song's stems."
        ) from error
    if not paths:
        raise AudioFileError(
            folder,
            "has no audio files in it",
            remedy="Name the folder that the stems of a song were written to.",
        )
    stems = [path.stem for path in paths]
    return {path.stem if stems.count(path.stem) == 1 else path.name: path for path in paths}


def look_at(name: str, path: Path) -> SourceFile:
    """Finds out how long a stem is, by reading it through if its header does not say.

    Raises:
        AudioFileError: It cannot be read.
    """
    with open_audio(path) as audio:
        total_length = audio.total_length
        if total_length is None:
            total_length = sum(len(block) for block in audio.blocks)
        return SourceFile(name=name, path=path, sample_rate=audio.sample_rate, total_length=total_length)


def sound_for(sources: list[SourceFile]) -> Sound:
    """Chooses how stems are stored.

    44.1 or 48 kHz, which browsers on every system play; less if the stems are long.

    Raises:
        AudioFileError: They are too long for a page.
    """
    n_minutes = sum(source.duration for source in sources) / 60
    if n_minutes > N_MINUTES:
        raise AudioFileError(
            sources[0].path.parent,
            f"its stems last {n_minutes:.0f} minutes together, and a page holds {N_MINUTES}",
            remedy="Preview a part of the song, or fewer of its stems.",
        )
    # Of the two families of rates the one that the stems belong to, so that most need no resampling.
    full_rate = 44100 if sources[0].sample_rate % 11025 == 0 else 48000
    is_reduced = n_minutes > N_GOOD_MINUTES
    return Sound(
        sample_rate=_REDUCED_RATE if is_reduced else full_rate,
        bitrate=_REDUCED if is_reduced else _GOOD,
        is_reduced=is_reduced,
    )


def draw(
    source: SourceFile,
    *,
    duration: float,
    sound: Sound,
    mp3: Path,
    on_samples: Callable[[int], None],
) -> DrawnStem:
    """Reads a stem once: draws it, measures it and writes it compressed.

    Args:
        source: The stem.
        duration: Seconds of the longest stem, which the pictures cover.
        sound: How it is stored.
        mp3: Where.
        on_samples: Told how many samples a channel have been read, time and again.

    Raises:
        AudioFileError: It cannot be read.
        OutputError: The compressed file cannot be written.
    """
    total_length = round(duration * source.sample_rate)
    waveform = Waveform(total_length)
    spectrogram = Spectrogram(total_length, source.sample_rate)
    n_bad_samples = 0

    def looked_at(blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
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
        blocks = resampled(looked_at(audio.blocks), audio.sample_rate, sound.sample_rate)
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
