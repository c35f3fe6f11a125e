"""A separator whose results are known beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from stemdock.errors import CancelledError
from stemdock.plugins import Plugins
from stemdock.types import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

    from stemdock import Separator

SHARES = {"vocals": 0.75, "accompaniment": 0.25}
"""Of the mixture, in each stem; exact in binary."""


class KnownSeparator:
    """Stands in for a separator: stems are known shares of the mixture."""

    model = "2stems"
    stems = tuple(SHARES)
    n_channels = 2
    n_threads = 1

    def __init__(self) -> None:
        self.plugins = Plugins()

    def stream(
        self,
        blocks: Iterable[np.ndarray],
        sample_rate: int,
        *,
        output_rate: int,
        total_length: int | None,
        on_progress: Callable[[Progress], None] | None,
        cancel: Event | None,
    ) -> Iterator[np.ndarray]:
        assert output_rate == sample_rate
        done_length = 0
        for block in blocks:
            if cancel is not None and cancel.is_set():
                raise CancelledError
            stereo = np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block
            yield np.stack([stereo * np.float32(share) for share in SHARES.values()])
            done_length += len(block)
            if on_progress:
                on_progress(Progress(done_length=done_length, total_length=total_length))


def known_separator() -> Separator:
    """One of them, as what it stands in for."""
    return cast("Separator", KnownSeparator())
