"""A separator whose results are known beforehand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from stemdock.errors import CancelledError
from stemdock.plugins import Plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from threading import Event

SHARES = {"vocals": 0.75, "accompaniment": 0.25}
"""Of the mixture, in each stem; exact in binary."""


class KnownSeparator:
    """Stands in for a separator: stems are known shares of the mixture."""

    card = SimpleNamespace(name="2stems", stems=tuple(SHARES), n_channels=2)

    def __init__(self) -> None:
        self.plugins = Plugins()

    def stream(
        self, blocks: Iterable[np.ndarray], sample_rate: int, *, cancel: Event | None = None
    ) -> Iterator[np.ndarray]:
        del sample_rate
        for block in blocks:
            if cancel is not None and cancel.is_set():
                raise CancelledError
            stereo = np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block
            yield np.stack([stereo * np.float32(share) for share in SHARES.values()])
