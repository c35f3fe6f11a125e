"""A pool of workers, each a process with a model of its own, on this machine or on others.

If a worker is lost, another takes its place, and its songs are tried again, each alone, so that the one that
kills its worker is known.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from stemdock.batch.claims import N_TRIES
from stemdock.batch.events import Failed
from stemdock.batch.worker import Ready
from stemdock.batch.working import Ended
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from stemdock.batch.events import SongPlan
    from stemdock.batch.working import PoolEvent, Recipe
    from stemdock.entries import Worker, Workforce
    from stemdock.lib.locations import Place

_N_STILLBORN: Final = 3
"""Workers that may die in one place, one after another, before one has loaded its model. Then the place is
given up: perhaps there is too little memory for all. The batch ends if no worker is left, or if the first
that tries cannot load the model."""
IDLE: Final = 10.0
"""Seconds without a song, after which a worker that is not needed is given back."""


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


class PlaceGivenUpError(StemdockError):
    """Workers cannot work in one place, while others go on.

    The `__cause__` says why.
    """

    def __init__(self, cause: StemdockError) -> None:
        super().__init__(f"the run goes on with fewer workers, because {cause}", remedy=cause.remedy)
        self.__cause__ = cause


class NoWorkerYetError(StemdockError):
    """No worker has loaded its model for a while: perhaps all wait for machines."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"no worker is ready after {seconds:.0f} s",
            remedy="The run goes on waiting. If no machine has room for a worker, ask for less for each.",
        )


@dataclass(slots=True, kw_only=True, eq=False)
class _Member:
    """A worker of the pool."""

    worker: Worker
    recipe: Recipe
    """How it separates."""
    n_stillborn: int = 0
    """Workers before it in its place that died one after another before they had loaded their model."""
    plans: dict[int, SongPlan] = field(default_factory=dict)
    """The songs that it has, by number."""
    ready_since: float | None = None
    """Time at which it had loaded its model."""
    fault: StemdockError | None = None
    """Why it cannot load its model, if it could say so."""
    is_dismissed: bool = False
    idle_since: float = field(default_factory=monotonic)
    """Time at which it had its last song."""

    @property
    def is_ready(self) -> bool:
        """Whether it has loaded its model."""
        return self.ready_since is not None


