"""The control groups of this process, such as its container.

References:
    man pages cgroups(7), proc_pid_cgroup(5) and proc_pid_mountinfo(5).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

CGROUPS: Final = Path("/proc/self/cgroup")
MOUNTS: Final = Path("/proc/self/mountinfo")


def group_settings(
    controller: str,
    names: tuple[str, ...],
    names_of_version_1: tuple[str, ...],
    cgroups: Path = CGROUPS,
    mounts: Path = MOUNTS,
) -> Iterator[str]:
    """What files of the groups say, from the group of this process up to the root.

    Args:
        controller: What the groups control, such as "memory".
        names: Files of a group in version 2.
        names_of_version_1: The same in version 1.
        cgroups: The groups of this process, as Linux lists them.
        mounts: The file systems that this process sees.

    Yields:
        For each group the contents of its files, joined by a space. Nothing where the system has no groups.
    """
    files = {"cgroup2": names, "cgroup": names_of_version_1}
    with suppress(OSError, ValueError):  # not Linux, or hidden from this process
        groups = _groups(cgroups.read_text("utf-8"), controller)
        for kind, root, mount_point in _mounts(mounts.read_text("utf-8"), controller):
            group = Path(groups.get(kind, "/"))
            # A container often sees its own group as the root.
            inside = group.relative_to(root) if group.is_relative_to(root) else Path()
            for folder in (mount_point / inside, *(mount_point / parent for parent in inside.parents)):
                with suppress(OSError, ValueError):  # no such file
                    yield " ".join((folder / name).read_text("ascii").strip() for name in files[kind])


def _groups(text: str, controller: str) -> dict[str, str]:
    """The path of the group by the type of its file system."""
    groups: dict[str, str] = {}
    for line in text.splitlines():
        number, controllers, group = line.split(":", 2)
        if number == "0":
            groups["cgroup2"] = group
        elif controller in controllers.split(","):
            groups["cgroup"] = group
    return groups


def _mounts(text: str, controller: str) -> list[tuple[str, str, Path]]:
    """Type, root and mount point of the file systems that have settings of the controller."""
    mounts: list[tuple[str, str, Path]] = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        root, mount_point = before.split(" ")[3:5]
        if kind == "cgroup2" or (kind == "cgroup" and controller in options.split(",")):
            mounts.append((kind, root, Path(mount_point)))
    return mounts
