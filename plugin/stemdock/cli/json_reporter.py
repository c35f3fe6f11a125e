"""How a batch looks to a program, as lines of JSON on standard error."""

from __future__ import annotations

import json
from dataclasses import asdict
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final

from stemdock.batch.eta import Pace
from stemdock.batch.running import Advanced, Done, Skipped, Started

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.running import BatchEvent, Job, Summary
    from stemdock.errors import StemdockError

JSON_VERSION: Final = 1
"""Of the lines; new fields and events do not change it."""


class JsonReporter:
    """One line of JSON for each event, as docs/batch.md describes them."""

    def __init__(self, stream: IO[str], *, now: Callable[[], float] = monotonic) -> None:
        """Tells nothing yet.

        Args:
            stream: Where to write.
            now: A clock in seconds.
        """
        self._stream = stream
        self._now = now

    def start(self, jobs: Sequence[Job], model: str, provider: str) -> None:
        """Event "start"."""
        self._pace = Pace(jobs, self._now)
        self._write("start", n_songs=len(jobs), model=model, provider=provider)

    def refuse(self, error: StemdockError) -> None:
        """Event "refused"."""
        self._write("refused", error=str(error), remedy=error.remedy)

    def show(self, event: BatchEvent) -> None:
        """Events "song", "progress", "done", "skipped" and "failed"."""
        self._pace.count(event)
        job = event.job
        targets = {stem: str(path) for stem, path in job.targets.items()}
        if isinstance(event, Started):
            self._write("song", song=job.number, path=str(job.song.path), targets=targets)
        elif isinstance(event, Advanced):
            self._write(
                "progress",
                song=job.number,
                **asdict(event.progress),
                **asdict(self._pace.songs[job.number]),
                total_remaining=self._pace.remaining,
            )
        elif isinstance(event, Done):
            separated = event.separated
            self._write(
                "done",
                song=job.number,
                outputs={stem: str(path) for stem, path in separated.files.items()},
                elapsed=event.elapsed,
                duration=separated.total_length / separated.sample_rate,
                sample_rate=separated.sample_rate,
                peaks=dict(separated.peaks),
                clipped_lengths=dict(separated.clipped_lengths),
                folded=list(separated.downmix.speakers) if separated.downmix else [],
                gain_db=separated.gain_db,
                warnings=list(separated.warnings),
            )
        elif isinstance(event, Skipped):
            self._write("skipped", song=job.number, outputs=targets)
        else:
            self._write(
                "failed",
                song=job.number,
                path=str(job.song.path),
                kind=type(event.error).__name__,
                error=str(event.error),
                remedy=event.error.remedy,
            )

    def finish(self, summary: Summary) -> None:
        """Event "summary"."""
        self._write("summary", **asdict(summary), elapsed=self._pace.elapsed)

    def _write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"version": JSON_VERSION, "event": event, **fields})
        print(line, file=self._stream, flush=True)
