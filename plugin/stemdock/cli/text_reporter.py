"""Reporting a batch to people, on standard error."""

from __future__ import annotations

import shutil
import unicodedata
from bisect import bisect_left
from time import monotonic
from typing import IO, TYPE_CHECKING

from stemdock.batch.eta import BatchEta
from stemdock.batch.events import Advanced, Done, Failed, Skipped, Started, Waiting
from stemdock.cli.cost_report import estimate_lines, report_lines
from stemdock.cli.terminal import drawing, one_line
from stemdock.lib.printing import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from stemdock.batch.events import BatchEvent, SongPlan, Summary
    from stemdock.batch.report import Estimate, Report
    from stemdock.errors import StemdockError
    from stemdock.lib.locations import Place
    from stemdock.types import Downmix


class TextReporter:
    """Prints errors and warnings as lines, and below them, on a terminal, a status line."""

    def __init__(self, stream: IO[str], *, live: bool, now: Callable[[], float] = monotonic) -> None:
        """Prints nothing yet.

        Args:
            stream: The lines go here.
            live: Whether to show the status line.
            now: A clock in seconds.
        """
        self._stream = stream
        self._live = live
        self._now = now
        self._shown = 0
        self._plans: Sequence[SongPlan] = ()
        self._started: dict[int, tuple[int, str]] = {}
        """Of songs in progress: the place in this run, which may be a part of all, from 1, and the name."""

    def start(self, plans: Sequence[SongPlan], model: str, provider: str) -> None:  # noqa: ARG002
        """Prints the provider if it is not the CPU."""
        self._plans = plans
        self._eta = BatchEta(plans, self._now)
        if provider != "cpu":
            self._print(f"running on {provider}")

    def look(self, n_looked: int, n_songs: int | None) -> None:
        """Prints how far a long look at many songs is."""
        of_all = "" if n_songs is None else f" of {n_songs:,}"
        self._print(f"looking at the songs: {n_looked:,}{of_all}")

    def refuse(self, error: StemdockError) -> None:
        """Prints a conflict that keeps the batch from starting."""
        self._print(f"error: {one_line(error)}")

    def warn(self, error: StemdockError) -> None:
        """Prints what keeps a worker from working, while the others go on."""
        self._print(f"warning: {one_line(error)}")

    def show(self, event: BatchEvent) -> None:
        """Prints errors and warnings, and updates the status line."""
        self._count(event)
        if isinstance(event, Failed):
            self._print(f"error: {one_line(event.error)}")
        elif isinstance(event, Done):
            if event.separated.downmix:
                self._print(_downmix_line(event.plan.song.path, event.separated.downmix))
            for warning in _warnings(event):
                self._print(f"warning: {warning}")
            if event.separated.gain_db:
                self._print(
                    f"{event.plan.song.path}: all stems lowered by {-event.separated.gain_db:.2f} dB "
                    "to prevent clipping"
                )
        elif isinstance(event, Skipped) and event.damage:
            self._print(f"note: {event.plan.song.path}: skipped, done before; {event.damage[0]}")
        elif isinstance(event, Waiting):
            self._print(f"note: {event.plan.song.path}: waiting, another process is separating it")
        if isinstance(event, (Started, Advanced)):
            self._draw(self._status())
        else:
            # Paths on standard output must not appear behind the status line.
            self._draw("")

    def _count(self, event: BatchEvent) -> None:
        self._eta.count(event)
        number = event.plan.number
        if isinstance(event, Started):
            place = bisect_left(self._plans, number, key=lambda plan: plan.number) + 1
            self._started[number] = (place, event.plan.song.path.name)
        elif number not in self._eta.songs:
            self._started.pop(number, None)

    def finish(self, summary: Summary, *, is_wanted: bool = True) -> None:
        """Prints the counts if there was more than one song, or if the run was interrupted.

        Args:
            summary: The counts.
            is_wanted: Whether to print them: a user who has closed a player knows that the song is
                unfinished.
        """
        self._draw("")
        if not is_wanted:
            return
        if summary.n_songs > 1 or summary.n_left:
            counts = {
                "done": summary.n_done,
                "skipped": summary.n_skipped,
                "failed": summary.n_failed,
                "unfinished": summary.n_left,
            }
            text = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
            if summary.n_done == summary.n_songs and not self._live:
                return
            songs = "1 song" if summary.n_songs == 1 else f"{summary.n_songs} songs"
            self._print(f"{songs}: {text} ({_duration(self._eta.elapsed)})")

    def finish_early(self, n_songs: int) -> None:
        """Prints that a run was interrupted before its first song."""
        self._print(f"{n_songs} unfinished: stopped before the first song")

    def report(self, report: Report) -> None:
        """Prints the speed and the cost of the run."""
        for line in report_lines(report):
            self._print(line)

    def estimate(self, estimate: Estimate) -> None:
        """Prints what the whole batch would take."""
        for line in estimate_lines(estimate):
            self._print(line)

    def _status(self) -> str:
        """All songs in progress, and the whole batch if it has more than one song."""
        parts = []
        # Finished songs wait until those before them are told.
        unfinished = {number: eta for number, eta in self._eta.songs.items() if eta.fraction != 1}
        for number, eta in sorted((unfinished or self._eta.songs).items()):
            facts = [self._started[number][1]]
            if eta.fraction is not None:
                facts.append(f"{eta.fraction:.0%}")
            if eta.speed is not None:
                facts.append(f"{eta.speed:.1f}x")
            if eta.remaining is not None:
                facts.append(f"{_duration(eta.remaining)} left")
            parts.append(" ".join(facts))
        text = " | ".join(parts)
        if len(self._plans) > 1:
            last = max((self._started[number][0] for number in self._eta.songs), default=len(self._plans))
            overall = f"[{last} of {len(self._plans)}"
            if self._eta.remaining is not None:
                overall += f", {_duration(self._eta.remaining)} left"
            text = f"{overall}] {text}"
        return text

    def _print(self, line: str) -> None:
        self._draw("")
        print(printable(line), file=self._stream, flush=True)

    def _draw(self, text: str) -> None:
        """Replaces the status line, which never wraps."""
        if not self._live:
            return
        text = "".join(character if character.isprintable() else "?" for character in text)
        text, n_columns = _cut(text, shutil.get_terminal_size().columns - 1)
        stream = drawing(self._stream)
        stream.write("\r" + text + " " * (self._shown - n_columns) + ("" if text else "\r"))
        stream.flush()
        self._shown = n_columns


def _downmix_line(source: Place, downmix: Downmix) -> str:
    speakers = " ".join(downmix.speakers)
    text = f"{source}: {len(downmix.speakers)} channels ({speakers}) mixed down to stereo"
    return f"{text} without {' '.join(downmix.left_out)}" if downmix.left_out else text


def _warnings(done: Done) -> list[str]:
    separated = done.separated
    clipped = [
        f"{done.plan.targets[name]}: {clipped_length} samples clipped "
        f"(peak {separated.peaks[name]:.3f}). Use --prevent-clipping to avoid this."
        for name, clipped_length in separated.clipped_lengths.items()
        if clipped_length
    ]
    return [*separated.warnings, *clipped]


def _cut(text: str, n_columns: int) -> tuple[str, int]:
    """The longest beginning of a text that fits into so many columns of a terminal, and its columns."""
    filled = 0
    for place, character in enumerate(text):
        # Chinese, Japanese and Korean characters fill two columns.
        width = 2 if unicodedata.east_asian_width(character) in "FW" else 1
        if filled + width > n_columns:
            return text[:place], filled
        filled += width
    return text, filled


def _duration(seconds: float) -> str:
    """Seconds as 0:07, 3:05 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
