"""An audio file that is open for reading, whichever decoder reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.types import Damage, Downmix, FloatArray

BLOCK_LENGTH: Final = 1 << 16
"""Samples per channel in a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """An audio file that is open for reading."""

    sample_rate: int
    """Hz."""
    n_channels: int
    """Channels of each block."""
    total_length: int | None
    """Samples per channel; None if the file does not say."""
    blocks: Iterator[FloatArray]
    """The samples, `(n_samples, n_channels)`; can be read once."""
    container: str = ""
    """The file format as libsndfile names it, such as "WAV"; empty if ffmpeg reads the file."""
    speakers: tuple[str, ...] = ()
    """Loudspeaker of each channel, named as in `stemdock.dsp.downmix`; empty if unknown."""
    downmix: Downmix | None = None
    """How the file's channels were mixed down to stereo; None if they were not."""
    damage: list[Damage] = field(default_factory=list)
    """Damaged places, in order; complete when all blocks are read."""
