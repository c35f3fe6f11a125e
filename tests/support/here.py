"""Running a batch in threads of the test's process."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stemdock.batch.pools import ThreadPool
from stemdock.batch.running import run_batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from threading import Event

    from stemdock import Progress, SeparatedFile
    from stemdock.batch.events import BatchEvent, SongPlan, UpToDate


@dataclass
class FunctionWork:
    """Separates with one function, and claims with another."""

    separate: Callable[[SongPlan, Callable[[Progress], None]], SeparatedFile | UpToDate]
    claim_song: Callable[[SongPlan], AbstractContextManager[None] | None]

    def finished(self, _: SongPlan) -> UpToDate | None:
        return None

    def claim(self, plan: SongPlan) -> AbstractContextManager[None] | None:
        return self.claim_song(plan)

    def __call__(self, plan: SongPlan, on_progress: Callable[[Progress], None]) -> SeparatedFile | UpToDate:
        return self.separate(plan, on_progress)


def run_here(
    plans: Sequence[SongPlan],
    separate: Callable[..., SeparatedFile | UpToDate],
    *,
    claim: Callable[[SongPlan], AbstractContextManager[None] | None] = lambda _: nullcontext(),
    n_at_once: int = 1,
    cancel: Event,
) -> Iterator[BatchEvent]:
    return run_batch(plans, ThreadPool(FunctionWork(separate, claim), n_songs=n_at_once, cancel=cancel))
