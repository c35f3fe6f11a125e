"""The model's functions for files, programs, settings and messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.reaper_model.commandline import split_command_line
from support.reaper_model.objects import new_guid
from support.reaper_model.state import State
from support.reaper_model.table import NAMES, RefusedError

# ruff: noqa: N802  the names are REAPER's

LONGEST_WAIT = -1


class SystemFunctions(State):
    """Files, programs, settings, messages."""

    def GetOS(self) -> str:
        return self.system

    def GetAppVersion(self) -> str:
        return f"{self.version}/x64"

    def GetResourcePath(self) -> str:
        return str(self.resources)

    def APIExists(self, name: str) -> bool:
        return name in NAMES

    def time_precise(self) -> float:
        # Looking at the clock takes time too; loops that wait for it must end.
        self.clock += 0.0001
        return self.clock

    def genGuid(self, _: str) -> str:
        return new_guid()

    def file_exists(self, path: str) -> bool:
        return Path(path).is_file()

    def RecursiveCreateDirectory(self, path: str, _: int) -> int:
        if self.denied(path, "mkdir"):
            return 0
        Path(path).mkdir(parents=True, exist_ok=True)
        return 1

    def ExecProcess(self, line: str, timeout: int) -> str | None:
        if timeout not in {-1, -2}:
            raise RefusedError("ExecProcess would freeze REAPER")
        self.commands.append(line)
        return self.on_exec(split_command_line(line, self.system))

    def GetExtState(self, section: str, key: str) -> str:
        return self.ext_state.get((section, key), "")

    def SetExtState(self, section: str, key: str, value: str, persist: bool) -> None:
        if not persist:
            raise RefusedError("the setting would be forgotten")
        self.ext_state[section, key] = value

    def ShowMessageBox(self, text: str, title: str, kind: int) -> int:
        if self.undo_block is not None or self.refresh:
            raise RefusedError("a message while the project is half changed")
        if kind not in {0, 1} or not title:
            raise RefusedError("not modelled")
        if kind == 1:
            self.questions.append(text)
            return self.answers.pop(0)
        self.messages.append(text)
        return 1

    def GetUserInputs(self, title: str, n_inputs: int, captions: str, values: str) -> tuple[bool, Any]:
        fields = [field for field in captions.split(",") if "=" not in field]
        if not title or len(fields) != n_inputs or len(values.split(",")) < n_inputs:
            raise RefusedError("GetUserInputs: captions and values do not match")
        answer = self.dialogs.pop(0)
        return (True, answer) if answer is not None else (False, values)

    def EnumerateFiles(self, folder: str, index: int) -> str | None:
        names = sorted(path.name for path in Path(folder).iterdir() if path.is_file())
        return names[index] if 0 <= index < len(names) else None

    def AddRemoveReaScript(self, adds: bool, section: int, path: str, commit: bool) -> int:
        if not adds or section != 0:
            raise RefusedError("not modelled")
        self.registered.append((path, commit))
        return 50_000 + len(self.registered)

    def NamedCommandLookup(self, name: str) -> int:
        return self.action_ids.get(name, 0)

    def ShowConsoleMsg(self, text: str) -> None:
        self.console += text
