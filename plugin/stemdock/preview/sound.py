"""Choosing the sample rate and bit rate of the stems in a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stemdock.errors import AudioFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stemdock.preview.stems import SourceFile

N_GOOD_MINUTES: Final = 30
"""Total minutes of all stems up to which a page has full quality: 48 MB of page."""
N_MINUTES: Final = 60
"""Maximum total minutes of a page: a browser keeps all samples in memory, 15 MB per minute."""
_REDUCED_RATE: Final = 32000
"""Hz. MP3 has lower rates, but they sound much duller."""
_GOOD: Final = 160
_REDUCED: Final = 80
"""Kilobits per second: 1.6 and 0.8 MB of page per minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """How a page stores its stems: all in the same way, so that they stay in sync."""

    sample_rate: int
    """Hz."""
    bitrate: int
    """Kilobits per second."""
    is_reduced: bool
    """Whether the quality is reduced because the stems are long."""


def sound_for(sources: Sequence[SourceFile]) -> Sound:
    """Chooses 44.1 or 48 kHz, which all browsers play, or less if the stems are long.

    Raises:
        AudioFileError: The stems are too long for a page.
    """
    n_minutes = sum(source.duration for source in sources) / 60
    if n_minutes > N_MINUTES:
        raise AudioFileError(
            sources[0].path.parent,
            f"the stems last {n_minutes:.0f} minutes in total, and a page can hold {N_MINUTES}",
            remedy="Preview a part of the song, or fewer stems.",
        )
    # Rates of the same family as the stems' avoid resampling in most cases.
    full_rate = 44100 if sources[0].sample_rate % 11025 == 0 else 48000
    is_reduced = n_minutes > N_GOOD_MINUTES
    return Sound(
        sample_rate=_REDUCED_RATE if is_reduced else full_rate,
        bitrate=_REDUCED if is_reduced else _GOOD,
        is_reduced=is_reduced,
    )
