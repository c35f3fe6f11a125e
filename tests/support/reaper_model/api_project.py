"""The model's functions for projects, tracks and undo."""

from __future__ import annotations

from typing import Any

from support.reaper_model.objects import Project, Source, Track, UndoStep, state_of
from support.reaper_model.state import State
from support.reaper_model.table import RefusedError, check_attribute

# ruff: noqa: N802  the names are REAPER's


class ProjectFunctions(State):
    """Projects, tracks, undo."""

    def EnumProjects(self, index: int, _: str | None = None) -> tuple[Project | None, str]:
        if index == -1:
            return self.current, self.current.file_name
        if 0 <= index < len(self.projects):
            return self.projects[index], self.projects[index].file_name
        return None, ""

    def SelectProjectInstance(self, project: Project) -> None:
        self.current = project

    def GetProjectPathEx(self, project: Project, _: str | None = None) -> str:
        return str(project.media_folder)

    def GetSet_LoopTimeRange2(
        self, project: Project, is_set: bool, is_loop: bool, start: float, end: float, seek: bool
    ) -> tuple[float, float]:
        del start, end, seek
        if is_set or is_loop:
            raise RefusedError("the loop is not ours to look at or change")
        return project.loop

    def ValidatePtr2(self, project: Project, pointer: Any, kind: str) -> bool:
        kinds = {"ReaProject*": Project, "MediaTrack*": Track, "PCM_source*": Source}
        if kind == "MediaItem*":
            return pointer in project.items()
        if kind == "MediaItem_Take*":
            return any(pointer is take for item in project.items() for take in item.takes)
        if kind not in kinds:
            raise RefusedError(f"ValidatePtr2 does not know {kind}")
        return isinstance(pointer, kinds[kind]) and self.is_valid(pointer)

    # Undo

    def Undo_BeginBlock2(self, project: Project) -> None:
        if self.undo_block is not None:
            raise RefusedError("undo blocks are nested")
        self.undo_block = (project, project.tracks, state_of(project.tracks))
        self._before = project.copied()

    def Undo_EndBlock2(self, project: Project, name: str, flags: int) -> None:
        if self.undo_block is None or self.undo_block[0] is not project:
            raise RefusedError("an undo block ends that never began")
        if flags != -1:
            raise RefusedError("the undo step would not hold everything")
        if self.refresh:
            raise RefusedError("PreventUIRefresh must be balanced before the undo block ends")
        _, _, before = self.undo_block
        self.undo_block = None
        # Without a change there is nothing to record, and the last step stays somebody else's.
        if state_of(project.tracks) != before:
            project.undo.append(UndoStep(name, self._before, project.copied()))
            project.redo.clear()

    def Undo_CanUndo2(self, project: Project) -> str | None:
        return project.undo[-1].name if project.undo else None

    def Undo_DoUndo2(self, project: Project) -> int:
        if self.undo_block is not None:
            raise RefusedError("undo inside an undo block")
        if not project.undo:
            return 0
        project.step_back()
        self.reachable = None
        return 1

    def PreventUIRefresh(self, count: int) -> None:
        self.refresh += count
        if self.refresh < 0:
            raise RefusedError("PreventUIRefresh fell below zero")

    def TrackList_AdjustWindows(self, is_minor: bool) -> None:
        del is_minor

    def UpdateArrange(self) -> None:
        if self.refresh:
            raise RefusedError("UpdateArrange while refreshing is prevented shows nothing")
        self.view_is_stale = False

    # Tracks

    def GetTrack(self, project: Project, index: int) -> Track | None:
        return project.tracks[index] if 0 <= index < len(project.tracks) else None

    def CountTracks(self, project: Project) -> int:
        return len(project.tracks)

    def InsertTrackAtIndex(self, index: int, defaults: bool) -> None:
        self._edit("InsertTrackAtIndex")
        if self.undo_block is None or self.undo_block[0] is not self.current:
            raise RefusedError("InsertTrackAtIndex goes to another project than the undo block")
        if defaults:
            raise RefusedError("a track with the person's default FX would colour the stems")
        self.current.tracks.insert(index, Track())

    def GetTrackName(self, track: Track, _: str | None = None) -> tuple[bool, str]:
        number = int(self.GetMediaTrackInfo_Value(track, "IP_TRACKNUMBER"))
        return True, track.name or f"Track {number}"

    def GetMediaTrackInfo_Value(self, track: Track, key: str) -> float:
        check_attribute("MediaTrack_Value", key, writes=False)
        if key == "IP_TRACKNUMBER":
            return float(self._project_of(track).tracks.index(track) + 1)
        if key not in track.values:
            raise RefusedError(f"{key} is not modelled")
        return track.values[key]

    def SetMediaTrackInfo_Value(self, track: Track, key: str, value: float) -> bool:
        check_attribute("MediaTrack_Value", key, writes=True)
        self._edit(key)
        if key not in track.values:
            raise RefusedError(f"{key} is not modelled")
        track.values[key] = value
        return True

    def GetSetMediaTrackInfo_String(
        self, track: Track, key: str, value: str, is_set: bool
    ) -> tuple[bool, str]:
        check_attribute("MediaTrack_String", key, writes=is_set)
        if key != "P_NAME":
            raise RefusedError(f"{key} is not modelled")
        if is_set:
            self._edit(key)
            track.name = value
        return True, track.name

    def CountTrackEnvelopes(self, track: Track) -> int:
        return track.n_envelopes

    def GetTrackNumSends(self, track: Track, category: int) -> int:
        counts = {0: track.n_sends, 1: track.n_hardware_outputs}
        if category not in counts:
            raise RefusedError("receives are not modelled")
        return counts[category]

    def TrackFX_GetCount(self, track: Track) -> int:
        return track.n_fx

    def _project_of(self, track: Track) -> Project:
        return next(project for project in self.projects if track in project.tracks)
