"""The folder in which Audacity's requests wait. Nobody else may write into it: it decides what is run."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock import is_private_folder, make_private_folder, reason_for
from stemdock_audacity.errors import QueueFolderError
from stemdock_hostkit.finding import user_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

_THIS_USER_ALONE: Final = 0o700


def state_folder() -> Path:
    """This user's folder. Its path is plain ASCII, since Audacity's commands carry no other characters.

    Raises:
        QueueFolderError: There is no such folder, or others can change what is in it.
    """
    folder = next((path for path in _candidates() if path.is_absolute() and str(path).isascii()), None)
    if folder is None:
        raise QueueFolderError(None, "Audacity needs a path in plain ASCII, and no folder of yours has one")
    if os.path.lexists(folder) and not is_private_folder(folder):
        raise QueueFolderError(folder, "is not a folder that only you can write to")
    return folder


def make_state_folder(folder: Path) -> None:
    """Creates a folder that only this user can enter, or closes it to others.

    Raises:
        QueueFolderError: Others can change what is in it, or it cannot be created.
    """
    try:
        make_private_folder(folder)
        folder.chmod(_THIS_USER_ALONE)
    except OSError as error:
        raise QueueFolderError(folder, reason_for(error)) from error


def _candidates() -> Iterator[Path]:
    """Folders, the best first. Others cannot make any of them before this user does."""
    with suppress(RuntimeError):  # the user has no home
        yield user_folders().state / "stemdock/audacity"
    for parent in (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir()):
        with suppress(OSError):
            if parent and is_private_folder(Path(parent)):
                yield Path(parent) / "stemdock-audacity"
