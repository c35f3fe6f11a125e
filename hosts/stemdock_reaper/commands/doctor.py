"""plugin-cli reaper doctor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from stemdock.cli import echo_checks
from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.installation import diagnose
from stemdock_reaper.jobs import remove_old_jobs
from stemdock_reaper.places import jobs_folder

if TYPE_CHECKING:
    from pathlib import Path


@click.command("doctor")
@resource_option
def command(resource_path: Path | None) -> int:
    """Check the actions in REAPER, and clear away jobs of more than a week ago.

    Exit status 1 if something is to be put right.
    """
    resources = chosen_folder(resource_path)
    worst = echo_checks(diagnose([resources]))
    n_removed = remove_old_jobs(jobs_folder(resources))
    if n_removed:
        click.echo(f"{n_removed} old jobs removed", err=True)
    return int(worst != "ok")
