"""Makes the table that drives the strict model of REAPER, from the header of Cockos' REAPER SDK.

    python tests/hosts/reaper/make_table.py reaper_plugin_functions.h

Lua's view of a C function follows from its arguments: pointers to basic types named `...Out` come
back, those without go in and come back, `..._sz` belongs to the string before it. The few
that break the rule are listed.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "data" / "reaper_api.json"
IN_AND_OUT = {("GetSet_LoopTimeRange2", "startOut"), ("GetSet_LoopTimeRange2", "endOut")}
SAMPLE_BUFFERS = {("GetAudioAccessorSamples", "samplebuffer")}
BASIC = {"size_t": "integer", "int": "integer", "double": "number", "float": "number", "bool": "boolean"}
EXCEPTIONS = {
    "genGuid": {"in": [["gGUID", "string", False]], "out": ["string"]},
}
KEPT = """
AddMediaItemToTrack AddRemoveReaScript AddTakeToMediaItem APIExists ColorToNative CountMediaItems
CountSelectedMediaItems CountTakeEnvelopes CountTakes CountTrackEnvelopes CountTrackMediaItems CountTracks
CreateTakeAudioAccessor DeleteTrack DeleteTrackMediaItem DestroyAudioAccessor EnumerateFiles
EnumProjects ExecProcess file_exists genGuid GetActiveTake GetAppVersion GetAudioAccessorEndTime
GetAudioAccessorSamples GetAudioAccessorStartTime GetExePath GetExtState GetItemStateChunk
GetMediaItem GetMediaItemInfo_Value GetMediaItemTake_Source GetMediaItemTakeInfo_Value
GetMediaItemTrack GetMediaSourceFileName GetMediaSourceLength GetMediaSourceNumChannels
GetMediaSourceParent GetMediaSourceSampleRate GetMediaSourceType GetMediaTrackInfo_Value GetOS
GetProjectPathEx GetProjExtState GetResourcePath GetSelectedMediaItem GetSet_LoopTimeRange2
GetSetMediaItemInfo_String GetSetMediaItemTakeInfo_String GetSetMediaTrackInfo_String
GetSetProjectInfo GetSetProjectInfo_String GetTake GetTakeName GetTakeNumStretchMarkers
GetTakeStretchMarker GetTrack GetTrackMediaItem GetTrackName GetTrackNumSends GetUserFileNameForRead
GetUserInputs
InsertMedia InsertTrackAtIndex InsertTrackInProject Main_OnCommand Main_openProject MarkProjectDirty
NamedCommandLookup PCM_Source_BuildPeaks PCM_Source_CreateFromFile PCM_Source_Destroy
PCM_Source_GetSectionInfo PreventUIRefresh RecursiveCreateDirectory ReverseNamedCommandLookup
SelectAllMediaItems SelectProjectInstance SetActiveTake SetEditCurPos SetExtState SetItemStateChunk
SetMediaItemInfo_Value SetMediaItemSelected SetMediaItemTake_Source SetMediaItemTakeInfo_Value
SetMediaTrackInfo_Value SetOnlyTrackSelected SetProjExtState SetTakeStretchMarker ShowConsoleMsg
ShowMessageBox SplitMediaItem TakeFX_GetCount TakeIsMIDI time_precise TrackFX_GetCount
TrackList_AdjustWindows Undo_BeginBlock2 Undo_CanRedo2 Undo_CanUndo2 Undo_DoRedo2 Undo_DoUndo2
Undo_EndBlock2 UpdateArrange UpdateTimeline ValidatePtr2
""".split()  # noqa: SIM905  a list would take a hundred lines
"""What a script of this kind can need; of all other functions only the names are kept."""
FUNCTIONS = re.compile(r"^\s*([\w* ]+?)\s*\(\*REAPERAPI_FUNCNAME\((\w+)\)\)\((.*?)\);", re.MULTILINE)
ATTRIBUTE_TEXTS = {
    "MediaItem_Value": "GetMediaItemInfo_Value",
    "MediaItem_String": "GetSetMediaItemInfo_String",
    "MediaItemTake_Value": "GetMediaItemTakeInfo_Value",
    "MediaItemTake_String": "GetSetMediaItemTakeInfo_String",
    "MediaTrack_Value": "GetMediaTrackInfo_Value",
    "MediaTrack_String": "GetSetMediaTrackInfo_String",
}
ATTRIBUTE = re.compile(r"^// ([A-Z]+(?:_[A-Z0-9_]+)?)\s*:+\s*(.*)$")


def lua_type(c_type: str) -> str:
    """A C type as ReaScript's documentation names it in Lua."""
    base = c_type.replace("const ", "").replace("*", "").strip()
    if "char" in base:
        return "string"
    if base == "void":
        return "identifier"
    return BASIC.get(base, base)


def signature(name: str, returned: str, arguments: str) -> dict[str, Any]:
    """What goes in, as [name, type, optional], and the types that come out."""
    taken: list[list[Any]] = []
    given = [] if returned == "void" else [lua_type(returned)]
    for argument in filter(None, (piece.strip() for piece in arguments.split(","))):
        c_type, argument_name = argument.rsplit(None, 1) if "*" not in argument else argument.rsplit("*", 1)
        c_type, argument_name = c_type.strip(), argument_name.strip()
        is_pointer = "*" in argument
        optional = argument_name.endswith("Optional")
        basic = is_pointer and "const" not in c_type and c_type.strip() in {"char", "int", "double", "bool"}
        if argument_name.endswith("_sz"):
            continue
        if (name, argument_name) in SAMPLE_BUFFERS:
            taken.append([argument_name, "reaper.array", False])
            continue
        if basic:
            out_only = "Out" in argument_name and "InOut" not in argument_name
            given.append(lua_type(c_type))
            if out_only and (name, argument_name) not in IN_AND_OUT:
                if c_type == "char":
                    # Before 6.47 a string had to be passed all the same; later versions ignore it.
                    taken.append([argument_name, "string", True])
                continue
        taken.append([argument_name, lua_type(c_type), optional])
    dummies = [argument for argument in taken if argument[1] == "string" and argument[0].endswith("Out")]
    return {"in": [argument for argument in taken if argument not in dummies] + dummies, "out": given}


def attributes(header: str, function: str) -> dict[str, str]:
    """Attribute names of a function's comment, each with "rw" or "r"."""
    start = header.index(f"// {function}\n")
    found = {}
    for line in header[start : header.index("#endif", start)].splitlines():
        match = ATTRIBUTE.match(line)
        if match:
            found[match[1]] = "r" if "read-only" in match[2] or match[1] == "GUID" else "rw"
    return found


def main(header_path: str) -> None:
    """Writes the table."""
    header = Path(header_path).read_text(encoding="utf-8")
    notice = header[header.index("/*") : header.index("*/")]
    functions = {name: signature(name, ret, args) for ret, name, args in FUNCTIONS.findall(header)}
    functions |= EXCEPTIONS
    table = {
        "notice": [line.strip("* ").strip() for line in notice.splitlines() if line.strip("/* ")],
        "altered": "Reduced to names, types and attributes; not the original header.",
        "version": re.search(r"Generated by REAPER (v[\d.]+)", header)[1],  # type: ignore[index]
        "functions": {name: functions[name] for name in KEPT},
        "others": " ".join(name for name in functions if name not in KEPT),
        "attributes": {key: attributes(header, function) for key, function in ATTRIBUTE_TEXTS.items()},
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(table, indent=None, separators=(",", ":")).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
