"""The output of the worker, also that of C libraries, in files."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def output_to(path: Path, *, fresh: bool = False) -> Iterator[None]:
    """Redirects standard output and standard error to the end of a file.

    Args:
        path: The file.
        fresh: Whether it is emptied first.

    Raises:
        OSError: The file cannot be written.
    """
    log = path.open("w" if fresh else "a", encoding="utf-8", errors="backslashreplace", buffering=1)
    # pythonw on Windows has no streams and no descriptors.
    streams = sys.stdout, sys.stderr
    for stream in filter(None, streams):
        stream.flush()
    kept = [(number, _duplicate(number)) for number in (1, 2)]
    with log:
        sys.stdout = sys.stderr = log
        for number, _ in kept:
            os.dup2(log.fileno(), number)
        try:
            yield
        finally:
            log.flush()
            sys.stdout, sys.stderr = streams
            for number, copy in kept:
                if copy is not None:
                    os.dup2(copy, number)
                    os.close(copy)


def _duplicate(number: int) -> int | None:
    try:
        return os.dup(number)
    except OSError:
        return None
