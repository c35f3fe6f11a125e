"""Offers `plugin-cli export`; costs nothing until the command is used."""

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
    """`export`."""
    return [CommandEntry(name="export", summary="Make an ONNX model of a Spleeter checkpoint.", load=_load)]
