"""Registers Audacity with Stemdock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import Check, CommandEntry, HostEntry, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def stemdock_hosts() -> list[HostEntry]:
    """Audacity 3 and 4."""
    summary = "Audacity 3, over mod-script-pipe, and Audacity 4, by an extension."
    return [HostEntry(name="audacity", summary=summary, diagnose=_diagnose)]


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`plugin-cli audacity`."""
    return [CommandEntry(name="audacity", summary="Separate stems inside Audacity.", load=_load_command)]


def _diagnose() -> list[Check]:
    from stemdock_audacity.everywhere import diagnose  # noqa: PLC0415  only doctor needs it

    return diagnose()


def _load_command() -> click.Command:
    from stemdock_audacity.commands import command  # noqa: PLC0415  only this command needs it

    return command
