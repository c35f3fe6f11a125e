"""Separates the current selection from a terminal, over the pipe."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock_audacity.capture import capture_selection
from stemdock_audacity.job import JobState
from stemdock_audacity.pipe import connect
from stemdock_audacity.worker import Worker

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.job_queue import JobQueue


def separate_selection(
    queue: JobQueue, folder: Path, *, model: str, stems: tuple[str, ...], remainder: bool, mute_original: bool
) -> tuple[list[str], str]:
    """Captures the selection, separates it and imports the stems.

    Args:
        queue: Keeps the job while it runs.
        folder: The folder for the captured files.
        model: Name or path.
        stems: Stems to import; empty for all.
        remainder: Whether everything else becomes one more track.
        mute_original: Whether to mute the original track.

    Returns:
        Names of the new tracks, and a note for the user, or "".

    Raises:
        StemdockError: Capturing, separating or importing failed; stems that could not be imported are
            kept, and the message names their folder.
    """
    with connect() as pipe:
        captured = capture_selection(pipe, folder)
    request = replace(captured, model=model, stems=stems, remainder=remainder, mute_original=mute_original)
    state = JobState(state="separating", title=request.title, worker=os.getpid())
    job = queue.add(request, folder, state)
    try:
        delivered = Worker(queue).carry_out(job, state)
    finally:
        if not job.project.exists():
            job.remove()
    job.remove()
    return delivered
