"""The model's functions for sources and audio accessors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from support.reaper_model.objects import Accessor, Source
from support.reaper_model.state import State
from support.reaper_model.table import RefusedError

if TYPE_CHECKING:
    from support.reaper_model.objects import Take

# ruff: noqa: N802  the names are REAPER's


class SourceFunctions(State):
    """Sources, accessors."""

    def GetMediaItemTake_Source(self, take: Take) -> Source | None:
        return take.source

    def GetMediaSourceType(self, source: Source, _: str | None = None) -> str:
        return source.kind

    def GetMediaSourceFileName(self, source: Source, _: str | None = None) -> str:
        return source.path

    def GetMediaSourceParent(self, source: Source) -> Source | None:
        return source.parent

    def GetMediaSourceNumChannels(self, source: Source) -> int:
        return source.n_channels

    def GetMediaSourceSampleRate(self, source: Source) -> int:
        return source.sample_rate if source.parent is None else source.parent.sample_rate

    def GetMediaSourceLength(self, source: Source) -> tuple[float, bool]:
        return source.length, False

    def PCM_Source_CreateFromFile(self, path: str) -> Source | None:
        if path in self.broken_files:
            return None
        try:
            source = Source.from_file(Path(path))
        except (soundfile.SoundFileError, OSError):
            return None
        self.spare_sources.append(source)
        return source

    def PCM_Source_Destroy(self, source: Source) -> None:
        if source not in self.spare_sources:
            raise RefusedError("a source is destroyed that a take still uses")
        self.spare_sources.remove(source)

    def SetMediaItemTake_Source(self, take: Take, source: Source) -> bool:
        self._edit("SetMediaItemTake_Source")
        if source not in self.spare_sources:
            raise RefusedError("a source that is in use already is duplicated")
        self.spare_sources.remove(source)
        take.source = source
        return True

    def PCM_Source_BuildPeaks(self, source: Source, mode: int) -> int:
        steps = {
            ("missing", 0): ("begun", 1), ("built", 0): ("built", 0), ("begun", 1): ("nearly", 40),
            ("nearly", 1): ("complete", 0), ("complete", 2): ("built", 0),
        }  # fmt: skip
        if (source.peaks, mode) not in steps:
            raise RefusedError(f"PCM_Source_BuildPeaks({mode}) while {source.peaks}")
        source.peaks, answer = steps[source.peaks, mode]
        return answer

    # Accessors

    def CreateTakeAudioAccessor(self, take: Take) -> Accessor:
        item = next(
            item
            for project in self.projects
            for item in project.items()
            if any(take is t for t in item.takes)
        )
        accessor = Accessor(take=take, item=item)
        self.accessors.append(accessor)
        return accessor

    def DestroyAudioAccessor(self, accessor: Accessor) -> None:
        accessor.is_open = False

    def GetAudioAccessorSamples(
        self, accessor: Accessor, rate: int, n_channels: int, start: float, length: int, buffer: Any
    ) -> int:
        if not self.is_valid(accessor.take):
            raise RefusedError("the accessor's take is gone")
        values = self._bridge["arrays"][buffer]
        if length * n_channels > len(values):
            raise RefusedError("the buffer is too small")
        if accessor.take.source is not None and accessor.take.source.path in self.broken_files:
            return -1
        self.clock += length / self.reading_speed
        times = start + np.arange(length) / rate
        # What lies outside the item is left as it was.
        inside = (times > -1e-9) & (times < accessor.item.values["D_LENGTH"] - 1e-9)
        if not accessor.take.has_audio(accessor.item, times[inside]):
            # Without audio the buffer is left as it was, too.
            return 0
        sound = accessor.take.sound(accessor.item, times)
        if sound.shape[1] < n_channels:
            sound = np.repeat(sound[:, :1], n_channels, axis=1)
        if accessor.take.values["I_CHANMODE"] == 1:  # reverse stereo
            sound = np.concatenate([sound[:, 1::-1], sound[:, 2:]], axis=1)
        # Channels that were not asked for are mixed into the others.
        sound = np.stack([sound[:, c::n_channels].sum(axis=1) for c in range(n_channels)], axis=1)
        if inside.all():
            self._lua.globals().table.move(
                self._lua.table_from(sound.ravel().tolist()), 1, sound.size, 1, values
            )
        else:
            for index in np.flatnonzero(inside):
                for channel in range(n_channels):
                    values[int(index) * n_channels + channel + 1] = float(sound[index, channel])
        return 1
