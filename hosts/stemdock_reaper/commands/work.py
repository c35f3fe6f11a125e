"""plugin-cli reaper work."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import click

from stemdock_hostkit.client import run
from stemdock_hostkit.job.folder import Job


@click.command("work")
@click.argument("folder", metavar="JOBDIR", type=click.Path(path_type=Path))
def command(folder: Path) -> int:
    """Run one job and wait for it; REAPER starts this command in the background.

    The job is done by Stemdock's worker, which keeps its model loaded for a minute. The exit status is 0 if
    the status in result.json is "ok".
    """
    # The script in REAPER answers whether a model may be downloaded.
    status = run(Job(folder.absolute()), consent=Event()).status
    return {"ok": 0, "cancelled": 130}.get(status, 1)
