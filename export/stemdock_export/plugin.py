"""Registers `plugin-cli export`. Nothing else is imported until the command runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import CommandEntry, hookimpl

if TYPE_CHECKING:
    import click


def _load() -> click.Command:
    from stemdock_export.command import command  # noqa: PLC0415

    return command


@hookimpl
def stemdock_commands() -> list[CommandEntry]:
    """The command `export`."""
    return [CommandEntry(name="export", summary="Export a Spleeter checkpoint to an ONNX model.", load=_load)]
