"""A process that separates songs for another one.

It takes songs from a connection and sends their events. It ends when it is told to, and when the other
process ends in whatever way: the connection then closes.
"""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Lock, Thread
from time import sleep
from typing import TYPE_CHECKING, Any, Final, Protocol

from stemdock.batch.events import Failed
from stemdock.batch.working import run_song
from stemdock.errors import StemdockError
from stemdock.inference.shortages import shortage_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from stemdock.batch.working import Recipe

_PATIENCE: Final = 10.0
"""Seconds that an orphan has for giving up its songs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A worker has loaded its model, or cannot load it."""

    error: StemdockError | None


class Link(Protocol):
    """The worker's end of the connection to the process that gives it songs."""

    def recv(self) -> Any:
        """Waits for the next song; None at the end. Raises EOFError or OSError if no one is there."""

    def send(self, message: Any) -> None:
        """Sends a message. Raises OSError if no one is there, and other errors if it cannot be pickled."""


def serve(connection: Connection, recipe: Recipe, n_songs: int) -> None:
    """Separates songs until the connection gives None or ends: the work of a process on the same machine.

    Args:
        connection: As of `serve_songs`.
        recipe: As of `serve_songs`.
        n_songs: As of `serve_songs`.
    """
    _leave_signals_to_the_other()
    orphaned = Thread(target=_end_as_an_orphan, args=[connection], daemon=True)
    serve_songs(connection, recipe, n_songs, on_stop=orphaned.start)


def serve_songs(
    connection: Link, recipe: Recipe, n_songs: int, *, on_stop: Callable[[], None] | None = None
) -> None:
    """Separates songs until the connection gives None or ends: the work of a worker of any engine.

    Args:
        connection: Gives plans of songs, and takes `Ready` and then the events.
        recipe: How to separate them.
        n_songs: Number of songs to separate at the same time.
        on_stop: Called when the songs in progress are given up.
    """
    lock = Lock()

    def tell(message: Any) -> None:
        with lock, suppress(OSError):  # there is no one to tell any more
            try:
                connection.send(message)
            except OSError:
                raise
            except Exception:
                if not isinstance(message, Failed):
                    raise
                # The error of somebody's plug-in cannot be pickled.
                plain = StemdockError(str(message.error), remedy=message.error.remedy)
                connection.send(replace(message, error=plain))

    cancel = Event()
    try:
        work = recipe.open(cancel)
    except Exception as error:
        failure = error if isinstance(error, StemdockError) else shortage_of(error, "worker")
        if failure is None:
            raise
        tell(Ready(error=failure))
        return
    tell(Ready(error=None))
    with ThreadPoolExecutor(n_songs, thread_name_prefix="stemdock-song") as threads:
        with suppress(EOFError, OSError):
            while plan := connection.recv():
                threads.submit(run_song, plan, work, cancel, tell)
        cancel.set()
        if on_stop:
            on_stop()


def _end_as_an_orphan(connection: Connection) -> None:
    """Ends this process soon after the other one: if a network drive is gone, its songs would never end."""
    with suppress(EOFError, OSError):
        while True:
            connection.recv()
    sleep(_PATIENCE)
    os._exit(1)


def _leave_signals_to_the_other() -> None:
    """Ignores the signals that a terminal or a system sends to all processes: the other says what to do."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
