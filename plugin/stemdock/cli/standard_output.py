"""Writing a result to standard output, complete or not at all."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.cli.streams import OutputStream
from stemdock.errors import OutputError, OutputOptionError
from stemdock.files.staging import temporary_folder
from stemdock.lib.os_errors import reason_for
from stemdock.output.naming import Destination

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stemdock.batch.events import Done

STANDARD_OUTPUT: Final = "-"


@contextmanager
def standard_output(template: str) -> Iterator[Destination]:
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


def check_single(n_songs: int, names: Sequence[str]) -> None:
    """Checks that there is only one file to write to standard output.

    Raises:
        OutputOptionError: There is more than one song, stem or mix.
    """
    if n_songs != 1 or len(names) != 1:
        raise OutputOptionError(
            "output",
            f"standard output can hold one file, but this run writes {n_songs * len(names)}",
            remedy="Name one song, and choose one stem with --stems.",
        )


def send(done: Done) -> None:
    """Copies the only file of a separation to standard output.

    Raises:
        OutputError: Standard output is closed or cannot be written.
    """
    (path,) = done.separated.files.values()
    output = sys.stdout if isinstance(sys.stdout, OutputStream) else OutputStream(sys.stdout)
    with path.open("rb") as file:
        shutil.copyfileobj(file, output.buffer)
    output.buffer.flush()
    if output.error:
        raise OutputError(
            Path(STANDARD_OUTPUT),
            f"standard output cannot be written ({reason_for(output.error)})",
            remedy="Check the program that reads it, or choose an output folder.",
        ) from output.error
