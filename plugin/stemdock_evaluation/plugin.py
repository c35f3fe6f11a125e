"""Registers the command that evaluates a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import CommandEntry, hookimpl

if TYPE_CHECKING:
    import click

# Every start of the command line imports this module, so other imports are in functions.


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """`evaluate`."""

    def load() -> click.Command:
        from stemdock_evaluation.command import command  # noqa: PLC0415

        return command

    return [CommandEntry(name="evaluate", summary="Measure a model on songs with known stems.", load=load)]
