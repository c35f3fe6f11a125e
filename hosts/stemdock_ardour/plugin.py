"""Registers Ardour with Stemdock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Check, CommandEntry, HostEntry, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def stemdock_hosts() -> list[HostEntry]:
    """Ardour 7 or newer."""
    return [HostEntry(name="ardour", summary="Ardour, with Lua scripts.", diagnose=_diagnose)]


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`ardour` and its subcommands."""
    return [CommandEntry(name="ardour", summary="Separate stems inside Ardour.", load=_load_commands)]


def _diagnose() -> list[Check]:
    from stemdock_ardour.checking import diagnose  # noqa: PLC0415  only doctor needs it

    return diagnose()


def _load_commands() -> click.Command:
    from stemdock_ardour.commands import command  # noqa: PLC0415  only this command needs it

    return command
