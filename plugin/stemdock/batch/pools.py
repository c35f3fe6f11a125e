"""Where the songs of a batch are separated: songs go into a pool, and events come out.

`ThreadPool` separates in this process, `stemdock.batch.worker_pool` in others, which an engine starts.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol, Self

from stemdock.batch.working import run_song

if TYPE_CHECKING:
    from threading import Event

    from stemdock.batch.events import SongPlan
    from stemdock.batch.working import PoolEvent, Work


class Pool(Protocol):
    """Separates songs. Used by one thread, and entered as a context once.

    The context ends when all songs have ended, or after `cancel` was set. It then waits for the songs in
    progress.

    Attributes:
        cancel: Set it to stop soon: each song that was put in ends without another event.
        n_songs: How many songs are useful in it at the same time.
        worker_seconds: Seconds from the time at which workers were ready to their ends, of those that have
            ended, added up. After the context, that is all. 0 if it has no workers.
    """

    cancel: Event
    n_songs: int
    worker_seconds: float

    def __enter__(self) -> Self:
        """Starts what it needs.

        Raises:
            StemdockError: It cannot start.
        """

    def __exit__(self, *exception: object) -> None:
        """Waits for the songs in progress, and ends all that was started."""

    def put(self, plan: SongPlan) -> None:
        """Takes a song: each begins as soon as there is a place for it."""

    def get(self, timeout: float) -> PoolEvent | None:
        """The next event; those of each song in order, the last of which is `Ended`.

        Args:
            timeout: Seconds to wait for one; None is returned if none came.

        Raises:
            StemdockError: The pool cannot go on.
        """


class ThreadPool:
    """Separates songs in threads of this process, which share one model and take turns in the network."""

    def __init__(self, work: Work, *, n_songs: int = 1, cancel: Event) -> None:
        """Starts nothing yet.

        Args:
            work: Separates each song.
            n_songs: Number of songs to separate at the same time.
            cancel: As of `Pool`.
        """
        self.cancel = cancel
        self.n_songs = n_songs
        self.worker_seconds = 0.0
        self._work = work
        self._events: SimpleQueue[PoolEvent] = SimpleQueue()
        self._pool = ThreadPoolExecutor(n_songs, thread_name_prefix="stemdock-song")

    def __enter__(self) -> Self:
        """Nothing to start: threads start with their songs."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Waits for the threads."""
        self._pool.shutdown()

    def put(self, plan: SongPlan) -> None:
        """Takes a song."""
        self._pool.submit(run_song, plan, self._work, self.cancel, self._events.put)

    def get(self, timeout: float) -> PoolEvent | None:
        """The next event."""
        try:
            return self._events.get(timeout=timeout)
        except Empty:
            return None
