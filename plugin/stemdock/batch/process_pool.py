"""A pool of processes on this machine, each with a model of its own.

If a process is killed, another takes its place, and its songs are tried again, each alone, so that the one
that kills its process is known.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack, suppress
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Final, Self

from stemdock.batch.events import Failed
from stemdock.batch.worker import Ready
from stemdock.batch.worker_process import WorkerProcess
from stemdock.batch.working import Ended
from stemdock.errors import StemdockError, ThreadShortageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from stemdock.batch.events import SongPlan
    from stemdock.batch.working import PoolEvent, Recipe
    from stemdock.lib.locations import Place

N_TRIES: Final = 3
"""Processes that a song may kill before it is set aside."""
_N_STILLBORN: Final = 3
"""Processes that may die in one place, one after another, before one has loaded its model. Then the place is
given up: perhaps there is too little memory for all. The batch ends if no process is left, or if the first
cannot load the model."""


class WorkerLostError(StemdockError):
    """A song killed each worker that tried it.

    Attributes:
        path: The song.
        n_tries: Number of workers.
    """

    def __init__(self, path: Place, n_tries: int, how: str) -> None:
        super().__init__(
            f"{path}: set aside, because {n_tries} workers ended while they separated it (the last {how})",
            remedy="If memory was short, use fewer --workers. Otherwise, the file may crash a decoder.",
        )
        self.path = path
        self.n_tries = n_tries


class WorkersUnusableError(StemdockError):
    """Workers end before they have loaded the model."""

    def __init__(self, how: str) -> None:
        super().__init__(
            f"workers end while they load the model (the last {how})",
            remedy="If memory is short, use fewer --workers.",
        )


class ProcessPool:
    """Separates songs in processes on this machine; see `stemdock.batch.pools.Pool`."""

    def __init__(
        self,
        recipes: Sequence[Recipe],
        *,
        n_songs: int = 1,
        cancel: Event,
        clean: Callable[[SongPlan], None] = lambda _: None,
    ) -> None:
        """Starts nothing yet.

        Args:
            recipes: For each process, how to separate.
            n_songs: Number of songs that each process separates at the same time.
            cancel: As of `Pool`.
            clean: Removes what killed processes left of a song that is set aside.
        """
        self.cancel = cancel
        self.n_songs = len(recipes) * n_songs
        self._recipes = recipes
        self._n_songs_each = n_songs
        self._clean = clean
        self._workers: list[WorkerProcess] = []
        self._waiting: deque[SongPlan] = deque()
        self._events: deque[PoolEvent] = deque()
        self._n_tries: Counter[int] = Counter()
        self._was_ready = False
        """Whether any process has loaded its model."""
        self._is_stopping = False

    def __enter__(self) -> Self:
        """Starts the processes."""
        with ExitStack() as started:
            started.callback(self.__exit__)
            for recipe in self._recipes:
                self._workers.append(WorkerProcess(recipe, self._n_songs_each))
            started.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends the processes."""
        self._stop()
        while self._workers:
            # Who has events to send must get rid of them before it can end.
            with suppress(StemdockError):
                self._receive(None)
            self._events.clear()

    def put(self, plan: SongPlan) -> None:
        """Takes a song."""
        self._waiting.append(plan)
        self._hand_out()

    def get(self, timeout: float) -> PoolEvent | None:
        """The next event."""
        if self.cancel.is_set():
            self._stop()
        if not self._events:
            self._receive(timeout)
        return self._events.popleft() if self._events else None

    def _receive(self, timeout: float | None) -> None:
        by_connection = {worker.connection: worker for worker in self._workers}
        for connection in wait(list(by_connection), timeout):
            worker = by_connection[connection]  # type: ignore[index]
            try:
                message = worker.connection.recv()
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if isinstance(message, Ready):
                if message.error and not self._was_ready:
                    raise message.error
                if message.error:  # it ends now, like one that was killed
                    worker.fault = message.error
                    continue
                self._was_ready = worker.is_ready = True
                worker.n_stillborn = 0
            else:
                if isinstance(message, Ended):
                    del worker.plans[message.plan.number]
                    self._n_tries.pop(message.plan.number, None)
                self._events.append(message)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and not self._is_stopping:
            plan = self._waiting[0]
            is_suspect = plan.number in self._n_tries
            free = [each for each in self._workers if self._has_place(each, is_suspect=is_suspect)]
            if not free:
                return
            worker = min(free, key=lambda worker: len(worker.plans))
            self._waiting.popleft()
            worker.plans[plan.number] = plan
            worker.send(plan)

    def _has_place(self, worker: WorkerProcess, *, is_suspect: bool) -> bool:
        has_suspect = any(number in self._n_tries for number in worker.plans)
        most = 1 if is_suspect or has_suspect else self._n_songs_each
        return worker.is_ready and len(worker.plans) < most

    def _replace(self, worker: WorkerProcess) -> None:
        """Starts another process for one that has ended."""
        self._workers.remove(worker)
        how = worker.end()
        if self._is_stopping:
            self._events.extend(Ended(plan=plan) for plan in worker.plans.values())
            return
        for plan in reversed(worker.plans.values()):
            self._n_tries[plan.number] += 1
            if self._n_tries[plan.number] < N_TRIES:
                self._waiting.appendleft(plan)
            else:
                self._clean(plan)
                error = WorkerLostError(plan.song.path, self._n_tries.pop(plan.number), how)
                self._events += [Failed(plan=plan, error=error), Ended(plan=plan)]
        fault = worker.fault or WorkersUnusableError(how)
        n_stillborn = 0 if worker.is_ready else worker.n_stillborn + 1
        if n_stillborn < _N_STILLBORN:
            try:
                self._workers.append(WorkerProcess(worker.recipe, self._n_songs_each, n_stillborn))
            except ThreadShortageError as error:
                fault = error
        if not self._workers:
            raise fault

    def _stop(self) -> None:
        """Tells the processes to give up their songs, and to end."""
        if not self._is_stopping:
            self._is_stopping = True
            self._events.extend(Ended(plan=plan) for plan in self._waiting)
            self._waiting.clear()
            for worker in self._workers:
                worker.send(None)
