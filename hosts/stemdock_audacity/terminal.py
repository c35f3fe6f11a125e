"""One run on the present selection from a terminal, over the pipe alone."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock_audacity.capture import capture_selection
from stemdock_audacity.pipe import connect
from stemdock_audacity.spool import JobState
from stemdock_audacity.worker import Worker

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.spool import Spool


def separate_selection(
    spool: Spool, folder: Path, *, model: str, stems: tuple[str, ...], remainder: bool, mute_original: bool
) -> tuple[list[str], str]:
    """Captures, separates and delivers.

    Args:
        spool: Where the job is kept meanwhile.
        folder: For the captured files.
        model: Name or path.
        stems: Wanted stems; empty for all.
        remainder: Whether what they leave becomes a track, too.
        mute_original: Whether the original falls silent.

    Returns:
        Names of the new tracks, and what the person should know besides, or "".

    Raises:
        StemdockError: Whatever went wrong; undelivered stems are kept and told.
    """
    with connect() as pipe:
        captured = capture_selection(pipe, folder)
    request = replace(captured, model=model, stems=stems, remainder=remainder, mute_original=mute_original)
    state = JobState(state="separating", title=request.title, worker=os.getpid())
    job = spool.add(request, folder, state)
    try:
        delivered = Worker(spool).carry_out(job, state)
    finally:
        if not job.project.exists():
            job.remove()
    job.remove()
    return delivered
