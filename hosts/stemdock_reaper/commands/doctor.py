"""plugin-cli reaper doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock.cli import echo_checks
from stemdock_hostkit.job.folder import remove_old_jobs
from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.install.checking import diagnose
from stemdock_reaper.profile.places import jobs_folder

if TYPE_CHECKING:
    from pathlib import Path


@click.command("doctor")
@resource_option
def command(resource_path: Path | None) -> int:
    """Check the installation in REAPER, and remove job folders older than a week.

    The exit status is 1 if a check fails.
    """
    resources = chosen_folder(resource_path)
    worst = echo_checks(diagnose([resources]))
    n_removed = remove_old_jobs(jobs_folder(resources))
    if n_removed:
        click.echo(f"removed {n_removed} old job folders", err=True)
    return int(worst != "ok")
