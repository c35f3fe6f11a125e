"""Reading that may hang, such as on a network drive that is gone, and can be left behind.

No code can stop a thread that waits for the system. So a thread of its own reads, and the caller stops
waiting for it. Programs that the thread started are killed, which frees the thread, too.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread, local
from typing import TYPE_CHECKING, Any, Final, TypeVar

from stemdock.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    Call = Callable[[Callable[[], Any]], Any]
    _Answer = tuple[Any, BaseException | None]

_T = TypeVar("_T")
_CHECK: Final = 0.1
"""Seconds between two looks at the event."""
_PATIENCE: Final = 0.2
"""Seconds for an abandoned thread to close its files, before nobody waits for that any more."""
_CURRENT: Final = local()
"""`worker` is the `_Worker` whose thread this is."""


@contextmanager
def abandonable(manager: AbstractContextManager[_T], cancel: Event | None) -> Iterator[tuple[_T, Call]]:
    """Enters and leaves a context manager in a thread that can be left behind.

    Args:
        manager: Opens something.
        cancel: Set it from another thread to leave the thread behind; if None, there is no other thread.

    Yields:
        The value of the manager, and a function that calls another function in the same thread.

    Raises:
        CancelledError: `cancel` was set before the manager was entered. Calls raise it, too.
    """
    if cancel is None:
        with manager as value:
            yield value, lambda function: function()
        return
    worker = _Worker(cancel)
    try:
        yield worker.call(manager.__enter__), worker.call
    except BaseException:
        worker.end(lambda: manager.__exit__(None, None, None), is_failed=True)
        raise
    else:
        worker.end(lambda: manager.__exit__(None, None, None), is_failed=False)


@contextmanager
def ended_when_abandoned(end: Callable[[], object]) -> Iterator[None]:
    """Calls `end`, from another thread, if the current thread is left behind before the context ends."""
    worker: _Worker | None = getattr(_CURRENT, "worker", None)
    if worker is None:
        yield
        return
    worker.add(end)
    try:
        yield
    finally:
        worker.discard(end)


class _Worker:
    """A thread that makes one call after another."""

    def __init__(self, cancel: Event) -> None:
        self._cancel = cancel
        self._calls: SimpleQueue[tuple[Callable[[], Any], SimpleQueue[_Answer]] | None] = SimpleQueue()
        self._lock = Lock()
        self._ends: list[Callable[[], object]] = []
        self._is_abandoned = False
        Thread(target=self._run, name="stemdock-reader", daemon=True).start()

    def call(self, function: Callable[[], _T]) -> _T:
        """Calls a function in the thread; raises what it raises, or `CancelledError`."""
        result: _T = self._answer(self._ask(function))
        return result

    def end(self, function: Callable[[], object], *, is_failed: bool) -> None:
        """Makes the last call. Waits for it, but not long if reading failed or is cancelled."""
        answers = self._ask(function)
        self._calls.put(None)
        if not is_failed:
            try:
                self._answer(answers)
            except CancelledError:
                pass
            else:
                return
        self._abandon()
        with suppress(Empty):
            answers.get(timeout=_PATIENCE)

    def add(self, end: Callable[[], object]) -> None:
        """Adds a function that frees the thread."""
        with self._lock:
            self._ends.append(end)
            is_late = self._is_abandoned
        if is_late:
            end()

    def discard(self, end: Callable[[], object]) -> None:
        """Removes it."""
        with self._lock:
            self._ends.remove(end)

    def _abandon(self) -> None:
        with self._lock:
            self._is_abandoned = True
            ends = [*self._ends]
        for end in ends:
            end()

    def _ask(self, function: Callable[[], Any]) -> SimpleQueue[_Answer]:
        answers: SimpleQueue[_Answer] = SimpleQueue()
        self._calls.put((function, answers))
        return answers

    def _answer(self, answers: SimpleQueue[_Answer]) -> Any:
        while not self._cancel.is_set():
            try:
                result, error = answers.get(timeout=_CHECK)
            except Empty:
                continue
            if error is not None:
                raise error
            return result
        raise CancelledError

    def _run(self) -> None:
        _CURRENT.worker = self
        while call := self._calls.get():
            function, answers = call
            try:
                answers.put((function(), None))
            except BaseException as error:  # noqa: BLE001  raised by the caller
                answers.put((None, error))
