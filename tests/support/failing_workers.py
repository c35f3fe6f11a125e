"""Workers that crash or hang, to test that the pool notices."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path


def crash(connection: Connection, root: Path) -> None:  # noqa: ARG001  as `fuzz.worker.serve`
    """Exits during the first case, like a crash in a C library."""
    connection.recv()
    os._exit(7)


def hang(connection: Connection, root: Path) -> None:  # noqa: ARG001  as above
    """Never finishes the first case."""
    connection.recv()
    time.sleep(3600)
