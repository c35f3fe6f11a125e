"""Workers that are processes on this machine: starting them, and hearing of their ends."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Self

from stemdock.batch.worker import serve
from stemdock.errors import ThreadShortageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock.batch.events import SongPlan
    from stemdock.batch.working import Recipe


class Processes:
    """Starts processes on this machine; see `stemdock.entries.Workforce`."""

    def __enter__(self) -> Self:
        """Nothing to get ready."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing is left when all workers have ended."""

    def start(self, recipe: Recipe, n_songs: int) -> WorkerProcess:
        """Starts a process.

        Raises:
            ThreadShortageError: The system allows no further processes.
        """
        return WorkerProcess(recipe, n_songs)

    def receive(self, workers: Sequence[Any], timeout: float | None) -> Iterator[tuple[WorkerProcess, Any]]:
        """A message of each process that has one."""
        by_connection = {worker.connection: worker for worker in workers}
        for connection in wait(list(by_connection), timeout):
            worker: WorkerProcess = by_connection[connection]
            try:
                yield worker, worker.connection.recv()
            except (EOFError, OSError):
                yield worker, None


class WorkerProcess:
    """A process with a model, as the one that started it sees it.

    Attributes:
        connection: Gives `Ready` and the events of songs.
    """

    def __init__(self, recipe: Recipe, n_songs: int) -> None:
        """Starts it.

        Args:
            recipe: How it separates.
            n_songs: Number of songs that it separates at the same time.

        Raises:
            ThreadShortageError: The system allows no further processes.
        """
        # A fork would copy locks that threads hold.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, recipe, n_songs), daemon=True)
        try:
            with _signals_later():
                self._process.start()
        except OSError as error:
            self.connection.close()
            raise ThreadShortageError("workers") from error
        finally:
            theirs.close()

    def send(self, plan: SongPlan | None) -> None:
        """Gives it a song; None tells it to give up its songs and to end."""
        with suppress(OSError):  # it has died; reading from it will tell
            self.connection.send(plan)

    def end(self) -> str:
        """Waits for the end; returns how it ended, for people."""
        self._process.join()
        status = self._process.exitcode or 0
        self.connection.close()
        self._process.close()
        return f"by signal {-status}" if status < 0 else f"with status {status}"


@contextmanager
def _signals_later() -> Iterator[None]:
    """Holds signals back, in processes that are started meanwhile, too, until they ask for them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
