"""Claims: what keeps two processes, perhaps on two machines, from separating the same song at the same time.

A process that dies cannot give its claims back. So every holder changes its files again and again, and who
has watched a file for a while without a change takes over. Only the watcher's own clock counts, and only
the time during which it looked often: clocks of machines differ, and machines sleep. On the same machine, the
death of a process is known at once.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final

from stemdock.batch.claim_files import ClaimFile, Holder, holder_of
from stemdock.files.staging import remove_empty
from stemdock.lib.durable import make_folder
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

BEAT: Final = 5.0
"""Seconds between two changes of a claim."""
PATIENCE: Final = 60.0
"""Seconds of watching without a change, after which a holder counts as dead."""
_LONGEST_GAP: Final = PATIENCE / 10
"""At most so many seconds between two looks count as watched."""
_N_ATTEMPTS: Final = 20
"""Times that other processes may remove the empty folder before the claim is in it."""


class ClaimLostError(Exception):
    """Another process took this one for dead, for example because it was stopped, and has taken over."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """What a process has seen of another's claim."""

    token: str
    content: bytes
    watched: float
    """Seconds."""
    last: float
    """Time of the last look."""


class Claims:
    """This process's claims on the songs of an output folder; safe to use from several threads."""

    def __init__(self, folder: Path, *, now: Callable[[], float] = monotonic) -> None:
        """Claims nothing yet.

        Args:
            folder: The manifest's folder. It is created for the first claim, and removed if it is empty at
                the end.
            now: A clock in seconds.
        """
        self._folder = folder
        self._now = now
        self._lock = Lock()
        self._held: dict[str, ClaimFile] = {}
        self._watches: dict[str, _Watch] = {}
        self._made: list[Path] = []
        self._is_beating = False

    def claim(self, name: str) -> AbstractContextManager[None] | None:
        """Claims a song until the context ends; None if another process holds it.

        Where no claim can be made, for example in a folder that may not be written to, the song is claimed by
        nobody: its stems cannot be written either, and their error says more.

        Args:
            name: The name of its entry in the manifest.
        """
        try:
            file = self._acquired(self._folder / f"{name}.claim", name)
        except FileExistsError:
            return None  # another process was faster
        except OSError:
            return self._holding(name, None)
        return self._holding(name, file) if file else None

    def check(self, name: str) -> None:
        """Checks that this process still holds a song that it has claimed.

        Raises:
            ClaimLostError: Another process has taken over.
        """
        with self._lock:
            file = self._held.get(name)
        with suppress(OSError):
            if file and not file.holds():
                raise ClaimLostError

    def _acquired(self, path: Path, name: str) -> ClaimFile | None:
        for _ in range(_N_ATTEMPTS):
            holder = holder_of(path) if is_real_folder(self._folder) else None
            if holder and not self._is_dead(name, holder):
                return None
            try:
                file = ClaimFile(path, holder)
            except FileNotFoundError:
                self._make_folder()
                continue
            if file.holds():
                self._watches.pop(name, None)
                return file
            file.release()
            return None
        raise FileNotFoundError(path)

    def _make_folder(self) -> None:
        missing = [path for path in (self._folder, *self._folder.parents) if not os.path.lexists(path)]
        with self._lock:
            self._made = list(dict.fromkeys([*missing, *self._made]))
        make_folder(self._folder)

    def _is_dead(self, name: str, holder: Holder) -> bool:
        now = self._now()
        with self._lock:
            watch = self._watches.get(name)
            if watch and (watch.token, watch.content) == (holder.token, holder.content):
                watched = watch.watched + min(now - watch.last, _LONGEST_GAP)
            else:
                watched = 0.0
            self._watches[name] = _Watch(holder.token, holder.content, watched, now)
        return holder.is_gone or watched >= PATIENCE

    @contextmanager
    def _holding(self, name: str, file: ClaimFile | None) -> Iterator[None]:
        if file:
            with self._lock:
                self._held[name] = file
                if not self._is_beating:
                    self._is_beating = True
                    Thread(target=self._beat, name="stemdock-claims", daemon=True).start()
        try:
            yield
        finally:
            if file:
                with self._lock:
                    del self._held[name]
                    file.release()
                    remove_empty(self._made)

    def _beat(self) -> None:
        while True:
            sleep(BEAT)
            with self._lock:
                self._is_beating = bool(self._held)
                if not self._is_beating:
                    return
                for file in self._held.values():
                    with suppress(OSError):  # the next beat, or else another process takes over
                        file.beat()
