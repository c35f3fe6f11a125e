"""plugin-cli reaper serve."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from stemdock_reaper.commands.options import chosen_folder, resource_option
from stemdock_reaper.errors import JobError
from stemdock_reaper.jobs import waiting_jobs
from stemdock_reaper.places import jobs_folder
from stemdock_reaper.worker import run_job

if TYPE_CHECKING:
    from stemdock import Plugins, Separator

_CHECK_EVERY: Final = 0.25
"""Seconds between two checks for new jobs."""


@click.command("serve")
@click.argument("jobs", required=False, type=click.Path(path_type=Path), metavar="[JOBS]")
@resource_option
@click.pass_obj
def command(plugins: Plugins, jobs: Path | None, resource_path: Path | None) -> None:
    """Separate for a REAPER that cannot start programs, such as the Flatpak.

    Watches the folder JOBS until you press Ctrl-C. By default, that is Stemdock/jobs in REAPER's resource
    path. The model stays loaded between jobs.
    """
    if jobs is None:
        # REAPER's script creates this folder with the first job.
        jobs = jobs_folder(chosen_folder(resource_path))
    elif not jobs.is_dir():
        reason = "is not a folder" if jobs.exists() else "no such folder"
        raise JobError(jobs, reason, remedy="Choose the folder that contains the job folders.")
    loaded: dict[str, Separator] = {}

    def open_separator(model: str) -> Separator:
        from stemdock import Separator  # noqa: PLC0415  waiting needs no engine

        if model not in loaded:
            loaded.clear()
            loaded[model] = Separator(model, plugins=plugins)
        return loaded[model]

    click.echo(f"waiting for jobs in {jobs}; press Ctrl-C to stop", err=True)
    while True:
        for folder in waiting_jobs(jobs):
            try:
                status = run_job(folder, open_separator)
            except JobError as error:
                click.echo(f"error: {error}. {error.remedy}", err=True)
            else:
                click.echo(f"{folder.name}: {status}")
        time.sleep(_CHECK_EVERY)
