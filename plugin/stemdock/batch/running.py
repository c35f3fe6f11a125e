"""Running a batch in a pool, as an iterator of events."""

from __future__ import annotations

from itertools import islice
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from stemdock.batch.events import Done, Failed, Skipped, Waiting
from stemdock.batch.working import Ended
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from threading import Event

    from stemdock.batch.events import BatchEvent, SongPlan
    from stemdock.batch.pools import Pool

_POLL: Final = 0.2
"""Seconds between wake-ups of the waiting thread, because signals are handled in it."""
_LOOK: Final = 1.0
"""Seconds between two looks at the songs that other processes hold."""


def run_batch(plans: Sequence[SongPlan], pool: Pool) -> Iterator[BatchEvent]:
    """Separates songs and continues after those that fail.

    Songs that other processes are separating are passed over, and looked at again when no other is left.

    Args:
        plans: The songs.
        pool: Separates them. If its `cancel` is set, songs in progress are abandoned without an event, and no
            other song starts. Closing the iterator sets it, too, and waits for the songs in progress.

    Yields:
        Events, those of each song in order. The last events of songs are in the order of the songs, however
        many are in progress; only those that another process held come later.

    Raises:
        StemdockError: The pool cannot start or go on.
    """
    left: Sequence[SongPlan] = plans
    told: set[int] = set()
    with pool:
        try:
            while left:
                held = yield from _run_all(left, pool)
                left = [] if pool.cancel.is_set() else sorted(held, key=lambda plan: plan.number)
                for plan in left:
                    if plan.number not in told:
                        told.add(plan.number)
                        yield Waiting(plan=plan)
                if left:
                    _pause(pool.cancel)
        finally:
            if left:
                pool.cancel.set()


def _run_all(plans: Iterable[SongPlan], pool: Pool) -> Generator[BatchEvent, None, list[SongPlan]]:
    """Yields the events of the songs, and returns those that other processes hold."""
    held: list[SongPlan] = []
    following = iter(plans)
    running: dict[int, BatchEvent | None] = {}
    """The last event, if it has come, of each song that was put in and whose end was not told, in order."""
    ended: set[int] = set()
    n_inside = 0
    while True:
        # Not all at once: there can be a million.
        for plan in () if pool.cancel.is_set() else islice(following, pool.n_songs - n_inside):
            running[plan.number] = None
            n_inside += 1
            pool.put(plan)
        if not n_inside:
            return held
        try:
            event = pool.get(_POLL)
        except StemdockError:
            # Nothing can go on, but what is done is told.
            yield from filter(None, running.values())
            raise
        if event is None:
            continue
        number = event.plan.number
        if isinstance(event, Ended):
            n_inside -= 1
            ended.add(number)
            if event.is_held:
                held.append(event.plan)
            yield from _told(running, ended)
        elif isinstance(event, Done | Skipped | Failed):
            running[number] = event
        else:
            yield event


def _told(running: dict[int, BatchEvent | None], ended: set[int]) -> Iterator[BatchEvent]:
    """Yields and removes the last events of the first songs, up to one that is in progress."""
    while running and (number := next(iter(running))) in ended:
        ended.remove(number)
        if event := running.pop(number):
            yield event


def _pause(cancel: Event) -> None:
    # Not cancel.wait: a signal in this thread that sets it could wait for the lock that this thread holds.
    end = monotonic() + _LOOK
    while not cancel.is_set() and monotonic() < end:
        sleep(_POLL)
