"""The core's own commands, offered through the same hook as everybody's."""

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
    _entry("separate", "Split songs into stems."),
    _entry("preview", "Write a web page that plays the stems of a song."),
    _entry("spectrogram", "Draw the spectrograms of audio files."),
    _entry("doctor", "Check the installation, plug-ins and hosts."),
    _entry("completion", "Complete commands, options and models in your shell."),
)
"""The core's own commands, in the order in which help lists them."""


@hookimpl
def stemdock_commands() -> Sequence[CommandEntry]:
    """Commands that need no host."""
    return ENTRIES
