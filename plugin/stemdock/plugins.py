"""The typed façade over pluggy: nothing else calls a hook.

A plug-in that cannot be imported, is misspelt or raises becomes a `PluginStatus`, and the rest
goes on without it.
"""

from __future__ import annotations

import importlib.metadata
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pluggy

from stemdock import hookspecs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from stemdock.types import (
        Check,
        CommandEntry,
        Execution,
        HostEntry,
        MaskSession,
        ModelDownload,
        ModelEntry,
        SeparatedFile,
    )

ENTRY_POINT_GROUP: Final = "stemdock"
DISABLED_VARIABLE: Final = "STEMDOCK_DISABLED_PLUGINS"
"""Environment variable: comma-separated names of plug-ins to leave alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginStatus:
    """What became of one plug-in."""

    name: str
    origin: str
    """Distribution and version, or where it was registered from."""
    fault: str = ""
    """Empty as long as it works."""


class Plugins:
    """The plug-ins of one program run."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("stemdock")
        self._manager.add_hookspecs(hookspecs)
        self._status: dict[str, PluginStatus] = {}

    def register(self, plugin: object, name: str, origin: str = "this program") -> None:
        """Adds a plug-in; one that does not fit the hooks is recorded as broken.

        Args:
            plugin: Module or object with hook implementations.
            name: Unique among plug-ins.
            origin: Where it comes from, for reports.
        """
        self._status[name] = PluginStatus(name=name, origin=origin)
        try:
            self._manager.register(plugin, name)
            self._refuse_unknown_hooks(plugin)
        except Exception as error:  # noqa: BLE001  a stranger's module may raise anything
            self._manager.unregister(name=name) if self._manager.has_plugin(name) else None
            self._record_fault(name, error)

    def load_entry_points(self) -> None:
        """Registers every installed plug-in that is not disabled by the environment."""
        disabled = {name.strip() for name in os.environ.get(DISABLED_VARIABLE, "").split(",")}
        for entry in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
            origin = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "unknown distribution"
            if entry.name in disabled or entry.name in self._status:
                continue
            try:
                plugin = entry.load()
            except Exception as error:  # noqa: BLE001  importing a stranger's module may raise anything
                self._status[entry.name] = PluginStatus(name=entry.name, origin=origin)
                self._record_fault(entry.name, error)
            else:
                self.register(plugin, entry.name, origin)

    @property
    def status(self) -> Sequence[PluginStatus]:
        """Every plug-in met so far, broken ones included."""
        return tuple(self._status.values())

    def hosts(self) -> Sequence[HostEntry]:
        """Audio editors that some plug-in connects to."""
        return self._gather("stemdock_hosts")

    def checks(self) -> Sequence[Check]:
        """What plug-ins tell about what they keep on this machine."""
        return self._gather("stemdock_checks")

    def models(self) -> Sequence[ModelEntry]:
        """Models that some plug-in offers, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_models"))

    def downloads(self) -> Sequence[ModelDownload]:
        """Models that some plug-in can fetch, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_downloads"))

    def commands(self) -> Sequence[CommandEntry]:
        """Subcommands, the first of each name."""
        return _first_of_each_name(self._gather("stemdock_commands"))

    def session(self, path: Path, execution: Execution) -> MaskSession | None:
        """A session from the first plug-in that has one for this model."""
        for answer in self._answers("stemdock_session", path=path, execution=execution):
            session: MaskSession = answer
            return session
        return None

    def separated(self, separated: SeparatedFile) -> None:
        """Tells every observer."""
        for _ in self._answers("stemdock_separated", separated=separated):
            pass

    def _gather(self, hook: str) -> list[Any]:
        return [entry for answer in self._answers(hook) for entry in answer]

    def _answers(self, hook: str, **arguments: object) -> Iterator[Any]:
        """Each plug-in's answer in order of registration, asked on its own so that one can fail."""
        plugins = [plugin for _, plugin in self._manager.list_name_plugin() if plugin is not None]
        for plugin in plugins:
            others = [other for other in plugins if other is not plugin]
            try:
                answers = self._manager.subset_hook_caller(hook, others)(**arguments)
            except Exception as error:  # noqa: BLE001  a stranger's hook may raise anything
                self._record_fault(self._manager.get_name(plugin) or repr(plugin), error)
            else:
                yield from answers

    def _refuse_unknown_hooks(self, plugin: object) -> None:
        for implementation in self._manager.get_hookcallers(plugin) or ():
            if not implementation.has_spec():
                raise TypeError(f"there is no hook {implementation.name}")

    def _record_fault(self, name: str, error: Exception) -> None:
        origin = self._status[name].origin
        self._status[name] = PluginStatus(name=name, origin=origin, fault=f"{type(error).__name__}: {error}")


def _first_of_each_name(entries: Sequence[Any]) -> list[Any]:
    return list({entry.name: entry for entry in reversed(entries)}.values())[::-1]


def load_plugins() -> Plugins:
    """All installed plug-ins; the command line is one of them."""
    plugins = Plugins()
    plugins.load_entry_points()
    return plugins
