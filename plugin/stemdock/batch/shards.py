"""Dividing songs among runs that do not know of one another."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from stemdock.batch.songs import Song


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several parts of a batch. Each song is in exactly one of them."""

    number: int
    """From 1 to `n_shards`."""
    n_shards: int

    def has(self, song: Song) -> bool:
        """Whether a song is in this part.

        That depends only on its output name, or if it has none, on its file name and on its folder below the
        one that was searched. So it is the same on machines that list songs in another order, at another
        place, or while songs come and go.
        """
        # macOS has file systems that decompose accents.
        name = unicodedata.normalize("NFC", (song.folder / (song.name or song.path.name)).as_posix())
        digest = sha256(name.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) % self.n_shards == self.number - 1


ALL: Final = Shard(number=1, n_shards=1)
"""The whole batch."""
