"""Running a batch, one song at a time or several at once, as an iterator of events."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.batch.events import Advanced, Done, Failed, Skipped, Started, UpToDate
from stemdock.errors import CancelledError, StemdockError
from stemdock.inference.shortages import shortage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.types import Progress, SeparatedFile

_POLL: Final = 0.2
"""Seconds between wake-ups of the waiting thread, because signals are handled in it."""

Separate: TypeAlias = "Callable[[SongPlan, Callable[[Progress], None]], SeparatedFile | UpToDate]"
"""Separates one song, unless a previous run finished it. Raises StemdockError."""


class UnforeseenError(StemdockError):
    """An unexpected exception, which is the `__cause__`."""

    def __init__(self, path: Path, cause: Exception) -> None:
        super().__init__(
            f"{path}: unexpected error, {type(cause).__name__}: {cause}",
            remedy="This is a bug in Stemdock. Report it, with the song if you can share it.",
        )


def run_batch(
    plans: Sequence[SongPlan], separate: Separate, *, n_at_once: int = 1, cancel: Event
) -> Iterator[BatchEvent]:
    """Separates songs and continues after those that fail.

    Args:
        plans: The songs.
        separate: Separates one of them; called in other threads.
        n_at_once: Number of songs to separate at the same time.
        cancel: Set it to stop soon: songs in progress are abandoned without an event, and no other song
            starts. Closing the iterator sets it, too, and waits for the threads.

    Yields:
        Events, those of each song in order. With several songs at the same time, their events interleave.
    """
    events: SimpleQueue[BatchEvent | None] = SimpleQueue()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="stemdock-song") as pool:
        futures: list[Future[None]] = [
            pool.submit(_run_song, plan, separate, cancel, events) for plan in plans
        ]
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


def _run_song(
    plan: SongPlan, separate: Separate, cancel: Event, events: SimpleQueue[BatchEvent | None]
) -> None:
    """Sends the events of one song, followed by None."""
    try:
        if cancel.is_set():
            return
        if plan.song.fault:
            events.put(Failed(plan=plan, error=plan.song.fault))
            return
        events.put(Started(plan=plan))
        start = monotonic()
        separated = separate(plan, lambda progress: events.put(Advanced(plan=plan, progress=progress)))
        if isinstance(separated, UpToDate):
            events.put(Skipped(plan=plan, damage=separated.damage))
        else:
            events.put(Done(plan=plan, separated=separated, elapsed=monotonic() - start))
    except CancelledError:
        return
    except StemdockError as error:
        events.put(Failed(plan=plan, error=error))
    except Exception as error:  # noqa: BLE001  the next songs must still run
        failure = shortage_of(error, str(plan.song.path)) or UnforeseenError(plan.song.path, error)
        failure.__cause__ = error
        events.put(Failed(plan=plan, error=failure))
    finally:
        events.put(None)
