"""Where the worker of this user keeps its queue, its lock and its messages."""

from __future__ import annotations

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import stemdock
from stemdock import make_private_folder
from stemdock_hostkit.worker.homeless import homeless_folder

STATE_VARIABLE: Final = "STEMDOCK_STATE"
"""Environment variable that names another folder for the state."""


def state_folder() -> Path:
    """The folder for what Stemdock keeps between runs: jobs that wait, and the worker's messages.

    Raises:
        OSError: The user has no home folder, and no other folder can take its place.
    """
    named = os.environ.get(STATE_VARIABLE)
    if named:
        return Path(named).absolute()
    from platformdirs import user_state_path  # noqa: PLC0415  not needed if a folder is set

    with suppress(RuntimeError):
        path = user_state_path("stemdock", appauthor=False)
        # Some versions of platformdirs give "~/..." back for a user without a home folder, others raise.
        if path.is_absolute():
            return path
    return homeless_folder()


def worker_folder() -> Path:
    """The folder of the worker, created if it is missing.

    Each installation of Stemdock has a worker of its own, so that no job is done by the code of another one.

    Raises:
        OSError: It cannot be created, or other users could change what is in it.
    """
    identity = "\0".join((sys.prefix, str(Path(stemdock.__file__).parent), stemdock.__version__))
    folder = state_folder() / "workers" / hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:12]
    make_private_folder(folder)
    return folder
