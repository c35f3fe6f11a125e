"""Engines for batches: what a plug-in describes that starts workers in its own way or on other machines.

Which worker gets which song, and what happens if one is lost, is decided in `stemdock.batch.worker_pool`,
for every engine. An engine only starts workers and passes messages. On the other side,
`stemdock.serve_songs` does the work.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Worker(Protocol):
    """A process with a model, as the one that started it sees it."""

    def send(self, plan: Any) -> None:
        """Gives it a song; None tells it to give up its songs and to end. Does nothing if it has ended."""

    def end(self) -> str:
        """Releases what is left of one that has ended; returns how it ended, for people."""


class Workforce(Protocol):
    """Starts workers, and hears from them. Used by one thread, and entered as a context once."""

    def __enter__(self) -> Self:
        """Gets ready to start workers.

        Raises:
            StemdockError: It cannot.
        """

    def __exit__(self, *exception: object) -> None:
        """Ends all that is left."""

    def start(self, recipe: Any, n_songs: int) -> Worker:
        """Starts a worker, and does not wait for it.

        Args:
            recipe: For `stemdock.serve_songs`. Can be pickled.
            n_songs: The same.

        Raises:
            StemdockError: No further worker is possible.
        """

    def receive(self, workers: Sequence[Worker], timeout: float | None) -> Iterable[tuple[Worker, Any]]:
        """Messages of workers; None in place of a message if a worker has ended.

        Args:
            workers: Those that have not ended.
            timeout: Seconds to wait for the first message; None to wait until there is one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerNeeds:
    """What the workers of a batch need."""

    n_workers: int
    """At most so many at the same time."""
    n_cores: float
    """Cores of each, perhaps a fraction."""
    n_gpus: float = 0
    """Graphics processors of each, perhaps a fraction."""
    address: str | None = None
    """Of the machines, as the engine names them; None for this machine alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEngine:
    """A way to start workers for batches."""

    name: str
    """What people type after --engine."""
    summary: str
    """One line for people."""
    open: Callable[[WorkerNeeds], Workforce]
    """Starts nothing yet. Raises StemdockError if the engine is not installed or cannot meet the needs."""
