"""Registers `plugin-cli train`. Nothing else is imported until the command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import CommandEntry, hookimpl

if TYPE_CHECKING:
    import click


def _load() -> click.Command:
    from stemdock_training.command import command  # noqa: PLC0415

    return command


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """The command `train`."""
    return [CommandEntry(name="train", summary="Train a model with songs and their stems.", load=_load)]
