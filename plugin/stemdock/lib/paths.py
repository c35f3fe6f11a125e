"""Questions about paths that have an answer for every path.

The methods of `pathlib.Path` raise for some: in folders that may not be entered, for links that lead to
themselves, and when the working directory was removed.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from stemdock.lib.os_errors import reason_for

_INVALID_NAME: Final = 123
"""Windows' error for a name that no file can have, such as a pattern."""
_N_FOLDERS: Final = 1000
_NO_NAMES: Final = frozenset({"", ".", ".."})
_KINDS: Final = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def exists(path: Path) -> bool:
    """Whether there is a file or folder; False if the system does not let us see it."""
    return os.path.exists(path)  # noqa: PTH110  see above


def is_file(path: Path) -> bool:
    """Whether there is a file; False if the system does not let us see it."""
    return os.path.isfile(path)  # noqa: PTH113  see above


def is_folder(path: Path) -> bool:
    """Whether there is a folder; False if the system does not let us see it."""
    return os.path.isdir(path)  # noqa: PTH112  see above


def kind_of(path: Path) -> str:
    """What is at a path, for people, such as "a folder"; links are followed.

    Empty if there is nothing, or if the system does not let us see it.
    """
    try:
        return _KINDS.get(stat.S_IFMT(path.stat().st_mode), "something else")
    except (OSError, ValueError) as error:
        try:
            target = path.parent / os.readlink(path)  # noqa: PTH115  its ValueErrors count, too
        except (OSError, ValueError):
            return ""
        is_loop = getattr(error, "errno", None) == errno.ELOOP
        return "a link that leads to itself" if is_loop else f"a link to {target}, which does not exist"


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if the system does not let us see it."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def resolved(path: Path) -> Path:
    """The absolute path without links, as far as the system shows it."""
    try:
        return Path(os.path.realpath(path))
    except (OSError, ValueError):
        return path


class Resolver:
    """As `resolved`, for many paths: of folders with many of them, the links are followed once."""

    def __init__(self) -> None:
        """Knows no folder."""
        self._folder = lru_cache(_N_FOLDERS)(os.path.realpath)

    def __call__(self, path: Path | str) -> str:
        """The absolute path without links, as far as the system shows it."""
        try:
            folder, name = os.path.split(path)
            # Windows also has several spellings of a name.
            if sys.platform == "win32" or name in _NO_NAMES or os.path.islink(path):  # noqa: PTH114  see above
                return os.path.realpath(path)
            return os.path.join(self._folder(folder), name)  # noqa: PTH118  a Path takes ten times as long
        except (OSError, ValueError):
            return str(path)


def access_error(path: Path) -> str:
    """Why the system cannot look a path up; empty if it can, even if there is no such file."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        return "" if getattr(error, "winerror", None) == _INVALID_NAME else reason_for(error)
    return ""
