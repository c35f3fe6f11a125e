"""plugin-cli models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from stemdock.plugins import Plugins


@click.group("models")
def command() -> None:
    """Show the models there are."""


@command.command("list")
@click.pass_obj
def list_models(plugins: Plugins) -> None:
    """List the installed models."""
    for entry in plugins.models():
        card = entry.card
        click.echo(
            f"{entry.name}: {', '.join(card.stems)}; up to {card.bandwidth / 1000:.1f} kHz; {card.licence}"
        )
