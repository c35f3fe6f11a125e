"""What a REAPER project is made of, and what its items sound like."""

from __future__ import annotations

import copy
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import soundfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def new_guid() -> str:
    return "{" + str(uuid.uuid4()).upper() + "}"


@lru_cache(maxsize=64)
def _read(path: str, _: int) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples, rate


ITEM_VALUES = {
    "D_POSITION": 0.0, "D_LENGTH": 1.0, "D_VOL": 1.0, "B_MUTE": 0.0, "B_LOOPSRC": 1.0, "B_UISEL": 0.0,
    # Preferences give new items fades; a script that wants none must say so.
    "D_FADEINLEN": 0.01, "D_FADEOUTLEN": 0.01, "D_FADEINLEN_AUTO": 0.01, "D_FADEOUTLEN_AUTO": 0.01,
    "D_FADEINDIR": 0.0, "D_FADEOUTDIR": 0.0, "C_FADEINSHAPE": 1.0, "C_FADEOUTSHAPE": 1.0,
    "C_BEATATTACHMODE": -1.0, "C_LOCK": 0.0, "I_GROUPID": 0.0, "I_CUSTOMCOLOR": 0.0, "C_LANEPLAYS": 0.0,
}  # fmt: skip
TAKE_VALUES = {
    "D_STARTOFFS": 0.0, "D_PLAYRATE": 1.0, "D_PITCH": 0.0, "B_PPITCH": 1.0, "I_PITCHMODE": -1.0,
    "I_CHANMODE": 0.0, "D_VOL": 1.0, "D_PAN": 0.0, "D_PANLAW": -1.0, "I_CUSTOMCOLOR": 0.0,
}  # fmt: skip
TRACK_VALUES = {
    "D_VOL": 1.0, "D_PAN": 0.0, "B_MUTE": 0.0, "I_FOLDERDEPTH": 0.0, "I_CUSTOMCOLOR": 0.0, "I_SELECTED": 0.0,
    "I_SOLO": 0.0, "B_PHASE": 0.0, "B_MAINSEND": 1.0, "D_WIDTH": 1.0, "I_PANMODE": -1.0, "D_PANLAW": -1.0,
    "D_DUALPANL": -1.0, "D_DUALPANR": 1.0, "I_FREEMODE": 0.0,
}  # fmt: skip


@dataclass(eq=False)
class Source:
    """A PCM source; a section has a parent in place of a file."""

    kind: str
    path: str = ""
    parent: Source | None = None
    offset: float = 0.0
    section_length: float = 0.0
    is_reversed: bool = False
    samples: np.ndarray | None = None
    sample_rate: int = 44100
    peaks: str = "missing"
    is_offline: bool = False
    """Whether REAPER has closed the file, as it can when another program is in front."""

    @classmethod
    def from_file(cls, path: Path, kind: str | None = None) -> Source:
        samples, rate = _read(str(path), path.stat().st_mtime_ns)
        kinds = {".wav": "WAVE", ".mp3": "MP3", ".flac": "FLAC"}
        return cls(kind=kind or kinds[path.suffix.lower()], path=str(path), samples=samples, sample_rate=rate)

    @property
    def n_channels(self) -> int:
        if self.parent:
            return self.parent.n_channels
        return 0 if self.samples is None else self.samples.shape[1]

    @property
    def root(self) -> Source:
        """The source with the file."""
        return self.parent.root if self.parent else self

    @property
    def length(self) -> float:
        if self.parent:
            return self.section_length
        return 0.0 if self.samples is None else len(self.samples) / self.sample_rate

    def at(self, times: np.ndarray, *, loops: bool = False) -> np.ndarray:
        """Samples at times in seconds, interpolated; silence where there is nothing."""
        if loops:
            times = np.mod(times, self.length)
        if self.parent:
            inside = (times >= -1e-9) & (times < self.section_length - 1e-9)
            step = 1 / self.parent.sample_rate
            whole = self.offset + (self.section_length - step - times if self.is_reversed else times)
            return np.where(inside[:, None], self.parent.at(whole), 0)
        assert self.samples is not None
        places = np.asarray(times, float) * self.sample_rate
        nearest = np.rint(places)
        places = np.where(np.abs(places - nearest) < 1e-4, nearest, places)
        grid = np.arange(len(self.samples))
        return np.stack(
            [np.interp(places, grid, self.samples[:, c], left=0, right=0) for c in range(self.n_channels)], 1
        )