class WorkerPool:
    """Separates songs in workers; see `stemdock.batch.pools.Pool`."""

    def __init__(
        self,
        recipes: Sequence[Recipe],
        workforce: Workforce,
        *,
        n_least: int | None = None,
        n_songs: int = 1,
        cancel: Event,
        clean: Callable[[SongPlan], None] = lambda _: None,
        idle: float = IDLE,
        warn: Callable[[StemdockError], None] = lambda _: None,
        patience: float | None = None,
    ) -> None:
        """Starts nothing yet.

        Args:
            recipes: For each worker, how to separate.
            workforce: Starts the workers.
            n_least: So many workers are kept to the end. The others are started while songs wait, and given
                back when they have none. None for all.
            n_songs: Number of songs that each worker separates at the same time.
            cancel: As of `Pool`.
            clean: Removes what killed workers left of a song that is set aside.
            idle: Seconds without a song, after which a worker that is not needed is given back.
            warn: Called once for each reason why a place is given up while others go on.
            patience: Seconds without any worker that is ready, after which `warn` is called. None for never.
        """
        self.cancel = cancel
        self.n_songs = len(recipes) * n_songs
        self._n_least = len(recipes) if n_least is None else n_least
        self._vacant = deque(recipes)
        """Recipes of workers that are not needed now."""
        self._workforce = workforce
        self._n_songs_each = n_songs
        self._clean = clean
        self._idle = idle
        self._members: list[_Member] = []
        self._waiting: deque[SongPlan] = deque()
        self._events: deque[PoolEvent] = deque()
        self._n_tries: Counter[int] = Counter()
        self._was_ready = False
        """Whether any worker has loaded its model."""
        self._is_stopping = False
        self._warn = warn
        self._patience = patience
        self._start_time = 0.0
        self._warned: set[str] = set()
        """Reasons that were told."""
        self.worker_seconds = 0.0

    def __enter__(self) -> Self:
        """Starts the workers."""
        with ExitStack() as started:
            self._workforce.__enter__()
            started.callback(self.__exit__)
            self._start_time = monotonic()
            for _ in range(self._n_least):
                self._start(self._vacant.popleft())
            started.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        """Ends the workers."""
        try:
            self._stop()
            while self._members:
                # Who has events to send must get rid of them before it can end.
                with suppress(StemdockError):
                    self._receive(None)
                self._events.clear()
        finally:
            self._workforce.__exit__(*exception)

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
            self._watch_start()
        return self._events.popleft() if self._events else None

    def _watch_start(self) -> None:
        if self._patience is None or self._was_ready or self._is_stopping:
            return
        if monotonic() - self._start_time > self._patience:
            self._warn(NoWorkerYetError(self._patience))
            self._patience = None

    def _receive(self, timeout: float | None) -> None:
        by_worker = {id(member.worker): member for member in self._members}
        workers = [member.worker for member in self._members]
        for worker, message in self._workforce.receive(workers, timeout):
            member = by_worker[id(worker)]
            if message is None:
                self._replace(member)
            elif isinstance(message, Ready):
                if message.error and not self._was_ready:
                    raise message.error
                if message.error:  # it ends now, like one that was killed
                    member.fault = message.error
                    continue
                self._was_ready = True
                member.ready_since = monotonic()
                member.n_stillborn = 0
            else:
                if isinstance(message, Ended):
                    del member.plans[message.plan.number]
                    member.idle_since = monotonic()
                    self._n_tries.pop(message.plan.number, None)
                self._events.append(message)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and not self._is_stopping:
            plan = self._waiting[0]
            is_suspect = plan.number in self._n_tries
            free = [each for each in self._members if self._has_place(each, is_suspect=is_suspect)]
            if not free:
                break
            member = min(free, key=lambda member: len(member.plans))
            self._waiting.popleft()
            member.plans[plan.number] = plan
            member.worker.send(plan)
        if not self._is_stopping:
            self._resize()

    def _has_place(self, member: _Member, *, is_suspect: bool) -> bool:
        has_suspect = any(number in self._n_tries for number in member.plans)
        most = 1 if is_suspect or has_suspect else self._n_songs_each
        return member.is_ready and not member.is_dismissed and len(member.plans) < most

    def _resize(self) -> None:
        """Starts workers for the songs that wait, and gives back those that have been idle for a while."""
        n_songs = len(self._waiting) + sum(len(member.plans) for member in self._members)
        n_needed = max(self._n_least, -(-n_songs // self._n_songs_each))
        while self._vacant and len(self._members) < n_needed:
            self._start(self._vacant.popleft())
        now = monotonic()
        staying = [member for member in self._members if not member.is_dismissed]
        # Those that have not loaded their model first: perhaps there is no machine for them.
        for member in sorted(staying, key=lambda member: member.is_ready)[: len(staying) - n_needed]:
            if not member.plans and now - member.idle_since >= self._idle:
                member.is_dismissed = True
                member.worker.send(None)

    def _start(self, recipe: Recipe, n_stillborn: int = 0) -> None:
        worker = self._workforce.start(recipe, self._n_songs_each)
        self._members.append(_Member(worker=worker, recipe=recipe, n_stillborn=n_stillborn))

    def _replace(self, member: _Member) -> None:
        """Starts another worker for one that has ended."""
        self._members.remove(member)
        how = member.worker.end()
        if member.ready_since is not None:
            self.worker_seconds += monotonic() - member.ready_since
        if self._is_stopping:
            self._events.extend(Ended(plan=plan) for plan in member.plans.values())
            return
        if member.is_dismissed:
            self._vacant.append(member.recipe)
            return
        for plan in reversed(member.plans.values()):
            self._n_tries[plan.number] += 1
            if self._n_tries[plan.number] < N_TRIES:
                self._waiting.appendleft(plan)
            else:
                self._clean(plan)
                error = WorkerLostError(plan.song.path, self._n_tries.pop(plan.number), how)
                self._events += [Failed(plan=plan, error=error), Ended(plan=plan)]
        fault = member.fault or WorkersUnusableError(how)
        n_stillborn = 0 if member.is_ready else member.n_stillborn + 1
        if n_stillborn < _N_STILLBORN:
            try:
                self._start(member.recipe, n_stillborn)
            except StemdockError as error:
                fault = error
            else:
                return
        self._give_up(fault)

    def _give_up(self, fault: StemdockError) -> None:
        """Goes on without a place, or ends if it was the last."""
        if not self._members:
            raise fault
        if str(fault) not in self._warned:
            self._warned.add(str(fault))
            self._warn(PlaceGivenUpError(fault))

    def _stop(self) -> None:
        """Tells the workers to give up their songs, and to end."""
        if not self._is_stopping:
            self._is_stopping = True
            self._events.extend(Ended(plan=plan) for plan in self._waiting)
            self._waiting.clear()
            for member in self._members:
                member.worker.send(None)
