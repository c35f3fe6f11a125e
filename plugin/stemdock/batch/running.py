"""Many songs, one after the other or some at once: what to write where, and the run.

Nothing here knows who watches: a run is an iterator of events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.errors import CancelledError, OutputError, OutputExistsError, StemdockError
from stemdock.output.naming import path_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.batch.inputs import Song
    from stemdock.types import Progress, SeparatedFile

_POLL: Final = 0.2
"""Seconds after which the waiting thread looks up, for signals arrive in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One song and the files to make of it."""

    number: int
    """From 1, in the order in which the songs were named."""
    song: Song
    targets: Mapping[str, Path]
    """By stem; none if the song has a fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """Work on a song begins."""

    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """A segment more is done."""

    job: Job
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A song's stems are in their places."""

    job: Job
    separated: SeparatedFile
    elapsed: float
    """Seconds that it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A former run did the same, and all its files are intact."""

    job: Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Nothing was made of a song."""

    job: Job
    error: StemdockError


BatchEvent: TypeAlias = Started | Advanced | Done | Skipped | Failed
Separate: TypeAlias = "Callable[[Job, Callable[[Progress], None]], SeparatedFile | None]"
"""Separates one song; None if a former run did. Raises StemdockError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of a batch."""

    n_songs: int
    n_done: int
    n_skipped: int
    n_failed: int
    n_left: int
    """None of these: the run was interrupted before."""


class UnforeseenError(StemdockError):
    """Something went wrong that nobody thought of; it is the `__cause__`."""

    def __init__(self, path: Path, cause: Exception) -> None:
        super().__init__(
            f"{path}: {type(cause).__name__}: {cause}",
            remedy="Report it to the makers of Stemdock, with the song if you may.",
        )


def conflicts(jobs: Sequence[Job], *, may_replace: Callable[[Path], bool]) -> list[OutputError]:
    """What forbids to begin, each with the file that it is about.

    Args:
        jobs: All songs of the run.
        may_replace: Whether a file that is there may be replaced.

    Returns:
        An error for each target that two songs share, on file systems that do not tell capitals or the
        ways to write an accent apart, too; that is one of the mixtures; or that is there and stays.
    """
    mixtures = {job.song.path.resolve() for job in jobs if not job.song.is_standard_input}
    sharers: dict[str, list[Job]] = defaultdict(list)
    errors: list[OutputError] = []
    for job in jobs:
        for path in job.targets.values():
            sharers[path_key(path)].append(job)
            if path.resolve() in mixtures:
                errors.append(
                    OutputError(path, "is a mixture itself", remedy="Choose another output folder.")
                )
            elif path.exists() and not may_replace(path):
                errors.append(OutputExistsError(path))
    told = set()
    for jobs_of_target in sharers.values():
        songs = tuple(str(job.song.path) for job in jobs_of_target)
        if len(songs) > 1 and songs not in told:
            told.add(songs)
            path = next(iter(jobs_of_target[0].targets.values()))
            errors.append(
                OutputError(
                    path,
                    f"would be written for {len(songs)} songs ({', '.join(songs)})",
                    remedy="Separate them into different folders, or give --template what tells them apart.",
                )
            )
    return errors


def summarise(jobs: Sequence[Job], ended: Sequence[BatchEvent]) -> Summary:
    """Counts what became of the songs.

    Args:
        jobs: All songs.
        ended: The last event of each song that came to an end.
    """
    counts = Counter(type(event) for event in ended)
    return Summary(
        n_songs=len(jobs),
        n_done=counts[Done],
        n_skipped=counts[Skipped],
        n_failed=counts[Failed],
        n_left=len(jobs) - len(ended),
    )


def run_batch(
    jobs: Sequence[Job], separate: Separate, *, n_at_once: int = 1, cancel: Event
) -> Iterator[BatchEvent]:
    """Separates songs and tells how it goes, past those that fail.

    Args:
        jobs: The songs.
        separate: Separates one of them, and is called in other threads.
        n_at_once: Songs under way at once.
        cancel: Set it to end soon: what is under way is given up without an event, and what has not
            begun does not begin. It is set, and work has ended, when the iterator is closed.

    Yields:
        Events, for each song in order; those of different songs mix if several are under way.
    """
    events: SimpleQueue[BatchEvent | None] = SimpleQueue()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="stemdock-song") as pool:
        futures: list[Future[None]] = [pool.submit(_run_job, job, separate, cancel, events) for job in jobs]
        n_left = len(futures)
        try:
            while n_left:
                try:
                    event = events.get(timeout=_POLL)
                except Empty:
                    continue
                if event is None:
                    n_left -= 1
                else:
                    yield event
        finally:
            if n_left:
                cancel.set()


def _run_job(job: Job, separate: Separate, cancel: Event, events: SimpleQueue[BatchEvent | None]) -> None:
    """Sends the events of one song, and None at their end."""
    try:
        if cancel.is_set():
            return
        if job.song.fault:
            events.put(Failed(job=job, error=job.song.fault))
            return
        events.put(Started(job=job))
        start = monotonic()
        separated = separate(job, lambda progress: events.put(Advanced(job=job, progress=progress)))
        if separated:
            events.put(Done(job=job, separated=separated, elapsed=monotonic() - start))
        else:
            events.put(Skipped(job=job))
    except CancelledError:
        return
    except StemdockError as error:
        events.put(Failed(job=job, error=error))
    except Exception as error:  # noqa: BLE001  the songs after this one shall not suffer for it
        unforeseen = UnforeseenError(job.song.path, error)
        unforeseen.__cause__ = error
        events.put(Failed(job=job, error=unforeseen))
    finally:
        events.put(None)