@dataclass(eq=False)
class Take:
    """A take; `stale` objects belong to the past."""

    source: Source | None = None
    name: str = ""
    guid: str = field(default_factory=new_guid)
    values: dict[str, float] = field(default_factory=lambda: dict(TAKE_VALUES))
    n_envelopes: int = 0
    n_fx: int = 0
    n_stretch_markers: int = 0

    def sound(self, item: Item, times: np.ndarray) -> np.ndarray:
        """What an accessor gives at times from the item's start: no volume, pan or fades."""
        assert self.source
        if self.source.samples is None and self.source.parent is None:
            return np.zeros((len(times), 1))
        return self.source.at(self._places(times), loops=bool(item.values["B_LOOPSRC"]))

    def has_audio(self, item: Item, times: np.ndarray) -> bool:
        """Whether the source has any samples at these times."""
        assert self.source
        if self.source.root.is_offline or self.source.root.samples is None:
            return False
        places = self._places(times)
        is_inside = (places > -1e-9) & (places < self.source.length - 1e-9)
        return bool(item.values["B_LOOPSRC"] or is_inside.any())

    def _places(self, times: np.ndarray) -> np.ndarray:
        return self.values["D_STARTOFFS"] + np.asarray(times) * self.values["D_PLAYRATE"]


@dataclass(eq=False)
class Item:
    takes: list[Take | None] = field(default_factory=list)
    active: int = 0
    guid: str = field(default_factory=new_guid)
    values: dict[str, float] = field(default_factory=lambda: dict(ITEM_VALUES))

    @property
    def take(self) -> Take | None:
        return self.takes[self.active] if self.takes else None

    @property
    def sole_take(self) -> Take:
        """The active take of an item that has one."""
        assert self.take
        return self.take

    @property
    def sole_source(self) -> Source:
        """The active take's source."""
        assert self.sole_take.source
        return self.sole_take.source

    @property
    def end(self) -> float:
        return self.values["D_POSITION"] + self.values["D_LENGTH"]


@dataclass(eq=False)
class Track:
    name: str = ""
    guid: str = field(default_factory=new_guid)
    values: dict[str, float] = field(default_factory=lambda: dict(TRACK_VALUES))
    items: list[Item] = field(default_factory=list)
    n_fx: int = 0
    n_envelopes: int = 0
    n_sends: int = 0
    n_hardware_outputs: int = 0


@dataclass(eq=False)
class UndoStep:
    name: str
    before: list[Track]
    after: list[Track]


@dataclass(eq=False)
class Project:
    media_folder: Path
    file_name: str = ""
    tracks: list[Track] = field(default_factory=list)
    undo: list[UndoStep] = field(default_factory=list)
    redo: list[UndoStep] = field(default_factory=list)
    loop: tuple[float, float] = (0.0, 0.0)
    pan_law: float = 1.0

    def items(self) -> list[Item]:
        return [item for track in self.tracks for item in track.items]

    def things(self) -> Iterator[object]:
        """Everything that a pointer can point to."""
        for track in self.tracks:
            yield track
            yield from track.items
            yield from (take for item in track.items for take in item.takes)
        yield from self._sources()

    def track_of(self, item: Item) -> Track:
        return next(track for track in self.tracks if item in track.items)

    def copied(self) -> list[Track]:
        """New objects with the old GUIDs, which share the audio."""
        return copy.deepcopy(self.tracks, {id(source.samples): source.samples for source in self._sources()})

    def step_back(self) -> None:
        """Undo, which makes new objects of everything."""
        step = self.undo.pop()
        self.redo.append(step)
        self.tracks = step.before
        self.tracks = self.copied()

    def step_forward(self) -> None:
        step = self.redo.pop()
        self.undo.append(step)
        self.tracks = step.after
        self.tracks = self.copied()

    def parents(self) -> dict[str, str]:
        """The name of each track's folder by the track's GUID, "" at the top."""
        result: dict[str, str] = {}
        open_folders: list[Track] = []
        for track in self.tracks:
            result[track.guid] = open_folders[-1].guid if open_folders else ""
            depth = int(track.values["I_FOLDERDEPTH"])
            if depth > 0:
                open_folders.append(track)
            elif depth < 0:
                del open_folders[depth:]
        return result

    def _sources(self) -> list[Source]:
        found = []
        for item in self.items():
            for take in item.takes:
                source = take.source if take else None
                while source:
                    found.append(source)
                    source = source.parent
        return found


@dataclass(eq=False)
class Accessor:
    take: Take
    item: Item
    is_open: bool = True


def state_of(tracks: list[Track]) -> object:
    """Everything about tracks that can be compared, as it is now."""
    return [
        (track.guid, track.name, dict(track.values), [_item_state(item) for item in track.items])
        for track in tracks
    ]


def _item_state(item: Item) -> object:
    takes = [
        take
        and (take.guid, take.name, dict(take.values), take.source and (take.source.path, take.source.kind))
        for take in item.takes
    ]
    return item.guid, item.active, dict(item.values), takes
