"""plugin-cli reaper uninstall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.install.setup import uninstall
from stemdock_reaper.link import running

if TYPE_CHECKING:
    from pathlib import Path


@click.command("uninstall")
@resource_option
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
def command(resource_path: Path | None, dry_run: bool) -> None:
    """Remove the actions from REAPER.

    Restores the resource folder as it was before. Your stems stay.
    """
    resources = chosen_folder(resource_path)
    changes = uninstall(resources, running=bool(running.running_programs()), dry_run=dry_run)
    for change in changes:
        click.echo(change.line(dry_run=dry_run))
    if not changes:
        click.echo("nothing to do: the actions are not installed")
