"""The model's functions for items and takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.reaper_model.objects import Item, Take
from support.reaper_model.state import State
from support.reaper_model.table import RefusedError, check_attribute

if TYPE_CHECKING:
    from support.reaper_model.objects import Project, Track

# ruff: noqa: N802  the names are REAPER's


def _get(table: str, owner: Item | Take, key: str) -> float:
    check_attribute(table, key, writes=False)
    if key not in owner.values:
        raise RefusedError(f"{key} is not modelled")
    return owner.values[key]


class ItemFunctions(State):
    """Items and takes."""

    def CountMediaItems(self, project: Project) -> int:
        return len(project.items())

    def GetMediaItem(self, project: Project, index: int) -> Item | None:
        items = project.items()
        return items[index] if 0 <= index < len(items) else None

    def GetTrackMediaItem(self, track: Track, index: int) -> Item | None:
        return track.items[index] if 0 <= index < len(track.items) else None

    def _selected(self, project: Project) -> list[Item]:
        return [item for item in project.items() if item.values["B_UISEL"]]

    def CountSelectedMediaItems(self, project: Project) -> int:
        return len(self._selected(project))

    def GetSelectedMediaItem(self, project: Project, index: int) -> Item | None:
        selected = self._selected(project)
        return selected[index] if 0 <= index < len(selected) else None

    def GetMediaItemTrack(self, item: Item) -> Track:
        return self.item_project(item).track_of(item)

    def GetMediaItemInfo_Value(self, item: Item, key: str) -> float:
        return _get("MediaItem_Value", item, key)

    def SetMediaItemInfo_Value(self, item: Item, key: str, value: float) -> bool:
        check_attribute("MediaItem_Value", key, writes=True)
        self._edit(key)
        _get("MediaItem_Value", item, key)
        item.values[key] = value
        return True

    def GetSetMediaItemInfo_String(self, item: Item, key: str, value: str, is_set: bool) -> tuple[bool, str]:
        del value
        check_attribute("MediaItem_String", key, writes=is_set)
        if key != "GUID" or is_set:
            raise RefusedError(f"{key} is not modelled")
        return True, item.guid

    def AddMediaItemToTrack(self, track: Track) -> Item:
        self._edit("AddMediaItemToTrack")
        item = Item()
        track.items.append(item)
        return item

    def SplitMediaItem(self, item: Item, position: float) -> Item | None:
        self._edit("SplitMediaItem")
        start = item.values["D_POSITION"]
        if not start < position < item.end or item in self.unsplittable:
            return None
        right = Item(active=item.active, values=dict(item.values))
        for take in item.takes:
            copied = take and Take(
                source=take.source, name=take.name, values=dict(take.values), n_fx=take.n_fx
            )
            if copied:
                copied.values["D_STARTOFFS"] += (position - start) * copied.values["D_PLAYRATE"]
            right.takes.append(copied)
        right.values.update(D_POSITION=position, D_LENGTH=item.end - position, D_FADEINLEN=0.0)
        item.values.update(D_LENGTH=position - start, D_FADEOUTLEN=0.0)
        self.item_project(item).track_of(item).items.append(right)
        return right

    # Takes

    def GetActiveTake(self, item: Item) -> Take | None:
        return item.take

    def CountTakes(self, item: Item) -> int:
        return len(item.takes)

    def GetTake(self, item: Item, index: int) -> Take | None:
        return item.takes[index] if 0 <= index < len(item.takes) else None

    def AddTakeToMediaItem(self, item: Item) -> Take:
        self._edit("AddTakeToMediaItem")
        take = Take()
        item.takes.append(take)
        item.active = len(item.takes) - 1
        return take

    def GetTakeName(self, take: Take) -> str:
        return take.name

    def TakeIsMIDI(self, take: Take) -> bool:
        return take.source is not None and take.source.kind.startswith("MIDI")

    def GetMediaItemTakeInfo_Value(self, take: Take, key: str) -> float:
        return _get("MediaItemTake_Value", take, key)

    def SetMediaItemTakeInfo_Value(self, take: Take, key: str, value: float) -> bool:
        check_attribute("MediaItemTake_Value", key, writes=True)
        self._edit(key)
        _get("MediaItemTake_Value", take, key)
        take.values[key] = value
        return True

    def GetSetMediaItemTakeInfo_String(
        self, take: Take, key: str, value: str, is_set: bool
    ) -> tuple[bool, str]:
        check_attribute("MediaItemTake_String", key, writes=is_set)
        if key == "GUID":
            return True, take.guid
        if key != "P_NAME":
            raise RefusedError(f"{key} is not modelled")
        if is_set:
            self._edit(key)
            take.name = value
        return True, take.name

    def GetTakeNumStretchMarkers(self, take: Take) -> int:
        return take.n_stretch_markers

    def CountTakeEnvelopes(self, take: Take) -> int:
        return take.n_envelopes

    def TakeFX_GetCount(self, take: Take) -> int:
        return take.n_fx
