"""Starting a worker's process, and hearing of its end."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from typing import TYPE_CHECKING

from stemdock.batch.worker import serve
from stemdock.errors import ThreadShortageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock.batch.events import SongPlan
    from stemdock.batch.working import Recipe
    from stemdock.errors import StemdockError


class WorkerProcess:
    """A process with a model, as the one that started it sees it.

    Attributes:
        connection: Gives `Ready` and the events of songs.
        recipe: How it separates.
        plans: The songs that it has, by number.
        is_ready: Whether it has loaded its model.
        n_stillborn: Processes before it in its place that died one after another before they had.
        fault: Why it cannot load its model, if it could say so.
    """

    def __init__(self, recipe: Recipe, n_songs: int, n_stillborn: int = 0) -> None:
        """Starts it.

        Args:
            recipe: How it separates.
            n_songs: Number of songs that it separates at the same time.
            n_stillborn: See above.

        Raises:
            ThreadShortageError: The system allows no further processes.
        """
        self.recipe = recipe
        self.n_stillborn = n_stillborn
        self.plans: dict[int, SongPlan] = {}
        self.is_ready = False
        self.fault: StemdockError | None = None
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
