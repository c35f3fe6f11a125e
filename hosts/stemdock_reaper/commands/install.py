"""plugin-cli reaper install."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import click

from stemdock_reaper import places
from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.installer import Installer

if TYPE_CHECKING:
    from pathlib import Path


@click.command("install")
@resource_option
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
def command(resource_path: Path | None, dry_run: bool) -> None:
    """Put the actions into REAPER.

    Prints every file written. Running it again brings the scripts up to date, for example after Python
    has moved. `plugin-cli reaper uninstall` takes everything back.
    """
    resources = chosen_folder(resource_path)
    programs = places.running_programs()
    installer = Installer(resources, running=bool(programs), dry_run=dry_run)
    installer.install()
    for line in installer.done:
        click.echo(line)
    if not installer.done:
        click.echo("nothing to do: all is there")
    if installer.uses_reapack:
        click.echo("The scripts are those that ReaPack installed; only the configuration is ours.", err=True)
    if places.is_sandboxed(resources):
        click.echo("This REAPER may not start programs; keep running: plugin-cli reaper serve", err=True)
    if installer.needs_registration and not dry_run:
        _register(programs[0], places.script_folder(resources))


def _register(program: Path, scripts: Path) -> None:
    """Asks the running REAPER to take the actions into its list."""
    script = scripts / "stemdock" / "register.lua"
    try:
        subprocess.run(  # noqa: S603  REAPER itself, with a script of ours
            [program, "-nonewinst", script], check=True, stdin=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        click.echo(
            "REAPER is running and could not be told. In it, choose Actions > Show action list > "
            f"New action > Load ReaScript, and select all files in {scripts}",
            err=True,
        )
    else:
        click.echo("asked the running REAPER to add the actions")
