"""Writes blocks to several files in threads, while the caller makes the next blocks.

Each file takes its blocks in order, one at a time, and does not wait for the other files.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from stemdock.types import FloatArray

_MOST_WAITING: Final = 1
"""Blocks that wait for a file, besides the one that is being written: a block may have 4 MB for each stem."""


@contextmanager
def side_writing(
    names: Iterable[str], write: Callable[[str, FloatArray], object], n_threads: int
) -> Iterator[Callable[[FloatArray], None]]:
    """Leaving the context waits until all blocks are written, or after an error for the threads to stop.

    Args:
        names: Of the files.
        write: Writes a block to the file of a name; called in threads.
        n_threads: Files that are written at the same time.

    Yields:
        A function that hands a block over to every file. It waits while a file is two blocks behind, and
        raises the first error of a thread; so does leaving the context.
    """
    with ThreadPoolExecutor(n_threads, thread_name_prefix="stemdock-encoder") as pool:
        writing = _SideWriting(names, write, pool)
        try:
            yield writing.hand_over
            writing.finish()
        finally:
            writing.stop()


class _SideWriting:
    def __init__(
        self, names: Iterable[str], write: Callable[[str, FloatArray], object], pool: ThreadPoolExecutor
    ) -> None:
        self._write = write
        self._pool = pool
        self._changed = Condition()
        """Guards all that follows."""
        self._waiting: dict[str, deque[FloatArray]] = {name: deque() for name in names}
        self._busy: set[str] = set()
        """Files that a thread writes, or will write as soon as one is free."""
        self._error: BaseException | None = None

    def hand_over(self, block: FloatArray) -> None:
        for name, waiting in self._waiting.items():
            with self._changed:
                while not self._error and len(waiting) >= _MOST_WAITING:
                    self._changed.wait()
                self._raise()
                waiting.append(block)
                if name not in self._busy:
                    self._busy.add(name)
                    self._pool.submit(self._write_next, name)

    def finish(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._error or not self._busy)
            self._raise()

    def stop(self) -> None:
        with self._changed:
            for waiting in self._waiting.values():
                waiting.clear()
            self._changed.wait_for(lambda: not self._busy)

    def _write_next(self, name: str) -> None:
        """Writes one block, and lets other files have the thread before the next one."""
        try:
            with self._changed:
                block = self._waiting[name].popleft() if self._waiting[name] else None
                self._changed.notify_all()
            if block is not None:
                self._write(name, block)
        except BaseException as error:  # noqa: BLE001  raised in the caller's thread
            with self._changed:
                self._error = self._error or error
                self._waiting[name].clear()
        with self._changed:
            if self._waiting[name]:
                self._pool.submit(self._write_next, name)
            else:
                self._busy.discard(name)
            self._changed.notify_all()

    def _raise(self) -> None:
        if self._error:
            raise self._error
