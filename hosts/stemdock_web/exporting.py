"""Exports: finished stems, mixed as the page shows it, in every format that Stemdock writes.

An engine that gives the finished stems instead of separating takes the place of a network. So encoding,
resampling, tags, covers and names are those of `separate_file`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stemdock import (
    CancelledError,
    ModelEntry,
    Observer,
    Output,
    Plugins,
    Separator,
    hookimpl,
    os_errors_as,
    separate_file,
)
from stemdock_web.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path
    from threading import Event

    from stemdock import Engine, FloatArray, Progress
    from stemdock_hostkit.job.live import LiveStems

_MODEL: Final = "finished stems"
_MIX: Final = "mix"
_LOUDEST: Final = 24.0
"""dB that a stem can be raised by."""
_STEREO: Final = 2
_FULL_SCALE: Final = 1 - 2**-15
"""Largest sample that 16 bits can hold: it clips in no codec."""
_BLOCK: Final = 1 << 17
"""Samples read at a time."""
_INAUDIBLE: Final = 0.05
"""dB that are not worth a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Gain and place of a stem in a mix."""

    gain: float = 1.0
    """Factor; 0 for a stem that is not heard."""
    pan: float = 0.0
    """-1 for left, 1 for right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A kind of file to export."""

    name: str
    title: str
    """For people."""
    output: Output
    holds_all: bool = False
    """Whether one file holds all stems."""


CHOICES: Final = {
    choice.name: choice
    for choice in (
        Choice(name="wav", title="WAV, 32-bit float", output=Output()),
        Choice(name="wav24", title="WAV, 24-bit", output=Output(bit_depth="24", prevent_clipping=True)),
        Choice(name="flac", title="FLAC, 24-bit", output=Output(codec="flac", prevent_clipping=True)),
        Choice(name="mp3", title="MP3", output=Output(codec="mp3", prevent_clipping=True)),
        Choice(name="ogg", title="Ogg Vorbis", output=Output(codec="ogg", prevent_clipping=True)),
        Choice(name="zip", title="Zip of WAV files", output=Output(format="zip"), holds_all=True),
        Choice(
            name="zip-flac",
            title="Zip of FLAC files",
            output=Output(format="zip", codec="flac", prevent_clipping=True),
            holds_all=True,
        ),
        Choice(
            name="stem",
            title="DJ stem file (AAC)",
            output=Output(format="stem", codec="m4a", prevent_clipping=True),
            holds_all=True,
        ),
        Choice(name="dawproject", title="DAWproject", output=Output(format="dawproject"), holds_all=True),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to export."""

    choice: Choice
    stem: str | None = None
    """The stem to export by itself; None for the mix, or for all stems if one file holds them."""
    mix: Mapping[str, Setting] = field(default_factory=dict)
    """By the name of the stem; stems that are missing are heard as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A file that was exported."""

    path: Path
    notes: tuple[str, ...]
    """What is different from the order, in sentences."""


def order_from_values(content: Any, stems: tuple[str, ...]) -> Order:
    """Reads what a page asks for.

    Args:
        content: The value that the page sent, which may be anything.
        stems: The stems of the song.

    Raises:
        RefusedError: It is invalid.
    """
    try:
        stem = content.get("stem")
        if stem is not None and stem not in stems:
            raise ValueError(stem)  # noqa: TRY301  one handler for all faults
        mix = {name: _setting(setting) for name, setting in content.get("mix", {}).items() if name in stems}
        return Order(choice=CHOICES[content["choice"]], stem=stem, mix=mix)
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise RefusedError(400, "the export is invalid", remedy="Reload the page.") from error


def n_bytes_of(order: Order, live: LiveStems) -> int:
    """Bytes that an export may need on the disk, with its temporary files: all of its samples twice."""
    n_sounds = len(live.stems) + 1 if order.choice.holds_all else 1
    return 2 * n_sounds * live.length * live.frame_size // len(live.stems)


def export(
    live: LiveStems,
    song: Path,
    folder: Path,
    order: Order,
    on_progress: Callable[[Progress], None],
    cancel: Event,
) -> Exported:
    """Writes one file.

    Args:
        live: Complete stems of the song.
        song: The song.
        folder: An empty folder for the file.
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
    engine = _Replay(live, order, gain)
    plugins = Plugins()
    plugins.register(_Finished(engine), "finished")
    separator = Separator(_MODEL, plugins=plugins)
    separated = separate_file(
        separator,
        song,
        folder,
        output=order.choice.output,
        downmix="auto",
        observer=Observer(on_progress=on_progress, cancel=cancel),
    )
    (path,) = separated.files.values()
    gain_db = separated.gain_db + 20 * math.log10(gain)
    lowered = [f"{-gain_db:.1f} dB lower, so that it does not clip."] if gain_db < -_INAUDIBLE else []
    return Exported(path=path, notes=(*lowered, *separated.warnings))


def pan_matrix(pan: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """What a stereo panner does, as factors of left and right in left, and of left and right in right.

    References:
        Web Audio API 1.0, "Stereo Panning": the algorithm for stereo input, by which browsers play.
    """
    if pan <= 0:
        angle = (pan + 1) * math.pi / 2
        return (1.0, math.cos(angle) if pan else 0.0), (0.0, math.sin(angle) if pan else 1.0)
    angle = pan * math.pi / 2
    return (math.cos(angle), 0.0), (math.sin(angle), 1.0)


class _Replay:
    """An engine that gives finished stems, or their mix, instead of separating."""

    provider = "cpu"

    def __init__(self, live: LiveStems, order: Order, gain: float) -> None:
        self._live = live
        self._order = order
        self._gain = gain
        self.sample_rate = live.sample_rate
        self.n_channels = live.n_channels
        if order.choice.holds_all:
            self.stems = live.stems
        else:
            self.stems = (order.stem or _MIX,)

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
            yield self._ordered(stems)

    def _ordered(self, stems: FloatArray) -> FloatArray:
        if self._order.choice.holds_all:
            return stems
        if self._order.stem is not None:
            index = self._live.stems.index(self._order.stem)
            return stems[index : index + 1] * np.float32(self._gain)
        return _mixed(stems, [self._order.mix.get(name, Setting()) for name in self._live.stems])[None]


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


def _mixed(stems: FloatArray, settings: list[Setting]) -> FloatArray:
    """The mix of stems `(n_stems, n_samples, n_channels)`."""
    total = np.zeros(stems.shape[1:], np.float64)
    for stem, setting in zip(stems, settings, strict=True):
        if stem.shape[1] == _STEREO and setting.pan:
            total += stem @ (np.array(pan_matrix(setting.pan)).T * setting.gain)
        elif setting.gain:
            total += stem * setting.gain
    return total.astype(np.float32)


def _setting(content: Mapping[str, Any]) -> Setting:
    gain, pan = float(content["gain"]), float(content["pan"])
    if not (0 <= gain <= 10 ** (_LOUDEST / 20) and -1 <= pan <= 1):
        raise ValueError("out of range")
    return Setting(gain=gain, pan=pan)
