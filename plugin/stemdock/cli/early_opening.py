"""Opens a model while the command still imports its own modules and looks for the songs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from stemdock.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from stemdock.inference.opening import OpenModel

_NAME: Final = "stemdock-opening"
_SIGNAL_CHECK: Final = 0.1
"""Seconds: on Windows, a signal does not end a wait."""


class EarlyOpening:
    """A model that is opened in the background, as far as that is quick.

    Imports keep Python busy, while hashing and loading a model keep the disk and C++ code busy. What takes
    seconds waits until the model is certain to be needed. A command that ends before does not wait for it.
    """

    def __init__(self, load: Callable[[Callable[[], object]], OpenModel]) -> None:
        """Starts.

        Args:
            load: Opens the model. It gets `confirm`, as of `open_model`.

        Raises:
            RuntimeError: The system allows no further thread.
        """
        self._load = load
        self._is_decided = threading.Event()
        self._is_needed = False
        self._is_over = threading.Event()
        self._opened: OpenModel | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name=_NAME, daemon=True).start()

    def result(self) -> OpenModel:
        """Waits for the model; raises the errors of opening it."""
        self._is_needed = True
        self._is_decided.set()
        while not self._is_over.wait(_SIGNAL_CHECK):
            pass
        if self._opened is None:
            raise self._error or CancelledError
        return self._opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_decided.set()

    def _run(self) -> None:
        try:
            self._opened = self._load(self._confirm)
        except BaseException as error:  # noqa: BLE001  for whoever waits
            self._error = error
        self._is_over.set()

    def _confirm(self) -> None:
        self._is_decided.wait()
        if not self._is_needed:
            raise CancelledError


def is_opening() -> bool:
    """Whether a model is still being opened for a command that has ended."""
    return any(thread.name == _NAME for thread in threading.enumerate())
