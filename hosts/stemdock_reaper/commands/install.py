"""plugin-cli reaper install."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.install.setup import install, lists_actions, uses_reapack
from stemdock_reaper.link import running
from stemdock_reaper.profile import places

if TYPE_CHECKING:
    from pathlib import Path


@click.command("install")
@resource_option
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
def command(resource_path: Path | None, dry_run: bool) -> None:
    """Install the actions in REAPER.

    Prints every file it writes. Run it again to update the scripts, for example after you upgrade or move
    Python. To remove everything, run `plugin-cli reaper uninstall`.
    """
    resources = chosen_folder(resource_path)
    programs = running.running_programs()
    changes = install(resources, running=bool(programs), dry_run=dry_run)
    for change in changes:
        click.echo(change.line(dry_run=dry_run))
    if not changes:
        click.echo("nothing to do: the actions are already installed")
    if uses_reapack(resources):
        click.echo("ReaPack has installed the scripts; only the configuration was written.", err=True)
    elif programs and not dry_run and not lists_actions(resources):
        _register(programs[0], places.script_folder(resources))
    if places.is_sandboxed(resources):
        click.echo("This REAPER cannot start programs. Keep running: plugin-cli reaper serve", err=True)


def _register(program: Path, scripts: Path) -> None:
    """Asks the running REAPER to add the actions to its list."""
    if running.run_script(program, scripts / "stemdock" / "register.lua"):
        click.echo("asked the running REAPER to add the actions")
        return
    click.echo(
        "The running REAPER does not answer. In REAPER, choose Actions > Show action list > "
        f"New action > Load ReaScript, and open all files in {scripts}",
        err=True,
    )
