"""The running processes of this computer, and its resources: the only module that knows psutil."""

from __future__ import annotations

import os
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Collection


def find_processes(names: Collection[str]) -> dict[int, Path]:
    """Running programs with one of these names.

    Args:
        names: File names of programs, or patterns of them (`*`, `?`, `[…]`), in lower case; case does not
            matter in the processes.

    Returns:
        The program file by process id; only its name where the system does not show its folder. On
        Linux and macOS, processes of other users are left out.
    """
    found = {}
    for process in psutil.process_iter():
        # Processes end while the list is read, and those of other users hide their program.
        try:
            name = process.name().lower()
            if any(fnmatchcase(name, each) for each in names) and _is_own(process) and _is_running(process):
                found[process.pid] = _program(process)
        except psutil.Error:
            continue
    return found


def is_running(pid: int) -> bool:
    """Whether a process with this id is running; one that ended and was not collected is not."""
    try:
        return _is_running(psutil.Process(pid))
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def processor_time(pid: int) -> float:
    """Processor time of a process so far, seconds; 0 if it cannot be read."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def available_memory() -> int:
    """Bytes of memory that processes of this computer could still take without swapping."""
    return int(psutil.virtual_memory().available)


def physical_cores() -> int | None:
    """Physical cores of this computer; None if their number is unknown."""
    n_cores: int | None = psutil.cpu_count(logical=False)
    return n_cores


def _is_own(process: psutil.Process) -> bool:
    return sys.platform == "win32" or bool(process.uids().real == os.getuid())


def _is_running(process: psutil.Process) -> bool:
    return bool(process.status() != psutil.STATUS_ZOMBIE)


def _program(process: psutil.Process) -> Path:
    try:
        return Path(process.exe() or process.name())
    except psutil.AccessDenied:
        return Path(process.name())
