"""Writing a result to standard output: as it grows if its format allows that, else complete or not at all."""

from __future__ import annotations

import errno
import select
import signal
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.cli.streams import OutputStream
from stemdock.errors import CancelledError, OutputError, OutputOptionError
from stemdock.files.staging import temporary_folder
from stemdock.lib.os_errors import reason_for
from stemdock.output.naming import Destination

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from threading import Event

    from stemdock.batch.events import Done
    from stemdock.lib.locations import Place
    from stemdock.output.options import Output

STANDARD_OUTPUT: Final = "-"
EXIT_READER_LEFT: Final = 128 + getattr(signal, "SIGPIPE", 13)
"""What shells report for a program whose reader has closed the pipe: 141."""
_PIECE: Final = getattr(select, "PIPE_BUF", 4096)
"""Bytes that a pipe takes without waiting once `select` reports that it takes any."""
_CHECK: Final = 0.1
"""Seconds between two looks at whether the run was interrupted, while the reader does not read."""


@contextmanager
def temporary_destination(template: str) -> Iterator[Destination]:
    """A temporary folder for the result.

    Args:
        template: Names the file in it.

    Raises:
        OutputOptionError: Standard output is a terminal.
    """
    if sys.stdout.isatty():
        raise OutputOptionError(
            "output",
            "audio cannot be written to a terminal",
            remedy="Redirect standard output, or choose an output folder.",
        )
    with temporary_folder() as folder:
        yield Destination(folder=folder, template=template)


def check_single(n_songs: int, names: Sequence[str], output: Output) -> None:
    """Checks that there is only one file to write to standard output.

    Args:
        n_songs: Songs of the run.
        names: The files of each of them.
        output: What is written.

    Raises:
        OutputOptionError: There is more than one song, stem or mix.
    """
    if n_songs == len(names) == 1:
        return
    remedies = ["Name one song"] if n_songs != 1 else []
    if len(names) != 1:
        remedies.append(_remedy(output))
    remedy = ", and ".join(remedies)
    raise OutputOptionError(
        "output",
        f"standard output can hold one file, but this run writes {n_songs * len(names)}",
        remedy=f"{remedy[0].upper()}{remedy[1:]}.",
    )


def _remedy(output: Output) -> str:
    """How to get one file for each song."""
    if output.format:
        return "use --as zip, which holds all files of a song"
    if output.mixes and output.stems != ():
        return "leave the stems out with --stems none"
    return "choose one stem with --stems, or write all of them with --as zip"


class StandardOutput:
    """Takes the only file of a run.

    Attributes:
        exit_status: `EXIT_READER_LEFT` if the reader has closed the pipe, such as a player that was closed:
            it needs no message. Otherwise 0.
    """

    def __init__(self, *, streams: bool) -> None:
        """Opens standard output.

        Args:
            streams: Whether the file arrives in pieces, through `receiver`; otherwise when it is complete.
        """
        self.exit_status = 0
        self._streams = streams
        self._stream = sys.stdout if isinstance(sys.stdout, OutputStream) else OutputStream(sys.stdout)

    def receiver(self, cancel: Event) -> Callable[[str, bytes], None] | None:
        """A function that sends the next bytes of the file; None if it is sent when it is complete.

        Args:
            cancel: Set when the run is interrupted.
        """
        return (lambda _, data: self.write(data, cancel)) if self._streams else None

    def deliver(self, done: Done, cancel: Event) -> None:
        """Sends the file of a separation, unless that is done already.

        Args:
            done: The separation.
            cancel: Set when the run is interrupted, which stops the sending.

        Raises:
            OutputError: Standard output is closed or cannot be written.
        """
        if self._streams:
            return
        (path,) = done.separated.files.values()
        # What cancels it is in an exit status: of the interruption, or of the reader that has left.
        with suppress(CancelledError), path.open("rb") as file:
            while piece := file.read(1 << 20):
                self.write(piece, cancel)

    def told(self, done: Done) -> Done:
        """The result with "-" in place of the temporary file, also in the warnings."""
        targets: dict[str, Place] = dict.fromkeys(done.plan.targets, Path(STANDARD_OUTPUT))
        warnings = done.separated.warnings
        for path in done.separated.files.values():
            warnings = tuple(warning.replace(str(path), STANDARD_OUTPUT) for warning in warnings)
        return replace(
            done,
            plan=replace(done.plan, targets=targets),
            separated=replace(done.separated, warnings=warnings),
        )

    def write(self, data: bytes, cancel: Event) -> None:
        """Sends the next bytes; waits as long as the reader does not read.

        Args:
            data: The bytes.
            cancel: Set when the run is interrupted. Set here when the reader has left.

        Raises:
            OutputError: Standard output is closed or cannot be written.
            CancelledError: `cancel` was set, or the reader has left.
        """
        output = self._stream.buffer
        for start in range(0, len(data), _PIECE):
            self._wait(cancel)
            output.write(data[start : start + _PIECE])
            output.flush()
            error = self._stream.error
            if error is None:
                continue
            if error.errno == errno.EPIPE:
                self.exit_status = EXIT_READER_LEFT
                cancel.set()
                raise CancelledError
            raise OutputError(
                Path(STANDARD_OUTPUT),
                f"standard output cannot be written ({reason_for(error)})",
                remedy="Check the program that reads it, or choose an output folder.",
            ) from error

    def _wait(self, cancel: Event) -> None:
        """Waits until the reader reads: writing would also wait, but could not be interrupted."""
        try:
            # Windows knows no way to wait for a pipe.
            number = -1 if sys.platform == "win32" else self._stream.fileno()
        except (OSError, ValueError):
            number = -1
        while True:
            if cancel.is_set():
                raise CancelledError
            if number < 0 or select.select([], [number], [], _CHECK)[1]:
                return
