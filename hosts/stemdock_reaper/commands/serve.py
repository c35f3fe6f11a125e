"""plugin-cli reaper serve."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event
from typing import Final

import click

from stemdock import StemdockError
from stemdock_hostkit.client import run
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.job.folder import waiting_jobs
from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.profile.places import jobs_folder

_CHECK_EVERY: Final = 0.25
"""Seconds between two checks for new jobs."""


@click.command("serve")
@click.argument("jobs", required=False, type=click.Path(path_type=Path), metavar="[JOBS]")
@resource_option
def command(jobs: Path | None, resource_path: Path | None) -> None:
    """Separate for a REAPER that cannot start programs, such as the Flatpak.

    Watches the folder JOBS until you press Ctrl-C. By default, that is Stemdock/jobs in REAPER's resource
    path.
    """
    if jobs is None:
        # REAPER's script creates this folder with the first job.
        jobs = jobs_folder(chosen_folder(resource_path))
    elif not jobs.is_dir():
        reason = "is not a folder" if jobs.exists() else "no such folder"
        raise JobError(jobs, reason, remedy="Choose the folder that contains the job folders.")
    click.echo(f"waiting for jobs in {jobs}; press Ctrl-C to stop", err=True)
    while True:
        for job in waiting_jobs(jobs):
            try:
                # The script in REAPER answers whether a model may be downloaded.
                status = run(job, consent=Event()).status
            except StemdockError as error:
                click.echo(f"error: {error}. {error.remedy}", err=True)
            else:
                click.echo(f"{job.folder.name}: {status}")
        time.sleep(_CHECK_EVERY)
