"""What a run does with each result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from stemdock.cli.terminal import echo_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from stemdock.types import SeparatedFile


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

    def deliver(self, separated: SeparatedFile, cancel: Event) -> None:
        """Takes the result of a song.

        Args:
            separated: The result.
            cancel: Set when the run is interrupted.

        Raises:
            OutputError: Standard output cannot be written.
        """
        ...


class PrintedPaths:
    """Prints the path of each file.

    Attributes:
        exit_status: 0.
    """

    exit_status: Final = 0

    def receiver(self, cancel: Event) -> None:
        """None: paths are printed when the files are complete."""

    def deliver(self, separated: SeparatedFile, cancel: Event) -> None:  # noqa: ARG002  prints at once
        """Prints the paths of a song's files."""
        for path in separated.files.values():
            echo_path(path)
