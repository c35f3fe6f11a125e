"""The running processes of this computer, and its resources: the only module that knows psutil.

psutil is imported in 10 to 20 ms, so only the functions that need it import it: most separations use none.
"""

from __future__ import annotations

import os
import sys
import uuid
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.lib.machines import machine_name

if TYPE_CHECKING:
    from collections.abc import Collection

    import psutil

_STATE, _START = 0, 19
"""Fields of /proc/PID/stat, counted from the one behind the name."""
_ENDED: Final = "Z"
"""State of a process whose end its parent has not taken notice of."""


def find_processes(names: Collection[str]) -> dict[int, Path]:
    """Running programs with one of these names.

    Args:
        names: File names of programs, or patterns of them (`*`, `?`, `[…]`), in lower case; case does not
            matter in the processes.

    Returns:
        The program file by process id; only its name where the system does not show its folder. On
        Linux and macOS, processes of other users are left out.
    """
    import psutil  # noqa: PLC0415  as above

    found = {}
    for process in psutil.process_iter():
        # Processes end while the list is read, and those of other users hide their program.
        try:
            name = process.name().lower()
            if any(fnmatchcase(name, each) for each in names) and _is_own(process) and _is_running(process):
                found[process.pid] = _program(process)
        except (psutil.Error, OSError):  # on Windows, psutil does not translate all errors of the system
            continue
    return found


def is_running(pid: int) -> bool:
    """Whether a process with this id is running; one that ended and was not collected is not."""
    import psutil  # noqa: PLC0415  as above

    try:
        return _is_running(psutil.Process(pid))
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def process_space() -> str:
    """A text that is equal for two processes if and only if a process id means the same process to both.

    It changes when the computer starts. Containers on one computer have different ones.
    """
    # Each part alone can be equal elsewhere: virtual machines that continue from one snapshot of the memory
    # share the first, all Linux systems have the same first namespace, and containers can share a name.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        import psutil  # noqa: PLC0415  as above

        boot = f"{uuid.getnode()} {psutil.boot_time():.0f}"
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  it is the name of no file
    except OSError:
        namespace = ""
    return f"{boot} {namespace} {machine_name()}"


def start_of(pid: int) -> str:
    """When a process started, as a text to compare; empty if that cannot be read."""
    # psutil's time moves with the clock of the computer, and this one does not.
    if fields := _fields_of(pid):
        return fields[_START]
    import psutil  # noqa: PLC0415  as above

    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return ""


def is_gone(pid: int, start: str) -> bool:
    """Whether a process is known to have ended.

    Args:
        pid: Its id.
        start: What `start_of` said about it: a later process may have the same id.
    """
    if pid <= 0 or not _has_id(pid):
        return True
    if fields := _fields_of(pid):
        return fields[_STATE] == _ENDED or bool(start and fields[_START] != start)
    import psutil  # noqa: PLC0415  as above

    with suppress(psutil.Error):  # other users' processes can be hidden
        if not _is_running(psutil.Process(pid)):
            return True
    now = start_of(pid)
    return bool(now and start and now != start)


def _fields_of(pid: int) -> list[str]:
    """What Linux says about a process, from its state on; empty on other systems, and if it is hidden.

    References:
        proc_pid_stat(5).
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()
    except OSError:
        return []
    return fields if len(fields) > _START else []


def processor_time(pid: int) -> float:
    """Processor time of a process so far, seconds; 0 if it cannot be read."""
    import psutil  # noqa: PLC0415  as above

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def available_memory() -> int:
    """Bytes of memory that processes of this computer could still take without swapping."""
    import psutil  # noqa: PLC0415  as above

    return int(psutil.virtual_memory().available)


def physical_cores() -> int | None:
    """Physical cores of this computer; None if their number is unknown."""
    import psutil  # noqa: PLC0415  as above

    n_cores: int | None = psutil.cpu_count(logical=False)
    return n_cores


def _has_id(pid: int) -> bool:
    """Whether a process has this id; unlike psutil's function, it sees hidden ones."""
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415  as above

        with suppress(OverflowError):
            return bool(psutil.pid_exists(pid))
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        pass  # it belongs to another user
    return True


def _is_own(process: psutil.Process) -> bool:
    return sys.platform == "win32" or bool(process.uids().real == os.getuid())


def _is_running(process: psutil.Process) -> bool:
    import psutil  # noqa: PLC0415  as above

    return bool(process.status() != psutil.STATUS_ZOMBIE)


def _program(process: psutil.Process) -> Path:
    import psutil  # noqa: PLC0415  as above

    try:
        return Path(process.exe() or process.name())
    except psutil.AccessDenied:
        return Path(process.name())
