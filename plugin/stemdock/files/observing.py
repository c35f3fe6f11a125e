"""What a caller can learn of a separation that is under way, and how to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.types import Damage, FloatArray, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """Callbacks during the separation of a file, and the means to stop it; all are optional."""

    on_progress: Callable[[Progress], None] | None = None
    """Called after every segment."""
    on_block: Callable[[int, Mapping[str, FloatArray]], None] | None = None
    """Called with each block before it is encoded, to play or draw the stems while they are made: the sample
    rate of the files in Hz, and the samples `(n_samples, n_channels)` by the name of the stem or mix. The
    arrays are valid during the call only. `prevent_clipping` has not lowered them yet. If it raises, the
    separation fails."""
    before_placing: Callable[[Mapping[Path, Path], Sequence[Damage]], None] | None = None
    """Called once, when all files are complete, with each temporary file by the place that it moves to
    next, and with the damage of the mixture. If it raises, the files are removed instead."""
    on_encoded: Callable[[str, bytes], None] | None = None
    """Called, also in other threads, with the name of a stem or mix and the next bytes of its file, as soon
    as they are written. Only for codecs whose files can be played before they are complete. If it raises,
    the files are removed."""
    cancel: Event | None = None
    """Set it from another thread to stop soon, also inside a long segment. Reading that hangs ends within
    half a second."""
