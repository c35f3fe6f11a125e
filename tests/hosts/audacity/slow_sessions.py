"""A plug-in for the programs that the tests start: an engine that takes its time while a file exists.

So a test can interfere with a separation however fast the machine is.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from stemdock import hookimpl
from stemdock.inference.opening import spleeter_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock import Engine, Execution, FloatArray, ModelEntry, Separation

_SECONDS = 2.0
"""For each segment of twelve seconds."""


class _SlowEngine:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.stems = engine.stems
        self.sample_rate = engine.sample_rate
        self.n_channels = engine.n_channels
        self.provider = engine.provider

    def separate(
        self, mixture: Iterable[FloatArray], on_analysed: Callable[[int], None]
    ) -> Iterator[FloatArray]:
        for stems in self._engine.separate(mixture, on_analysed):
            if Path(os.environ["STEMDOCK_SLOW"]).exists():
                time.sleep(_SECONDS)
            yield stems


@hookimpl
def stemdock_engine(entry: ModelEntry, execution: Execution, separation: Separation) -> Engine | None:
    if entry.card is None:
        return None
    return _SlowEngine(spleeter_engine(entry, execution, separation, keep_prepared=True))
