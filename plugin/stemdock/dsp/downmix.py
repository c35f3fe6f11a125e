"""Downmix of surround sound to stereo, which includes the centre channel with the voice.

Spleeter keeps the first two channels and so loses the centre. Here every channel is placed according to
ITU-R BS.775: front left and right as they are, centre and surrounds at -3 dB, a rear centre at -6 dB on both
sides, and no low-frequency effects. A common gain, -7.7 dB for 5.1, keeps the stereo within full scale if all
channels are.

Conventions:
    Loudspeakers have ffmpeg's short names: FL front left, LFE low-frequency effects, SL side left, BL back
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
"""Gains of each loudspeaker in left and right."""

_BY_COUNT: Final = {
    3: "FL FR FC",
    4: "FL FR BL BR",
    5: "FL FR FC BL BR",
    6: "FL FR FC LFE BL BR",
    7: "FL FR FC LFE BC SL SR",
    8: "FL FR FC LFE BL BR SL SR",
}
"""Loudspeakers of a file that states only its number of channels, as FLAC prescribes them."""
_BY_COUNT_IN_OGG: Final = {
    3: "FL FC FR",
    4: "FL FR BL BR",
    5: "FL FC FR BL BR",
    6: "FL FC FR BL BR LFE",
    7: "FL FC FR SL SR BC LFE",
    8: "FL FC FR SL SR BL BR LFE",
}
"""The same as Vorbis and Opus prescribe."""


def usual_speakers(n_channels: int, *, ogg: bool) -> tuple[str, ...]:
    """Loudspeakers of a file that does not name them; empty for an unusual number of channels.

    Args:
        n_channels: Channels of the file.
        ogg: Whether the file is Vorbis or Opus, which have their own order.
    """
    return tuple((_BY_COUNT_IN_OGG if ogg else _BY_COUNT).get(n_channels, "").split())


def full_downmix(speakers: Sequence[str]) -> Downmix:
    """The downmix of all channels to stereo.

    Args:
        speakers: Loudspeakers of the channels, all of them listed in this module.
    """
    gains = np.array([_GAINS[name] for name in speakers])
    loudest = max(1.0, gains.sum(axis=0).max())
    return Downmix(
        speakers=tuple(speakers),
        matrix=tuple((left / loudest, right / loudest) for left, right in gains.tolist()),
    )


def front_pair(speakers: Sequence[str], n_channels: int) -> Downmix:
    """The downmix that keeps front left and right only, as Spleeter does.

    Args:
        speakers: Loudspeakers of the channels; empty if unknown, which selects the first two.
        n_channels: Channels of the file.
    """
    names = tuple(speakers) or tuple(f"channel {position + 1}" for position in range(n_channels))
    pair = ("FL", "FR") if {"FL", "FR"} <= set(names) else names[:2]
    return Downmix(
        speakers=names, matrix=tuple((float(name == pair[0]), float(name == pair[1])) for name in names)
    )


def downmixed(blocks: Iterable[FloatArray], downmix: Downmix) -> Iterator[FloatArray]:
    """Mixes blocks `(n_samples, n_channels)` to stereo, `(n_samples, 2)`."""
    matrix = np.array(downmix.matrix, np.float32)
    for block in blocks:
        yield block @ matrix
