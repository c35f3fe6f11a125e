"""Looking at many songs before the first is separated: stopped at once, and not in silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from stemdock.errors import CancelledError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from threading import Event

_Item = TypeVar("_Item")
_FIRST: Final = 2.0
"""Seconds before something is told for the first time."""
_LATER: Final = 30.0
"""Seconds between what is told."""


@dataclass
class Looking:
    """Tells somebody how far a look at many songs is."""

    tell: Callable[[int, int | None], None] = lambda _, __: None
    """Takes the number of songs that were looked at, and that of all, if it is known."""
    cancel: Event | None = None
    """Set it to stop."""
    now: Callable[[], float] = monotonic
    _next: float = field(init=False)

    def __post_init__(self) -> None:
        """Starts the clock."""
        self._next = self.now() + _FIRST

    def each(self, items: Iterable[_Item], n_items: int | None = None) -> Iterator[_Item]:
        """Passes items on.

        Raises:
            CancelledError: `cancel` was set.
        """
        for number, item in enumerate(items):
            if self.cancel is not None and self.cancel.is_set():
                raise CancelledError
            if self.now() >= self._next:
                self._next = self.now() + _LATER
                self.tell(number, n_items)
            yield item
