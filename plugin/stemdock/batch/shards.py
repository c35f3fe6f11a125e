"""Dividing songs among runs that do not know of one another."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from hashlib import sha256
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One of several parts of a batch. Each song is in exactly one of them."""

    number: int
    """From 1 to `n_shards`."""
    n_shards: int

    def has(self, name: str) -> bool:
        """Whether a song is in this part.

        Args:
            name: Something that is different for each song, and the same on all machines.
        """
        # macOS has file systems that decompose accents.
        normal = unicodedata.normalize("NFC", name)
        digest = sha256(normal.encode("utf-8", "surrogatepass")).digest()
        return int.from_bytes(digest[:8]) % self.n_shards == self.number - 1


ALL: Final = Shard(number=1, n_shards=1)
"""The whole batch."""
