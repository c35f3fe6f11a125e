"""Claims: what keeps two processes, perhaps on two machines, from separating the same song at the same time.

A process that dies cannot give its claims back. So every holder changes its files again and again, and who
has watched a file for a while without a change takes over. Only the watcher's own clock counts, and only
the time during which it looked often: clocks of machines differ, and machines sleep. On the same machine, the
death of a process is known at once.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Condition, Lock, Thread
from time import monotonic, sleep, time
from typing import TYPE_CHECKING, Final

from stemdock.batch.claim_files import ClaimFile, Holder, holder_of
from stemdock.errors import OutputError, StemdockError
from stemdock.files.staging import remove_empty
from stemdock.lib.durable import make_folder
from stemdock.lib.os_errors import reason_for, write_remedy
from stemdock.lib.regular_files import is_real_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from stemdock.lib.locations import Place

BEAT: Final = 5.0
"""Seconds between two changes of a claim."""
PATIENCE: Final = 60.0
"""Seconds of watching without a change, after which a holder counts as dead."""
_LONGEST_GAP: Final = PATIENCE / 10
"""At most so many seconds between two looks count as watched."""
_N_ATTEMPTS: Final = 20
"""Times that other processes may remove the empty folder before the claim is in it."""
_N_FAILURES: Final = 20
"""Looks at a song, one after another, that may fail because its claim cannot be read or made just now."""
_NEVER: Final = frozenset(
    getattr(errno, name)
    for name in (
        *("EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR", "EISDIR", "ELOOP", "EINVAL", "ENAMETOOLONG"),
        *("EFBIG", "ENOSYS", "EOPNOTSUPP"),
    )
    if hasattr(errno, name)
)
"""Errors that say that no process can make a claim here. All others may pass: of a drive that is being
connected again, of a process with too many open files."""
_FULL: Final = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
N_TRIES: Final = 3
"""Processes that may die one after another while they separate a song, before it is set aside."""
_MEMORY: Final = 3600.0
"""Seconds for which a song is set aside. A run that starts again by itself goes on without it meanwhile."""


class ClaimLostError(Exception):
    """Another process took this one for dead, for example because it was stopped, and has taken over."""


class SetAsideError(StemdockError):
    """A song is not tried again: each process that tried it ended without giving it back.

    Attributes:
        path: The song.
        n_processes: How many they were.
    """

    def __init__(self, path: Place, n_processes: int, claims: str) -> None:
        super().__init__(
            f"{path}: set aside, because {n_processes} processes ended while they separated it",
            remedy="If memory was short, use fewer --workers. Otherwise, the file may crash a decoder. "
            f"It is tried again after an hour, or when you remove {claims}.",
        )
        self.path = path
        self.n_processes = n_processes


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
        self._n_failures: Counter[str] = Counter()
        self._set_aside: set[str] = set()
        self._turns = Condition()
        self._n_taken = 0
        self._is_alone = False
        """Whether a song that perhaps killed a process waits to be alone in this one, or is."""
        self._made: list[Path] = []
        self._is_beating = False

    def claim(self, name: str) -> AbstractContextManager[None] | None:
        """Claims a song until the context ends; None if another process holds it.

        Where no process can make a claim, for example in a folder that may not be written to, the song is
        claimed by nobody: its stems cannot be written either, and their error says more. An error that may
        pass says nothing about others: the song counts as held, so that it is looked at again.

        A song that a process held when it died is alone in this one, so that no other song is taken for the
        one that killed it: the call waits for the songs in progress, and the next ones wait for it.

        Args:
            name: The name of its entry in the manifest.

        Raises:
            OutputError: The disk is full, or looking failed many times.
        """
        try:
            file = self._in_turn(name)
        except FileExistsError:
            return None  # another process was faster
        except OSError as error:
            if error.errno in _NEVER:
                return self._holding(name, None)
            self._failed(name, error)
            return None
        self._n_failures.pop(name, None)
        return self._holding(name, file) if file else None

    def _in_turn(self, name: str) -> ClaimFile | None:
        path = self._folder / f"{name}.claim"
        with self._turns:
            self._turns.wait_for(lambda: not self._is_alone)
            file = self._acquired(path, name)
            if file and file.dead and self._n_taken:
                # Given back meanwhile: if a song in progress ends the process, this one is innocent.
                file.release(keep_dead=True)
                self._is_alone, file = True, None
                try:
                    self._turns.wait_for(lambda: not self._n_taken)
                    file = self._acquired(path, name)
                finally:
                    self._is_alone = False
                    self._turns.notify_all()
            if file:
                self._watches.pop(name, None)
                self._n_taken += 1
                self._is_alone = bool(file.dead)
            return file

    def _end_turn(self, file: ClaimFile) -> None:
        with self._turns:
            self._n_taken -= 1
            if file.dead:
                self._is_alone = False
            self._turns.notify_all()

    def is_known(self, name: str) -> bool:
        """Whether there is a claim on a song, perhaps of a process that has died."""
        return os.path.lexists(self._folder / f"{name}.claim")

    def check_deaths(self, name: str, path: Place) -> None:
        """Checks that a song that this process has claimed did not kill the last processes that held it.

        Args:
            name: As of `claim`.
            path: The song, for the error.

        Raises:
            SetAsideError: It killed several, the last within an hour. The claim then leaves the next one a
                word of this.
        """
        with self._lock:
            dead = list(self._held[name].dead.values()) if name in self._held else []
            if len(dead) < N_TRIES:
                return
            with suppress(OSError):
                if time() - dead[-1].lstat().st_mtime > _MEMORY:
                    return
            self._set_aside.add(name)
        raise SetAsideError(path, len(dead), str(self._folder / f"{name}*.claim"))

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
            holds = False
            try:
                holds = file.holds()
            finally:
                if not holds:
                    file.release()
            return file if holds else None
        raise OSError("other processes remove its folder again and again")

    def _failed(self, name: str, error: OSError) -> None:
        self._n_failures[name] += 1
        if error.errno in _FULL or self._n_failures[name] >= _N_FAILURES:
            self._n_failures.pop(name, None)
            reason = reason_for(error)
            raise OutputError(
                self._folder,
                f"songs cannot be claimed in it ({reason})",
                remedy=write_remedy(reason, "Check the drive, and start again."),
            ) from error

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
                    file.release(keep_dead=name in self._set_aside)
                    self._set_aside.discard(name)
                    remove_empty(self._made)
                self._end_turn(file)

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
