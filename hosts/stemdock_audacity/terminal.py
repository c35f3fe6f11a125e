"""Separates the current selection from a terminal, over the pipe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock_audacity.capture.selection import capture_selection
from stemdock_audacity.courier import Courier
from stemdock_audacity.jobs.job import Phase, add_job
from stemdock_audacity.link.pipe import connect
from stemdock_hostkit import client

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.delivery.delivered import Delivered
    from stemdock_audacity.jobs.queue import JobQueue


def separate_selection(
    queue: JobQueue, folder: Path, *, model: str, stems: tuple[str, ...], remainder: bool, mute_original: bool
) -> Delivered:
    """Captures the selection, separates it and imports the stems.

    Args:
        queue: Keeps the job while it runs.
        folder: The folder for the captured files.
        model: Name or path.
        stems: Stems to import; empty for all.
        remainder: Whether everything else becomes one more track.
        mute_original: Whether to mute the original track.

    Raises:
        StemdockError: Capturing, separating or importing failed; stems that could not be imported are
            kept, and the message names their folder.
    """
    with connect() as pipe:
        captured = capture_selection(pipe, folder)
    request = replace(captured, model=model, stems=stems, remainder=remainder, mute_original=mute_original)
    job = add_job(request, folder, queue.jobs_folder)
    try:
        client.submit(job.kit)
        delivered = Courier(queue, job).carry_out()
    except BaseException as error:
        job.kit.cancel()
        if job.project.exists():
            job.update(Phase(phase="failed", message=str(error)))
        else:
            job.kit.remove()
        raise
    if not delivered.is_waiting:
        job.kit.remove()
    return delivered
