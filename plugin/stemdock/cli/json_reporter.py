"""Reporting a batch to other programs, as lines of JSON on standard error."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final

from stemdock.batch.eta import BatchEta
from stemdock.batch.events import Advanced, Done, Skipped, Started, Waiting, summarise
from stemdock.cli.cost_report import estimate_values, report_values

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.events import BatchEvent, SongPlan, Summary
    from stemdock.batch.report import Estimate, Report
    from stemdock.errors import StemdockError

JSON_VERSION: Final = 1
"""Version of the lines. New fields and new events do not raise it."""


class JsonReporter:
    """Prints one line of JSON for each event; docs/batch.md describes them."""

    def __init__(self, stream: IO[str], *, now: Callable[[], float] = monotonic) -> None:
        """Prints nothing yet.

        Args:
            stream: The lines go here.
            now: A clock in seconds.
        """
        self._stream = stream
        self._now = now

    def start(self, plans: Sequence[SongPlan], model: str, provider: str) -> None:
        """Prints the event "start"."""
        self._eta = BatchEta(plans, self._now)
        self._write("start", n_songs=len(plans), model=model, provider=provider)

    def look(self, n_looked: int, n_songs: int | None) -> None:
        """Prints the event "looking"."""
        self._write("looking", n_looked=n_looked, n_songs=n_songs)

    def refuse(self, error: StemdockError) -> None:
        """Prints the event "refused"."""
        self._write("refused", error=str(error), remedy=error.remedy)

    def warn(self, error: StemdockError) -> None:
        """Prints the event "warning"."""
        self._write("warning", kind=type(error).__name__, error=str(error), remedy=error.remedy)

    def show(self, event: BatchEvent) -> None:
        """Prints the events "song", "waiting", "progress", "done", "skipped" and "failed"."""
        self._eta.count(event)
        plan = event.plan
        targets = {stem: str(path) for stem, path in plan.targets.items()}
        if isinstance(event, Started):
            self._write("song", song=plan.number, path=str(plan.song.path), targets=targets)
        elif isinstance(event, Waiting):
            self._write("waiting", song=plan.number)
        elif isinstance(event, Advanced):
            self._write(
                "progress",
                song=plan.number,
                **asdict(event.progress),
                **asdict(self._eta.songs[plan.number]),
                total_remaining=self._eta.remaining,
            )
        elif isinstance(event, Done):
            separated = event.separated
            self._write(
                "done",
                song=plan.number,
                outputs=targets,
                elapsed=event.elapsed,
                duration=separated.total_length / separated.sample_rate,
                sample_rate=separated.sample_rate,
                peaks=dict(separated.peaks),
                clipped_lengths=dict(separated.clipped_lengths),
                folded=list(separated.downmix.speakers) if separated.downmix else [],
                gain_db=separated.gain_db,
                warnings=list(separated.warnings),
                damage=[asdict(place) for place in separated.damage],
            )
        elif isinstance(event, Skipped):
            damage = [asdict(place) for place in event.damage]
            self._write("skipped", song=plan.number, outputs=targets, damage=damage)
        else:
            self._write(
                "failed",
                song=plan.number,
                path=str(plan.song.path),
                kind=type(event.error).__name__,
                error=str(event.error),
                remedy=event.error.remedy,
            )

    def finish(self, summary: Summary, *, is_wanted: bool = True) -> None:  # noqa: ARG002  programs want it always
        """Prints the event "summary"."""
        self._write("summary", **asdict(summary), elapsed=self._eta.elapsed)

    def finish_early(self, n_songs: int) -> None:
        """Prints the event "summary" of a run that was interrupted before its first song."""
        self._write("summary", **asdict(summarise(n_songs, Counter())), elapsed=0.0)

    def report(self, report: Report) -> None:
        """Prints the event "report"."""
        self._write("report", **report_values(report))

    def estimate(self, estimate: Estimate) -> None:
        """Prints the event "estimate"."""
        self._write("estimate", **estimate_values(estimate))

    def _write(self, event: str, **fields: Any) -> None:
        line = json.dumps({"version": JSON_VERSION, "event": event, **fields})
        # In one piece: workers may write to the same stream.
        self._stream.write(f"{line}\n")
        self._stream.flush()
