"""The strict model of REAPER: runs a script, and refuses what REAPER would not put up with."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.reaper_model import gfx, table
from support.reaper_model.api_items import ItemFunctions
from support.reaper_model.api_project import ProjectFunctions
from support.reaper_model.api_sources import SourceFunctions
from support.reaper_model.api_system import SystemFunctions
from support.reaper_model.objects import Accessor, Item, Project, Source, Take, Track
from support.reaper_model.table import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

POINTERS = {
    "ReaProject": Project, "MediaTrack": Track, "MediaItem": Item, "MediaItem_Take": Take,
    "PCM_source": Source, "AudioAccessor": Accessor,
}  # fmt: skip
LUA_BUILT_IN = {"defer": 1, "atexit": 1, "get_action_context": 0, "set_action_options": 1}
CYCLE = 1 / 30
SLOWEST_CYCLE = 0.1
"""Seconds of the model's clock after which people would call the interface frozen."""


class Host(ProjectFunctions, ItemFunctions, SourceFunctions, SystemFunctions):
    """One REAPER with one script.

    Attributes:
        refusals: Everything that was refused; must stay empty.
        reading_speed: Samples a second of the model's clock that an accessor gives.
    """

    def __init__(self, lua: str, resources: Path, *, system: str = "Other", version: str = "7.20") -> None:
        self.resources = resources
        self.system = system
        self.version = version
        self.projects: list[Project] = []
        self.refusals: list[str] = []
        self.messages: list[str] = []
        self.questions: list[str] = []
        self.answers: list[int] = []
        self.clock = 1000.0
        self.window = gfx.Window()
        self.ext_state: dict[tuple[str, str], str] = {}
        self.dialogs: list[str | None] = []
        self.on_exec: Callable[[list[str]], str | None] = lambda _: None
        self.commands: list[str] = []
        self.denied: Callable[[str, str], str | None] = lambda *_: None
        self.selection_order: list[Item] = []
        self.undo_block: tuple[Project, list[Track], object] | None = None
        self.refresh = 0
        self.view_is_stale = False
        self.spare_sources: list[Source] = []
        self.accessors: list[Accessor] = []
        self.options: list[int] = []
        self.slowest_cycle = SLOWEST_CYCLE
        self.console = ""
        self.action_ids: dict[str, int] = {}
        self.registered: list[tuple[str, bool]] = []
        self.broken_files: set[str] = set()
        self.unsplittable: list[Item] = []
        self.reading_speed = 4e6
        self.reachable: set[int] | None = None
        self._deferred: list[Any] = []
        self._at_exit: list[Any] = []
        self._handles: dict[int, Any] = {}
        self._objects: dict[int, Any] = {}
        self._script = ""
        self._lua = import_module(f"lupa.{lua}").LuaRuntime(unpack_returned_tuples=True)
        self._bridge = self._lua.table_from({
            "refuse": self.refuse, "exists": self._exists, "call": self._call, "arrays": self._lua.table(),
            "is_gfx_variable": gfx.VARIABLES.__contains__, "get_gfx": self.window.variables.get,
            "set_gfx": self._set_gfx, "call_gfx": self._call_gfx,
            "on_open": self._on_open, "is_windows": lambda: self.is_windows,
        })  # fmt: skip
        prelude = Path(__file__).with_name("prelude.lua").read_text(encoding="utf-8")
        self._lua.eval("function(source, bridge) return assert(load(source, '@prelude'))(bridge) end")(
            prelude, self._bridge
        )

    @property
    def is_windows(self) -> bool:
        return self.system.startswith("Win")

    def refuse(self, reason: str) -> None:
        self.refusals.append(reason)
        raise RefusedError(reason)

    def start(self, script: Path) -> None:
        """Runs an action up to the end of its first cycle."""
        self._script = str(script)
        self._guard(lambda: self._lua.eval("function(path) return assert(loadfile(path))() end")(str(script)))

    @property
    def is_running(self) -> bool:
        return bool(self._deferred)

    def cycle(self) -> None:
        """One cycle of the interface."""
        self.clock += CYCLE
        pending, self._deferred = self._deferred, []
        for function in pending:
            self._guard(function)

    def terminate(self) -> None:
        """Ends the script, as a second start does, or the end of REAPER."""
        self._deferred = []
        self._end()

    def _guard(self, function: Callable[[], object]) -> None:
        began = self.clock
        self.reachable = None
        function()
        if self.undo_block is not None:
            self.refusals.append("an undo block was left open")
        if self.refresh:
            self.refusals.append(f"PreventUIRefresh was left at {self.refresh}")
        if self.view_is_stale:
            self.refusals.append("the arrange view was not updated")
        if self.clock - began > self.slowest_cycle:
            self.refusals.append(f"REAPER was frozen for {self.clock - began:.2f} s")
        self.undo_block, self.refresh, self.view_is_stale = None, 0, False
        if not self._deferred:
            self._end()

    def _end(self) -> None:
        handlers, self._at_exit = self._at_exit, []
        for handler in handlers:
            handler()
        self.window.is_open = False
        if any(accessor.is_open for accessor in self.accessors):
            self.refusals.append("an audio accessor was not destroyed")
        if self.spare_sources:
            self.refusals.append("a source was neither used nor destroyed")
        self.accessors, self.spare_sources = [], []

    # Calls from Lua

    def _exists(self, name: str) -> bool:
        if name in LUA_BUILT_IN:
            return name != "set_action_options" or self.version >= "7"
        if name not in table.NAMES:
            self.refuse(f"REAPER has no function {name}")
        return name not in table.NEWER or self.version >= "7.2"

    def _call(self, name: str, n_arguments: int, *arguments: Any) -> Any:
        arguments += (None,) * (n_arguments - len(arguments))
        try:
            answer = self._judged_call(name, arguments)
        except RefusedError as error:
            self.refusals.append(str(error))
            raise
        if isinstance(answer, tuple):
            return tuple(self._returned(value) for value in answer)
        return self._returned(answer)

    def _judged_call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name in LUA_BUILT_IN:
            if len(arguments) != LUA_BUILT_IN[name]:
                raise RefusedError(f"{name} takes {LUA_BUILT_IN[name]} arguments")
            return getattr(self, f"_{name}")(*arguments)
        declared = table.check_count(name, len(arguments))
        function = getattr(self, name, None)
        if function is None:
            raise RefusedError(f"{name} is not modelled")
        return function(*(self._argument(name, declared[i], value) for i, value in enumerate(arguments)))

    def _argument(self, name: str, declared: list[Any], value: Any) -> Any:
        argument, kind, optional = declared
        if value is None and optional:
            return None
        if kind == "reaper.array":
            return value
        if kind == "identifier":
            return self._objects.get(self._id_of(name, argument, value))
        if kind not in POINTERS:
            return table.check_basic(name, argument, kind, value)
        if kind == "ReaProject" and (value is None or value == 0):
            return self.current
        found = self._objects.get(self._id_of(name, argument, value))
        if not isinstance(found, POINTERS[kind]):
            raise RefusedError(f"{name}: {argument} must be a {kind}")
        if not self.is_valid(found):
            raise RefusedError(f"{name}: {argument} is a stale pointer")
        return found

    @staticmethod
    def _id_of(name: str, argument: str, value: Any) -> int:
        try:
            return int(value["id"])
        except (TypeError, KeyError, ValueError):
            raise RefusedError(f"{name}: {argument} must be a pointer, not {value!r}") from None

    def _returned(self, value: Any) -> Any:
        if type(value) not in POINTERS.values():
            return value
        if id(value) not in self._handles:
            # Objects are kept for good, so that no new one gets an old id.
            self._objects[id(value)] = value
            self._handles[id(value)] = self._bridge["new_handle"](id(value), type(value).__name__)
        return self._handles[id(value)]

    def is_valid(self, found: object) -> bool:
        """Whether a pointer still points to something of an open project."""
        if isinstance(found, Project):
            return found in self.projects
        if isinstance(found, Accessor):
            return found.is_open
        if found in self.spare_sources:
            return True
        if self.reachable is None or id(found) not in self.reachable:
            self.reachable = {id(thing) for project in self.projects for thing in project.things()}
        return id(found) in self.reachable

    def _on_open(self, path: str, mode: str) -> str | None:
        if "w" in mode and path.endswith(".json"):
            self.refuse(f"{path} could be seen half-written")
        return self.denied(path, mode)

    def _set_gfx(self, name: str, value: Any) -> None:
        if name not in gfx.VARIABLES:
            self.refuse(f"gfx has no {name}")
        self.window.variables[name] = value

    def _call_gfx(self, name: str, n_arguments: int, *arguments: Any) -> Any:
        arguments += (None,) * (n_arguments - len(arguments))
        try:
            return self.window.call(name, list(arguments))
        except RefusedError as error:
            self.refusals.append(str(error))
            raise

    def _defer(self, function: Any) -> bool:
        self._deferred.append(function)
        return True

    def _atexit(self, function: Any) -> None:
        self._at_exit.append(function)

    def _get_action_context(self) -> tuple[Any, ...]:
        return False, self._script, 0, 54321, -1, -1, -1, ""

    def _set_action_options(self, flags: Any) -> None:
        if flags not in {1, 2, 3, 4, 8}:
            raise RefusedError("set_action_options: unknown flag")
        self.options.append(flags)
