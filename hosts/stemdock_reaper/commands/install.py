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
@click.option("--dry-run", is_flag=True, help="Print the changes without making them.")
def command(resource_path: Path | None, dry_run: bool) -> None:
    """Install the actions in REAPER.

    Prints every file it writes. Run it again to update the scripts, for example after you upgrade or move
    Python. To remove everything, run `plugin-cli reaper uninstall`.
    """
    resources = chosen_folder(resource_path)
    programs = places.running_programs()
    installer = Installer(resources, running=bool(programs), dry_run=dry_run)
    installer.install()
    for line in installer.done:
        click.echo(line)
    if not installer.done:
        click.echo("nothing to do: the actions are already installed")
    if installer.uses_reapack:
        click.echo("ReaPack has installed the scripts; only the configuration was written.", err=True)
    if places.is_sandboxed(resources):
        click.echo("This REAPER cannot start programs. Keep running: plugin-cli reaper serve", err=True)
    if installer.needs_registration and not dry_run:
        _register(programs[0], places.script_folder(resources))


def _register(program: Path, scripts: Path) -> None:
    """Asks the running REAPER to add the actions to its list."""
    script = scripts / "stemdock" / "register.lua"
    try:
        subprocess.run(  # noqa: S603  REAPER itself, with our script
            [program, "-nonewinst", script], check=True, stdin=subprocess.DEVNULL, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        click.echo(
            "The running REAPER does not answer. In REAPER, choose Actions > Show action list > "
            f"New action > Load ReaScript, and open all files in {scripts}",
            err=True,
        )
    else:
        click.echo("asked the running REAPER to add the actions")
