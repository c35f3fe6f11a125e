"""Exports: finished stems, mixed as the page shows it, in every format that Stemdock writes.

An engine that gives the finished stems instead of separating takes the place of a network. So mixing,
encoding, resampling, tags, covers and names are those of `separate_file`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock import (
    CancelledError,
    ModelEntry,
    Observer,
    Plugins,
    Separator,
    hookimpl,
    os_errors_as,
    separate_file,
)
from stemdock_web.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from threading import Event

    from stemdock import Engine, FloatArray, Progress
    from stemdock_hostkit.job.live import LiveStems
    from stemdock_web.export_orders import Order

_MODEL: Final = "finished stems"
_FULL_SCALE: Final = 1 - 2**-15
"""Largest sample that 16 bits can hold: it clips in no codec."""
_BLOCK: Final = 1 << 17
"""Samples read at a time."""
_INAUDIBLE: Final = 0.05
"""dB that are not worth a word."""
_FILMS: Final = (".m4v", ".mkv", ".mov", ".mp4")
"""Containers of films that stay as they are. Matroska can contain the pictures of all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file that was exported."""

    path: Path
    """A folder, if it is several files."""
    notes: tuple[str, ...]
    """What is different from the order, in sentences."""


def export(
    live: LiveStems,
    song: Path,
    folder: Path,
    order: Order,
    on_progress: Callable[[Progress], None],
    cancel: Event,
) -> Exported:
    """Writes one file, or a folder of files.

    Args:
        live: Complete stems of the song.
        song: The song.
        folder: An empty folder for it.
        order: What to export.
        on_progress: Called with news.
        cancel: Set it from another thread to stop.

    Raises:
        AudioFileError: The song cannot be read any more.
        RefusedError: Nor can the stems.
        OutputError: The file cannot be written.
        CancelledError: `cancel` was set.
    """
    # One gain for every stem of a song, so that stems that are exported one by one still add up.
    gain = _common_gain(live, cancel) if order.stem and order.choice.output.prevent_clipping else 1.0
    engine = _Replay(live)
    plugins = Plugins()
    plugins.register(_Finished(engine), "finished")
    separator = Separator(_MODEL, plugins=plugins)
    path = folder / "files" if order.choice.is_folder else folder
    suffix = song.suffix.lower()
    film = folder / f"{song.stem}{suffix if suffix in _FILMS else '.mkv'}"
    separated = separate_file(
        separator,
        song,
        {"video": film} if order.choice.is_film else path,
        output=order.output(live, gain),
        downmix="auto",
        observer=Observer(on_progress=on_progress, cancel=cancel),
    )
    if not order.choice.is_folder:
        (path,) = separated.files.values()
    gain_db = separated.gain_db + 20 * math.log10(gain)
    lowered = [f"{-gain_db:.1f} dB lower, so that it does not clip."] if gain_db < -_INAUDIBLE else []
    return Exported(path=path, notes=(*lowered, *separated.warnings))


class _Replay:
    """An engine that gives finished stems instead of separating."""

    provider = "cpu"

    def __init__(self, live: LiveStems) -> None:
        self._live = live
        self.sample_rate = live.sample_rate
        self.n_channels = live.n_channels
        self.stems = live.stems

    def separate(
        self,
        mixture: Iterable[FloatArray],
        on_analysed: Callable[[int], None],  # noqa: ARG002  this engine has one pass
    ) -> Iterator[FloatArray]:
        """Gives the stems of the mixture's samples: see `stemdock.Engine`."""
        start = 0
        for block in mixture:
            with os_errors_as(_unreadable):
                stems = self._live.read(start, len(block))
            start += len(block)
            if stems.shape[1] < len(block):
                raise _unreadable("they are not as long as the song")
            yield stems


def _common_gain(live: LiveStems, cancel: Event) -> float:
    """The factor by which no stem of a song exceeds full scale."""
    peak, start = _FULL_SCALE, 0
    while not cancel.is_set():
        with os_errors_as(_unreadable):
            block = live.read(start, _BLOCK)
        if not block.size:
            return _FULL_SCALE / peak
        peak = max(peak, float(np.abs(block).max()))
        start += block.shape[1]
    raise CancelledError


def _unreadable(reason: str) -> RefusedError:
    return RefusedError(422, f"the stems cannot be read ({reason})", remedy="Add the song again.")


class _Finished:
    """A plug-in with nothing but the engine."""

    def __init__(self, engine: _Replay) -> None:
        self._engine = engine

    @hookimpl
    def stemdock_models(self) -> list[ModelEntry]:
        engine = self._engine
        return [ModelEntry(name=_MODEL, stems=engine.stems, sample_rate=engine.sample_rate, version="1")]

    @hookimpl
    def stemdock_engine(self, entry: ModelEntry) -> Engine | None:
        return self._engine if entry.name == _MODEL else None
