"""The cases: songs made from the example in the tests, each with a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from benchmarks.workspace import ROOT, WORK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SAMPLE_RATE: Final = 44100
"""Hz. The models have the same rate, so no program resamples."""
_EXAMPLE: Final = ROOT / "tests" / "data" / "audio_example.mp3"
_BLOCK_LENGTH: Final = 60 * SAMPLE_RATE
_OFFSET: Final = SAMPLE_RATE // 2
"""Samples by which each song starts later in the example than the previous one, so that all differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A task for every program."""

    name: str
    model: str
    """Spleeter's name of the model."""
    duration: int
    """Seconds of a song."""
    n_songs: int = 1
    compared: bool = True
    """Whether the output is compared with Spleeter's."""
    silent_share: float = 0.0
    """Part of the song, in its middle, that is digital silence."""

    @property
    def n_stems(self) -> int:
        """The number that the model's name begins with."""
        return int(self.model.partition("stems")[0])


CASES: Final = (
    *(
        Case(name=f"{model}-{name}", model=model, duration=duration, n_songs=n_songs, compared=compared)
        for model, name, duration, n_songs, compared in (
            ("2stems", "10s", 10, 1, True),
            ("2stems", "3min", 180, 1, True),
            ("2stems", "60min", 3600, 1, False),
            ("2stems", "batch", 10, 20, True),
            ("4stems", "3min", 180, 1, True),
            ("5stems", "3min", 180, 1, True),
        )
    ),
    Case(name="2stems-silence", model="2stems", duration=180, compared=False, silent_share=0.6),
)
QUICK: Final = ("2stems-10s",)


def songs(case: Case) -> list[Path]:
    """The case's songs as 16-bit stereo WAV files, created if they are missing."""
    silence = f"-{case.silent_share:.0%}-silent" if case.silent_share else ""
    folder = WORK / "songs" / f"{case.duration}s{silence}"
    paths = [folder / f"song_{number:02}.wav" for number in range(case.n_songs)]
    missing = [(number, path) for number, path in enumerate(paths) if not path.exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        example, _ = soundfile.read(_EXAMPLE, dtype="int16", always_2d=True)
        for number, path in missing:
            part = path.with_suffix(".part")
            with soundfile.SoundFile(
                part, "w", SAMPLE_RATE, example.shape[1], "PCM_16", format="WAV"
            ) as file:
                for block in tiled(example, number * _OFFSET, case.duration * SAMPLE_RATE):
                    _silence(block, file.tell(), case)
                    file.write(block)
            part.replace(path)
    return paths


def _silence(block: NDArray[np.int16], start: int, case: Case) -> None:
    """Silences the samples of a block, which begins at sample `start`, that are in the silent part."""
    length = case.duration * SAMPLE_RATE
    first = round(length * (1 - case.silent_share) / 2)
    block[max(0, first - start) : max(0, length - first - start)] = 0


def tiled(
    example: NDArray[np.int16], start: int, length: int, block_length: int = _BLOCK_LENGTH
) -> Iterator[NDArray[np.int16]]:
    """Blocks of an endlessly repeated example: `length` samples from sample `start` on."""
    for position in range(start, start + length, block_length):
        block = np.arange(position, min(position + block_length, start + length))
        yield example[block % len(example)]
