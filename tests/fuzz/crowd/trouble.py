"""What disturbs the runs, at moments that a seed decides."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from fuzz.crowd.runs import Run

_LONGEST_WAIT: Final = 0.3
"""Seconds between two kills."""
_SHARE: Final = 0.1
"""Of requests that go wrong."""
STATUSES: Final = {"refusing": 403, "overloaded": 503, "full": 507}
"""Answers of a store with this fault."""
KINDS: Final = ("workers", "drivers", "poison", "slow", *STATUSES)


@dataclass
class Kills:
    """Kills processes of runs until it has had enough."""

    rng: Random
    of_drivers: bool
    n_left: int
    n_done: int = 0
    _next: float = field(default_factory=time.monotonic)

    def look(self, runs: list[Run]) -> None:
        """Kills a process if it is time."""
        if not self.n_left or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.rng.uniform(0, _LONGEST_WAIT)
        run = self.rng.choice(runs)
        victims = [run.process.pid] if self.of_drivers else run.workers()
        if victims and run.has_begun() and run.process.poll() is None:
            with suppress(psutil.Error):
                psutil.Process(self.rng.choice(victims)).kill()
                self.n_left -= 1
                self.n_done += 1


def faults_of(kind: str, rng: Random) -> Callable[[str, str], int | None]:
    """Answers for some requests to a store that is at fault.

    Args:
        kind: One of `STATUSES`.
        rng: Chooses the requests.
    """

    def fault(method: str, _: str) -> int | None:
        is_hit = rng.random() < _SHARE and (kind != "full" or method in {"PUT", "POST"})
        return STATUSES[kind] if is_hit else None

    return fault
