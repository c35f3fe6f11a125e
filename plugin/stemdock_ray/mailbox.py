"""The two ends of messages inside an actor: Ray's calls on one side, the songs on the other."""

from __future__ import annotations

import pickle
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from stemdock import serve_songs

Ending = str
"""How a worker has ended, for people; empty if it was told to end."""


class Mailbox:
    """Separates songs in a thread; the class of the actor.

    Songs and messages are pickled here, so that an error that cannot be pickled is noticed where it arises.
    """

    def __init__(self, recipe: bytes, n_songs: int) -> None:
        """Loads the model in the background.

        Args:
            recipe: Of `serve_songs`, pickled.
            n_songs: The same.
        """
        self._inbox: SimpleQueue[bytes] = SimpleQueue()
        self._outbox: SimpleQueue[bytes | Ending] = SimpleQueue()
        Thread(target=self._serve, args=(recipe, n_songs), name="stemdock-mailbox", daemon=True).start()

    def put(self, plan: bytes) -> None:
        """Takes a song, pickled; None tells it to give up its songs and to end."""
        self._inbox.put(plan)

    def take(self) -> list[bytes | Ending]:
        """Waits for messages; the last of all is a text that says how it ended."""
        messages = [self._outbox.get()]
        try:
            while True:
                messages.append(self._outbox.get_nowait())
        except Empty:
            return messages

    def recv(self) -> Any:
        """The next song, for `serve_songs`."""
        return pickle.loads(self._inbox.get())  # noqa: S301  from the process that started this one

    def send(self, message: Any) -> None:
        """A message, from `serve_songs`."""
        self._outbox.put(pickle.dumps(message))

    def _serve(self, recipe: bytes, n_songs: int) -> None:
        ending = ""
        try:
            serve_songs(self, pickle.loads(recipe), n_songs)  # noqa: S301  as above
        except BaseException as error:  # noqa: BLE001  a thread of an actor would lose it
            ending = f"with {type(error).__name__}: {error}"
        self._outbox.put(ending)
