"""Sets of millions of keys with eight bytes for each: their hashes.

Two keys can have the same hash by chance: once in ten million sets of a million keys. Where that matters, the
keys themselves are looked at again.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable


class Hashes:
    """Hashes of keys, in the order in which they come."""

    def __init__(self) -> None:
        """Knows no key."""
        self._hashes = array("q")

    def note(self, key: Hashable) -> None:
        """Takes a key."""
        self._hashes.append(hash(key))

    def repeated(self) -> frozenset[int]:
        """The hashes that more than one of the keys has."""
        values = self._sorted()
        return frozenset(values[1:][values[1:] == values[:-1]].tolist())

    def known(self) -> KnownKeys:
        """All keys so far."""
        values = self._sorted()
        # Not numpy.unique, which imports the masked arrays of numpy.
        return KnownKeys(array("q", values[np.diff(values, prepend=values[:1] - 1) != 0].tobytes()))

    def _sorted(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.sort(np.array(self._hashes, np.int64))


class KnownKeys:
    """Tells whether a key is known, with the error above."""

    def __init__(self, hashes: array[int]) -> None:
        """Takes sorted hashes."""
        self._hashes = hashes

    def __contains__(self, key: Hashable) -> bool:
        """Whether it is probably known."""
        value = hash(key)
        place = bisect_left(self._hashes, value)
        return place < len(self._hashes) and self._hashes[place] == value
