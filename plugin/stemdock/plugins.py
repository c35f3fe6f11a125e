"""Typed access to the plug-ins: the only module that calls hooks.

A plug-in that cannot be imported, misspells a hook or raises is marked as broken in its `PluginStatus`.
The others go on without it.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import pluggy

from stemdock import hookspecs
from stemdock.errors import StemdockError
from stemdock.lib.entry_points import entry_points

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock.entries import BatchEngine, Check, CommandEntry, HostEntry, ModelDownload, ModelEntry
    from stemdock.types import Engine, Execution, SeparatedFile, Separation

ENTRY_POINT_GROUP: Final = "stemdock"
DISABLED_VARIABLE: Final = "STEMDOCK_DISABLED_PLUGINS"
"""Environment variable: comma-separated names of plug-ins to ignore."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """Whether one plug-in works."""

    name: str
    origin: str
    """Distribution and version, or the program that registered it."""
    fault: str = ""
    """Error that broke it; empty as long as it works."""


class Plugins:
    """The plug-ins of one program run."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("stemdock")
        self._manager.add_hookspecs(hookspecs)
        self._status: dict[str, PluginStatus] = {}
        self._sources: list[tuple[object, str, str] | None] = []
        """Plug-ins, names and origins in order; None stands for all entry points."""

    def __reduce__(self) -> tuple[Any, ...]:
        """How they pass to another process, which imports modules and entry points itself."""
        sources = [
            (_Module(source[0].__name__), *source[1:])
            if source and isinstance(source[0], ModuleType)
            else source
            for source in self._sources
        ]
        return _rebuilt, (sources,)

    def register(self, plugin: object, name: str, origin: str = "this program") -> None:
        """Adds a plug-in. One that does not match the hooks is marked as broken.

        Args:
            plugin: Module or object with hook implementations.
            name: Unique among plug-ins.
            origin: Its distribution, for reports.
        """
        self._sources.append((plugin, name, origin))
        self._register(plugin, name, origin)

    def _register(self, plugin: object, name: str, origin: str) -> None:
        self._status[name] = PluginStatus(name=name, origin=origin)
        try:
            self._manager.register(plugin, name)
            self._refuse_unknown_hooks(plugin)
        except Exception as error:  # noqa: BLE001  a third party's module may raise anything
            self._manager.unregister(name=name) if self._manager.has_plugin(name) else None
            self._record_fault(name, error)

    def load_entry_points(self) -> None:
        """Registers every installed plug-in that is not disabled by the environment."""
        self._sources.append(None)
        disabled = {name.strip() for name in os.environ.get(DISABLED_VARIABLE, "").split(",")}
        for entry in entry_points(ENTRY_POINT_GROUP):
            if entry.name in disabled or entry.name in self._status:
                continue
            try:
                plugin = entry.load()
            except Exception as error:  # noqa: BLE001  importing a third party's module may raise anything
                self._status[entry.name] = PluginStatus(name=entry.name, origin=entry.origin)
                self._record_fault(entry.name, error)
            else:
                self._register(plugin, entry.name, entry.origin)

    @property
    def status(self) -> Sequence[PluginStatus]:
        """Every plug-in found so far, including broken ones."""
        return tuple(self._status.values())

    def hosts(self) -> Sequence[HostEntry]:
        """Audio editors that plug-ins connect to."""
        return self._gather("stemdock_hosts")

    def checks(self) -> Sequence[Check]:
        """Results of the plug-ins' own checks."""
        return self._gather("stemdock_checks")

    def models(self) -> Sequence[ModelEntry]:
        """Models that plug-ins offer, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_models"))

    def downloads(self) -> Sequence[ModelDownload]:
        """Models that plug-ins can fetch, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_downloads"))

    def commands(self) -> Sequence[CommandEntry]:
        """Subcommands, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_commands"))

    def batch_engines(self) -> Sequence[BatchEngine]:
        """Ways to start workers, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_batch_engines"))

    @property
    def may_have_engines(self) -> bool:
        """Whether any plug-in can have an engine of its own."""
        return bool(self._manager.hook.stemdock_engine.get_hookimpls())

    def engine(self, entry: ModelEntry, execution: Execution, separation: Separation) -> Engine | None:
        """The engine of the first plug-in that has one for this model.

        Raises:
            StemdockError: A plug-in reports that the model cannot be loaded.
        """
        answers = self._answers(
            "stemdock_engine",
            passed_on=StemdockError,
            entry=entry,
            execution=execution,
            separation=separation,
        )
        for answer in answers:
            engine: Engine = answer
            return engine
        return None

    def separated(self, separated: SeparatedFile) -> None:
        """Notifies every observer."""
        for _ in self._answers("stemdock_separated", separated=separated):
            pass

    def _gather(self, hook: str) -> list[Any]:
        return [entry for answer in self._answers(hook) for entry in answer]

    def _answers(
        self, hook: str, *, passed_on: type[Exception] | tuple[()] = (), **arguments: object
    ) -> Iterator[Any]:
        """Answers of the plug-ins in order of registration, each called separately so that one can fail.

        Args:
            hook: Name of the hook.
            passed_on: Exceptions that reach the caller; all others mark the plug-in as broken.
            **arguments: Of the hook.
        """
        plugins = [plugin for _, plugin in self._manager.list_name_plugin() if plugin is not None]
        for plugin in plugins:
            others = [other for other in plugins if other is not plugin]
            try:
                answers = self._manager.subset_hook_caller(hook, others)(**arguments)
            except passed_on:
                raise
            except Exception as error:  # noqa: BLE001  a third party's hook may raise anything
                self._record_fault(self._manager.get_name(plugin) or repr(plugin), error)
            else:
                yield from answers

    def _refuse_unknown_hooks(self, plugin: object) -> None:
        for implementation in self._manager.get_hookcallers(plugin) or ():
            if not implementation.has_spec():
                raise TypeError(f"Stemdock has no hook {implementation.name}")

    def _record_fault(self, name: str, error: Exception) -> None:
        origin = self._status[name].origin
        self._status[name] = PluginStatus(name=name, origin=origin, fault=f"{type(error).__name__}: {error}")


def _first_of_each_name(entries: Sequence[Any]) -> list[Any]:
    return list({entry.name: entry for entry in reversed(entries)}.values())[::-1]


@dataclass(frozen=True, slots=True)
class _Module:
    """A module on its way to another process: modules cannot be pickled."""

    name: str


def _rebuilt(sources: Sequence[tuple[object, str, str] | None]) -> Plugins:
    plugins = Plugins()
    for source in sources:
        if source is None:
            plugins.load_entry_points()
            continue
        plugin, name, origin = source
        plugins.register(
            importlib.import_module(plugin.name) if isinstance(plugin, _Module) else plugin, name, origin
        )
    return plugins


def load_plugins() -> Plugins:
    """Loads all installed plug-ins; the command line is one of them."""
    plugins = Plugins()
    plugins.load_entry_points()
    return plugins
