"""What a run does with each result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from stemdock.cli.terminal import echo_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from stemdock.batch.events import Done


class Delivery(Protocol):
    """Takes the results of a run."""

    @property
    def exit_status(self) -> int:
        """The exit status if nobody wants further results; else 0."""
        ...

    def receiver(self, cancel: Event) -> Callable[[str, bytes], None] | None:
        """A function that takes the next bytes of a file that grows; None if files are taken as a whole.

        Args:
            cancel: Set when the run is interrupted.
        """
        ...

    def told(self, done: Done) -> Done:
        """The result as people and programs are told of it."""
        ...

    def deliver(self, done: Done, cancel: Event) -> None:
        """Takes the result of a song.

        Args:
            done: The result.
            cancel: Set when the run is interrupted.

        Raises:
            OutputError: Standard output cannot be written.
        """
        ...


class PrintedPaths:
    """Prints the path or the address of each file.

    Attributes:
        exit_status: 0.
    """

    exit_status: Final = 0

    def receiver(self, cancel: Event) -> None:
        """None: paths are printed when the files are complete."""

    def told(self, done: Done) -> Done:
        """The result itself."""
        return done

    def deliver(self, done: Done, cancel: Event) -> None:  # noqa: ARG002  prints at once
        """Prints the places of a song's files."""
        for place in done.plan.targets.values():
            echo_path(str(place))


class Unmentioned:
    """Says nothing about files that are removed, such as those of an estimate.

    Attributes:
        exit_status: 0.
    """

    exit_status: Final = 0

    def receiver(self, cancel: Event) -> None:
        """None: nobody wants the files."""

    def told(self, done: Done) -> Done:
        """The result itself."""
        return done

    def deliver(self, done: Done, cancel: Event) -> None:
        """Does nothing."""
