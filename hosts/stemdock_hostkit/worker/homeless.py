"""A folder for the state of a user without a home folder, as containers run programs.

Nobody else can make it first: in the shared folder for temporary files, a name that another user has taken is
passed over, and the next one is random. Later processes find the folder by its owner.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from stemdock import is_private_folder, make_private_folder

_STICKY: Final = stat.S_ISVTX
"""In such a folder, only the owner of a file may rename or remove it."""
_WRITABLE_BY_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def homeless_folder() -> Path:
    """This user's folder: in that of the login (`XDG_RUNTIME_DIR`), or else in that for temporary files.

    Raises:
        OSError: It cannot be created, or others could replace what is in the folder for temporary files.
    """
    own = _own_parent()
    if own:
        return own / "stemdock"
    parent = Path(tempfile.gettempdir())
    if not _keeps_names(parent):
        raise PermissionError(f"other users can rename what is in {parent}")
    name = f"stemdock-{_user()}"
    return _find(parent, name) or _make(parent, name)


def _own_parent() -> Path | None:
    """A folder that only this user can change, made by the system."""
    named = (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{_user()}", tempfile.gettempdir())
    paths = map(Path, filter(None, named))
    return next((path for path in paths if path.is_absolute() and _is_own(path)), None)


def _find(parent: Path, name: str) -> Path | None:
    """The folder that this user made before: of several, the first by name."""
    pattern = re.compile(rf"{name}(-\w+)?")
    found = (path for path in parent.glob(f"{name}*") if pattern.fullmatch(path.name) and _is_own(path))
    return min(found, default=None)


def _make(parent: Path, name: str) -> Path:
    """Creates the folder, under a random name if another user has taken its usual one."""
    usual = parent / name
    with suppress(OSError):
        make_private_folder(usual)
        return usual
    made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=parent))
    # Another process of this user may have done the same.
    return _find(parent, name) or made


def _keeps_names(folder: Path) -> bool:
    """Whether others cannot rename what this user puts into a folder."""
    if sys.platform == "win32":
        return True
    status = folder.stat()
    is_closed = status.st_mode & _STICKY or not status.st_mode & _WRITABLE_BY_OTHERS
    return bool(is_closed) and status.st_uid in (0, os.geteuid())


def _is_own(path: Path) -> bool:
    try:
        return is_private_folder(path)
    except OSError:
        return False


def _user() -> str:
    return "user" if sys.platform == "win32" else str(os.geteuid())
