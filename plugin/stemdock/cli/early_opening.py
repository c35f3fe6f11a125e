"""Opens a model while the command still imports its own modules and looks for the songs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

from stemdock.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from stemdock.inference.opening import OpenModel


class EarlyOpening:
    """A model that is opened in the background, as far as that is quick.

    Imports keep Python busy, while hashing and loading a model keep the disk and C++ code busy. What takes
    seconds waits until the model is certain to be needed, so a command that ends with an error ends at once.
    """

    def __init__(self, load: Callable[[Callable[[], object]], OpenModel]) -> None:
        """Starts.

        Args:
            load: Opens the model. It gets `confirm`, as of `open_model`.

        Raises:
            RuntimeError: The system allows no further thread.
        """
        self._is_decided = Event()
        self._is_needed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stemdock-opening")
        self._opened = self._thread.submit(load, self._confirm)

    def result(self) -> OpenModel:
        """Waits for the model; raises the errors of opening it."""
        self._is_needed = True
        self._is_decided.set()
        return self._opened.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_decided.set()
        self._thread.shutdown()

    def _confirm(self) -> None:
        self._is_decided.wait()
        if not self._is_needed:
            raise CancelledError
