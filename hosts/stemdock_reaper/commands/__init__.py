"""plugin-cli reaper: each subcommand is a module with the click command `command`."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import click

_NAMES: Final = ("install", "uninstall", "doctor", "work", "serve", "selftest", "project")


class _LazyGroup(click.Group):
    """Imports a subcommand when it is used or listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's interface
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _NAMES:
            return None
        command: click.Command = import_module(f"stemdock_reaper.commands.{cmd_name}").command
        return command


@click.group("reaper", cls=_LazyGroup)
def command() -> None:
    """Separate stems inside REAPER."""
