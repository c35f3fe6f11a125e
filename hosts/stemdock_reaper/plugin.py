"""Registers REAPER with Stemdock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Check, CommandEntry, HostEntry, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def stemdock_hosts() -> list[HostEntry]:
    """REAPER 6.47 or newer."""
    return [HostEntry(name="reaper", summary="REAPER, with ReaScript.", diagnose=_diagnose)]


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`reaper` and its subcommands."""
    return [CommandEntry(name="reaper", summary="Separate stems inside REAPER.", load=_load_commands)]


def _diagnose() -> list[Check]:
    from stemdock_reaper.install.checking import diagnose  # noqa: PLC0415  only doctor needs it

    return diagnose()


def _load_commands() -> click.Command:
    from stemdock_reaper.commands import command  # noqa: PLC0415  only this command needs it

    return command
