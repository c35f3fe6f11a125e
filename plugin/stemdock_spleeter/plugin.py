"""Registers the command that helps people who come from Spleeter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import CommandEntry, hookimpl

if TYPE_CHECKING:
    import click

# Every start of the command line imports this module, so other imports are in functions.


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`spleeter`."""

    def load() -> click.Command:
        from stemdock_spleeter.command import command  # noqa: PLC0415

        return command

    return [CommandEntry(name="spleeter", summary="Move from Spleeter to Stemdock.", load=load)]
