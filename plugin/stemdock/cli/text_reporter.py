"""How a batch looks to a person, on standard error."""

from __future__ import annotations

import shutil
import unicodedata
from time import monotonic
from typing import IO, TYPE_CHECKING

from stemdock.batch.eta import Pace
from stemdock.batch.running import Advanced, Done, Failed, Started
from stemdock.cli.terminal import one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from stemdock.batch.running import BatchEvent, Job, Summary
    from stemdock.errors import StemdockError
    from stemdock.types import Downmix, SeparatedFile


class TextReporter:
    """Errors and warnings as lines, and below them one line that changes, if a person is looking."""

    def __init__(self, stream: IO[str], *, live: bool, now: Callable[[], float] = monotonic) -> None:
        """Tells nothing yet.

        Args:
            stream: Where to write.
            live: Whether to show the line that changes.
            now: A clock in seconds.
        """
        self._stream = stream
        self._live = live
        self._now = now
        self._shown = 0
        self._jobs: dict[int, Job] = {}

    def start(self, jobs: Sequence[Job], model: str, provider: str) -> None:  # noqa: ARG002
        """Tells the provider if it is a special one."""
        self._jobs = {job.number: job for job in jobs}
        self._pace = Pace(jobs, self._now)
        if provider != "cpu":
            self._say(f"running on {provider}")

    def refuse(self, error: StemdockError) -> None:
        """Tells the reason."""
        self._say(f"error: {one_line(error)}")

    def show(self, event: BatchEvent) -> None:
        """Tells what is wrong, and shows how far it is."""
        self._pace.count(event)
        if isinstance(event, Failed):
            self._say(f"error: {one_line(event.error)}")
        elif isinstance(event, Done):
            if event.separated.downmix:
                self._say(_downmix_line(event.separated.source, event.separated.downmix))
            for warning in _warnings(event.separated):
                self._say(f"warning: {warning}")
            if event.separated.gain_db:
                self._say(
                    f"{event.separated.source}: all files turned down by {-event.separated.gain_db:.2f} dB, "
                    "so that none clips"
                )
        if isinstance(event, (Started, Advanced)):
            self._draw(self._status())
        else:
            # What comes next on standard output must not stand behind it.
            self._draw("")

    def finish(self, summary: Summary) -> None:
        """Sums up, if there was more than one song."""
        self._draw("")
        if summary.n_songs > 1:
            counts = {
                "done": summary.n_done,
                "skipped": summary.n_skipped,
                "failed": summary.n_failed,
                "left": summary.n_left,
            }
            told = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
            if summary.n_done == summary.n_songs and not self._live:
                return
            self._say(f"{summary.n_songs} songs: {told} ({_duration(self._pace.elapsed)})")

    def _status(self) -> str:
        """All songs under way, and the whole batch if it has more than one."""
        parts = []
        for number, pace in sorted(self._pace.songs.items()):
            facts = [self._jobs[number].song.path.name]
            if pace.fraction is not None:
                facts.append(f"{pace.fraction:.0%}")
            if pace.speed is not None:
                facts.append(f"{pace.speed:.1f}x")
            if pace.remaining is not None:
                facts.append(f"{_duration(pace.remaining)} left")
            parts.append(" ".join(facts))
        text = " | ".join(parts)
        if len(self._jobs) > 1:
            last = max(self._pace.songs, default=len(self._jobs))
            overall = f"[{last} of {len(self._jobs)}"
            if self._pace.remaining is not None:
                overall += f", {_duration(self._pace.remaining)} left"
            text = f"{overall}] {text}"
        return text

    def _say(self, line: str) -> None:
        self._draw("")
        print(printable(line), file=self._stream, flush=True)

    def _draw(self, text: str) -> None:
        """Replaces the line that changes, which never wraps."""
        if not self._live:
            return
        text = "".join(character if character.isprintable() else "?" for character in text)
        while _n_columns(text) >= shutil.get_terminal_size().columns:
            text = text[:-1]
        n_columns = _n_columns(text)
        self._stream.write("\r" + text + " " * (self._shown - n_columns) + ("" if text else "\r"))
        self._stream.flush()
        self._shown = n_columns


def _downmix_line(source: Path, downmix: Downmix) -> str:
    speakers = " ".join(downmix.speakers)
    told = f"{source}: {len(downmix.speakers)} channels ({speakers}) folded to stereo"
    return f"{told} without {' '.join(downmix.left_out)}" if downmix.left_out else told


def _warnings(separated: SeparatedFile) -> list[str]:
    clipped = [
        f"{separated.files[name]}: {clipped_length} samples clipped "
        f"(peak {separated.peaks[name]:.3f}); --prevent-clipping would keep them"
        for name, clipped_length in separated.clipped_lengths.items()
        if clipped_length
    ]
    return [*separated.warnings, *clipped]


def _n_columns(text: str) -> int:
    """Columns of a terminal that a text takes: Chinese, Japanese and Korean letters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "FW" else 1 for character in text)


def _duration(seconds: float) -> str:
    """Seconds as 0:07, 3:05 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
