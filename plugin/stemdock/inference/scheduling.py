"""How many segments a machine processes at the same time.

Where several threads share a layer of the network, each waits for the slowest at its end. So the more cores
there are, the fewer of them are busy. Segments are independent: with several at the same time, one always has
work for a core. They share the threads, so that a single segment still has all of them, as at the end of a
song. No bit of the result depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_CORES: Final = 2
"""Cores that one segment keeps busy."""
_SIZE: Final = 200_000_000
"""Bytes for a further segment with five stems: intermediate results, spectra and finished stems."""
_SHARE: Final = 4
"""At most this part of the memory goes to further segments."""


def segments_at_once(n_cores: int, spare: Callable[[], int]) -> int:
    """Chooses how many segments to process at the same time.

    Args:
        n_cores: Physical cores to use, >= 1.
        spare: Returns the bytes of memory that there are; called if there are cores for further segments.
    """
    n_at_once = max(1, n_cores // _CORES)
    return n_at_once if n_at_once == 1 else min(n_at_once, 1 + spare() // _SHARE // _SIZE)
