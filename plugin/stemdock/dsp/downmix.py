"""Folding of surround sound to stereo, with the centre in it, where the voice is.

Spleeter keeps the first two channels and so loses the centre. Here every channel goes where its
loudspeaker stands, as ITU-R BS.775 says: front left and right as they are, centre and surrounds at -3 dB,
a rear centre at -6 dB on both sides; the low-frequency effects are left out. All is then turned down by one
gain, so that what does not exceed full scale in any channel cannot exceed it folded: by 7.7 dB for 5.1.

Conventions:
    Loudspeakers bear ffmpeg's short names: FL front left, LFE low-frequency effects, SL side left, BL back
    left, BC back centre, FLC front left of centre, TFL top front left and so on.

References:
    ITU-R BS.775-3, annex 4, table 2; for loudspeakers beyond its 3/2 and for the common gain,
    libswresample's matrix at its default levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.types import Downmix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stemdock.types import FloatArray

_HALF_POWER: Final = 0.5**0.5
_GAINS: Final[dict[str, tuple[float, float]]] = {
    "FL": (1, 0),
    "FR": (0, 1),
    "FLC": (1, 0),
    "FRC": (0, 1),
    "LFE": (0, 0),
    "FC": (_HALF_POWER, _HALF_POWER),
    **dict.fromkeys(("SL", "BL", "TFL", "TBL"), (_HALF_POWER, 0)),
    **dict.fromkeys(("SR", "BR", "TFR", "TBR"), (0, _HALF_POWER)),
    **dict.fromkeys(("BC", "TC", "TFC", "TBC"), (0.5, 0.5)),
}
"""What of each loudspeaker goes to left and right."""

_BY_COUNT: Final = {
    3: "FL FR FC",
    4: "FL FR BL BR",
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}
"""What a file means that says only how many channels it has; what FLAC prescribes."""
_BY_COUNT_IN_OGG: Final = {
    3: "FL FC FR",
    4: "FL FR BL BR",
    5: "FL FC FR BL BR",
    6: "FL FC FR BL BR LFE",
    7: "FL FC FR SL SR BC LFE",
    8: "FL FC FR SL SR BL BR LFE",
}
"""What Vorbis and Opus prescribe."""


def usual_speakers(n_channels: int, *, ogg: bool) -> tuple[str, ...]:
    """Loudspeakers of a file that does not say which it has; none if there is no agreement.

    Args:
        n_channels: Its channels.
        ogg: Whether it is Vorbis or Opus, which have an order of their own.
    """
    return tuple((_BY_COUNT_IN_OGG if ogg else _BY_COUNT).get(n_channels, "").split())


def full_downmix(speakers: Sequence[str]) -> Downmix:
    """Everything folded to stereo.

    Args:
        speakers: Loudspeakers of the channels, all known here.
    """
    gains = np.array([_GAINS[name] for name in speakers])
    loudest = max(1.0, gains.sum(axis=0).max())
    return Downmix(
        speakers=tuple(speakers),
        matrix=tuple((left / loudest, right / loudest) for left, right in gains.tolist()),
    )


def front_pair(speakers: Sequence[str], n_channels: int) -> Downmix:
    """Front left and right alone, as Spleeter has it.

    Args:
        speakers: Loudspeakers of the channels; none if they are not known, when the first two are meant.
        n_channels: Channels of the file.
    """
    names = tuple(speakers) or tuple(f"channel {position + 1}" for position in range(n_channels))
    pair = ("FL", "FR") if {"FL", "FR"} <= set(names) else names[:2]
    return Downmix(
        speakers=names, matrix=tuple((float(name == pair[0]), float(name == pair[1])) for name in names)
    )


def downmixed(blocks: Iterable[FloatArray], downmix: Downmix) -> Iterator[FloatArray]:
    """Blocks `(n_samples, n_channels)` as stereo, `(n_samples, 2)`."""
    matrix = np.array(downmix.matrix, np.float32)
    for block in blocks:
        yield block @ matrix
