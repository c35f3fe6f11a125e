"""Workers that come to harm themselves, to see that it is noticed."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from pathlib import Path


def die(connection: Connection, root: Path) -> None:  # noqa: ARG001  as `fuzz.worker.serve`
    """Ends in the first case, as when a library in C falls over."""
    connection.recv()
    os._exit(7)


def hang(connection: Connection, root: Path) -> None:  # noqa: ARG001  as above
    """Never comes back from the first case."""
    connection.recv()
    time.sleep(3600)
