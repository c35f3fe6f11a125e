"""Registers the web page with Stemdock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import CommandEntry, hookimpl

if TYPE_CHECKING:
    import click


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`web`."""
    return [CommandEntry(name="web", summary="Separate and mix songs in your browser.", load=_load_command)]


def _load_command() -> click.Command:
    from stemdock_web.commands import command  # noqa: PLC0415  only this command needs it

    return command
