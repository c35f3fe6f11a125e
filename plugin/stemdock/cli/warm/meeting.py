"""Where a command and the process in the background meet, and what must be the same for both."""

from __future__ import annotations

import os
import sys
from binascii import crc32
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import stemdock
from stemdock.lib.private_folders import is_private_folder

if TYPE_CHECKING:
    import socket

IDLE_VARIABLE: Final = "STEMDOCK_WARM_SECONDS"
"""Environment variable: seconds without a command after which the process ends."""
IDLE_TIME: Final = 60.0
_PATIENCE: Final = 1.0
"""Seconds for an answer. The process only copies itself, but a busy machine is slow."""
_PACKAGES: Final = ("site-packages", "dist-packages")
"""Names of the folders that installers put packages into."""
_LANGUAGE: Final = ("PYTHON", "LC_", "LANG", "ORT_", "OMP_", "STEMDOCK_DISABLED")
"""Starts of the names of environment variables that Python and libraries read only once."""
_LIMITS: Final = ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_NPROC")


def is_supported() -> bool:
    """Whether this system can copy a process that has imported its libraries.

    On macOS the libraries of the system forbid it, and Windows has no such copies.
    """
    return sys.platform == "linux"


def socket_path() -> Path:
    """The socket of this installation. Its folder may be missing.

    Raises:
        RuntimeError: There is no place for it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("XDG_CACHE_HOME")
    folder = Path(runtime) if runtime else Path.home() / ".cache"
    if not folder.is_absolute():
        raise RuntimeError(f"{folder} is not an absolute path")
    # Another installation, or one that has changed, has a process of its own.
    places = [sys.prefix, str(Path(stemdock.__file__).parent)]
    for place in map(Path, sys.path):
        if place.name in _PACKAGES:  # others depend on how Python was started
            with suppress(OSError):
                places.append(f"{place} {place.stat().st_mtime_ns}")
    return folder / "stemdock" / "warm" / f"{crc32(repr(places).encode('utf-8', 'replace')):08x}"


def connected(path: Path) -> socket.socket | None:
    """A connection to the process in the background, if it is there and of this user."""
    try:
        if not is_private_folder(path.parent):
            return None
    except OSError:
        return None
    import socket  # noqa: PLC0415  most commands end before this, and need no sockets

    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(_PATIENCE)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        return None
    return connection


def surroundings() -> dict[str, Any]:
    """What a process cannot take over from a command: a process with others does not serve it."""
    import resource  # noqa: PLC0415  missing on Windows

    return {
        "limits": [list(resource.getrlimit(getattr(resource, name))) for name in _LIMITS],
        "cores": sorted(os.sched_getaffinity(0)),
        "files": str(Path("/proc/self/ns/mnt").readlink()),
        "processes": str(Path("/proc/self/ns/pid").readlink()),
        "group": _text("/proc/self/cgroup"),
        "priority": os.getpriority(os.PRIO_PROCESS, 0),
        "groups": sorted(os.getgroups()),
        "variables": {
            name: value for name, value in sorted(os.environ.items()) if name.startswith(_LANGUAGE)
        },
    }


def _text(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""
