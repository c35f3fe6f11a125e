"""The plug-in "cli": the commands of the core, registered through the same hook as all others."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from stemdock.entries import CommandEntry
from stemdock.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import click


def _entry(name: str, summary: str) -> CommandEntry:
    def load() -> click.Command:
        command: click.Command = import_module(f"stemdock.cli.commands.{name}").command
        return command

    return CommandEntry(name=name, summary=summary, load=load)


ENTRIES: Final = (
    _entry("separate", "Separate songs into stems."),
    _entry("preview", "Write a web page that plays the stems of a song."),
    _entry("spectrogram", "Draw the spectrograms of audio files."),
    _entry("doctor", "Check the installation, plug-ins and hosts."),
    _entry("completion", "Print a script for completion in your shell."),
)
"""The commands of the core, in the order of the help."""


@hookimpl
def stemdock_commands() -> Sequence[CommandEntry]:
    """Offers the commands that need no host."""
    return ENTRIES
