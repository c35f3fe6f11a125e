"""Limits of memory, and how the shortage shows: each library reports it in its own way."""

from __future__ import annotations

import errno
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

_SIGNS: Final = (
    "bad_alloc",
    "Failed to allocate memory",
    "Cannot allocate memory",
    "cannot allocate memory",
    "failed to map segment",
)
"""Of onnxruntime, the system and its loader of libraries."""
_THREAD_SIGN: Final = "can't start new thread"
"""Of Python. Threads need memory for their stacks, but a limit of threads shows in the same way."""
_CGROUPS: Final = Path("/proc/self/cgroup")
_MOUNTS: Final = Path("/proc/self/mountinfo")
_LIMIT_FILES: Final = {"cgroup2": "memory.max", "cgroup": "memory.limit_in_bytes"}
"""By the type of the file system: versions 2 and 1."""
_NO_LIMIT: Final = 1 << 60
"""Version 1 says "no limit" with a number above this."""


def is_memory_shortage(error: BaseException) -> bool:
    """Whether an error of any library, or of loading it, means that memory is short."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or any(sign in str(error) for sign in _SIGNS)
        or (_THREAD_SIGN in str(error) and address_limit() is not None)
    )


def address_limit() -> int | None:
    """Bytes of address space that this process may use (`ulimit -v`); None if there is no limit."""
    if sys.platform == "win32":  # it has no such limits
        return None
    import resource  # noqa: PLC0415  missing on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def group_limit(cgroups: Path = _CGROUPS, mounts: Path = _MOUNTS) -> int | None:
    """Bytes of memory for the control group of this process, such as its container; None if unlimited.

    The system kills processes that take more, without an error that they could report.

    Args:
        cgroups: The groups of this process, as Linux lists them.
        mounts: The file systems that this process sees.

    References:
        man pages cgroups(7), proc_pid_cgroup(5) and proc_pid_mountinfo(5).
    """
    limits: list[int] = []
    with suppress(OSError, ValueError):  # not Linux, or hidden from this process
        groups = _memory_groups(cgroups.read_text("utf-8"))
        for kind, root, mount_point in _memory_mounts(mounts.read_text("utf-8")):
            group = Path(groups.get(kind, "/"))
            # A container often sees its own group as the root.
            inside = group.relative_to(root) if group.is_relative_to(root) else Path()
            for folder in (mount_point / inside, *(mount_point / parent for parent in inside.parents)):
                with suppress(OSError, ValueError):  # "max", or no such file
                    limits.append(int((folder / _LIMIT_FILES[kind]).read_text("ascii")))
    return min((limit for limit in limits if limit < _NO_LIMIT), default=None)


def _memory_groups(text: str) -> dict[str, str]:
    """The path of the group by the type of its file system."""
    groups: dict[str, str] = {}
    for line in text.splitlines():
        number, controllers, group = line.split(":", 2)
        if number == "0":
            groups["cgroup2"] = group
        elif "memory" in controllers.split(","):
            groups["cgroup"] = group
    return groups


def _memory_mounts(text: str) -> list[tuple[str, str, Path]]:
    """Type, root and mount point of the file systems that have limits of memory."""
    mounts: list[tuple[str, str, Path]] = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, mount_point = before.split(" ")[3:5]
        if kind == "cgroup2" or (kind == "cgroup" and "memory" in options.split(",")):
            mounts.append((kind, root, Path(mount_point)))
    return mounts
