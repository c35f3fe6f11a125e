"""A song from standard input, copied to a file because audio is read from files."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from stemdock.batch.songs import STANDARD_INPUT
from stemdock.errors import AudioFileError
from stemdock.files.staging import temporary_folder
from stemdock.lib.os_errors import os_errors_as

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK_SIZE: Final = 1 << 20


@contextmanager
def copied_to_file(stream: BinaryIO | None) -> Iterator[Path]:
    """Copies a stream to a temporary file, which is removed when the context ends.

    Args:
        stream: Read to its end first; None if the program was started without one.

    Yields:
        The file, named "stdin" without an extension, because the format is unknown.

    Raises:
        AudioFileError: The stream is empty or cannot be copied.
    """
    if stream is None:
        raise AudioFileError(
            Path(STANDARD_INPUT), "standard input is closed", remedy="Pipe an audio file into it."
        )
    with temporary_folder() as folder:
        path = folder / "stdin"
        with os_errors_as(_uncopied), path.open("wb") as file:
            shutil.copyfileobj(stream, file, _CHUNK_SIZE)
            size = file.tell()
        if not size:
            raise AudioFileError(
                Path(STANDARD_INPUT), "standard input is empty", remedy="Pipe an audio file into it."
            )
        yield path


def _uncopied(reason: str) -> AudioFileError:
    return AudioFileError(
        Path(STANDARD_INPUT),
        f"standard input cannot be copied to a temporary file ({reason})",
        remedy="Free some disk space, or set TMPDIR to a folder on another disk.",
    )
