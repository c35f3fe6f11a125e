"""Running a batch, one song at a time or several at once, as an iterator of events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, TypeAlias

from stemdock.batch.claims import ClaimLostError
from stemdock.batch.events import Advanced, Done, Failed, Skipped, Started, UpToDate, Waiting
from stemdock.errors import CancelledError, StemdockError
from stemdock.inference.shortages import shortage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from threading import Event

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.lib.locations import Place
    from stemdock.types import Progress, SeparatedFile

_POLL: Final = 0.2
"""Seconds between wake-ups of the waiting thread, because signals are handled in it."""
_LOOK: Final = 1.0
"""Seconds between two looks at the songs that other processes hold."""

Separate: TypeAlias = "Callable[[SongPlan, Callable[[Progress], None]], SeparatedFile | UpToDate]"
"""Separates one song, unless a previous run finished it. Raises StemdockError."""
Claim: TypeAlias = "Callable[[SongPlan], AbstractContextManager[None] | None]"
"""Keeps other processes from separating a song until the context ends; None if one of them is doing it."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """A thread is through with a song."""

    plan: SongPlan
    is_held: bool
    """Whether another process is separating it, so that it is to be looked at again."""


class UnforeseenError(StemdockError):
    """An unexpected exception, which is the `__cause__`."""

    def __init__(self, path: Place, cause: Exception) -> None:
        super().__init__(
            f"{path}: unexpected error, {type(cause).__name__}: {cause}",
            remedy="This is a bug in Stemdock. Report it, with the song if you can share it.",
        )


def run_batch(
    plans: Sequence[SongPlan],
    separate: Separate,
    *,
    claim: Claim = lambda _: nullcontext(),
    n_at_once: int = 1,
    cancel: Event,
) -> Iterator[BatchEvent]:
    """Separates songs and continues after those that fail.

    Songs that other processes are separating are passed over, and looked at again when no other is left.

    Args:
        plans: The songs.
        separate: Separates one of them; called in other threads.
        claim: Claims one of them; called in other threads.
        n_at_once: Number of songs to separate at the same time.
        cancel: Set it to stop soon: songs in progress are abandoned without an event, and no other song
            starts. Closing the iterator sets it, too, and waits for the threads.

    Yields:
        Events, those of each song in order. With several songs at the same time, their events interleave.
    """
    left: Sequence[SongPlan] = plans
    told: set[int] = set()
    with ThreadPoolExecutor(n_at_once, thread_name_prefix="stemdock-song") as pool:
        try:
            while left:
                held = yield from _run_all(left, separate, claim, pool, 2 * n_at_once, cancel)
                left = [] if cancel.is_set() else sorted(held, key=lambda plan: plan.number)
                for plan in left:
                    if plan.number not in told:
                        told.add(plan.number)
                        yield Waiting(plan=plan)
                if left:
                    _pause(cancel)
        finally:
            if left:
                cancel.set()


def _run_all(
    plans: Iterable[SongPlan],
    separate: Separate,
    claim: Claim,
    pool: ThreadPoolExecutor,
    n_in_pool: int,
    cancel: Event,
) -> Generator[BatchEvent, None, list[SongPlan]]:
    """Yields the events of the songs, and returns those that other processes hold."""
    events: SimpleQueue[BatchEvent | _Ended] = SimpleQueue()
    held: list[SongPlan] = []
    following = iter(plans)
    n_running = 0
    while True:
        # Not all at once: each of a million songs that wait in the pool takes a kilobyte.
        for plan in () if cancel.is_set() else islice(following, n_in_pool - n_running):
            pool.submit(_run_song, plan, separate, claim, cancel, events)
            n_running += 1
        if not n_running:
            return held
        while not isinstance(event := _next(events), _Ended):
            yield event
        n_running -= 1
        if event.is_held:
            held.append(event.plan)


def _next(events: SimpleQueue[BatchEvent | _Ended]) -> BatchEvent | _Ended:
    while True:
        try:
            return events.get(timeout=_POLL)
        except Empty:
            continue


def _pause(cancel: Event) -> None:
    # Not cancel.wait: a signal in this thread that sets it could wait for the lock that this thread holds.
    end = monotonic() + _LOOK
    while not cancel.is_set() and monotonic() < end:
        sleep(_POLL)


def _run_song(
    plan: SongPlan,
    separate: Separate,
    claim: Claim,
    cancel: Event,
    events: SimpleQueue[BatchEvent | _Ended],
) -> None:
    """Sends the events of one song, followed by `_Ended`."""
    is_held = False
    try:
        if cancel.is_set():
            return
        if plan.song.fault:
            events.put(Failed(plan=plan, error=plan.song.fault))
            return
        claimed = claim(plan)
        is_held = claimed is None
        if claimed is None:
            return
        with claimed:
            events.put(Started(plan=plan))
            start = monotonic()
            separated = separate(plan, lambda progress: events.put(Advanced(plan=plan, progress=progress)))
        if isinstance(separated, UpToDate):
            events.put(Skipped(plan=plan, damage=separated.damage))
        else:
            events.put(Done(plan=plan, separated=separated, elapsed=monotonic() - start))
    except CancelledError:
        return
    except ClaimLostError:
        is_held = True
    except StemdockError as error:
        events.put(Failed(plan=plan, error=error))
    except Exception as error:  # noqa: BLE001  the next songs must still run
        failure = shortage_of(error, str(plan.song.path)) or UnforeseenError(plan.song.path, error)
        failure.__cause__ = error
        events.put(Failed(plan=plan, error=failure))
    finally:
        events.put(_Ended(plan, is_held))
