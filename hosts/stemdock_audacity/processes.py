"""Looking at processes with what every system has."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

_NAMES: Final = ("audacity", "audacity.exe", "audacity4", "audacity4.exe")
_PROBE_TIME: Final = 0.5
"""Seconds over which the processor time of Audacity is watched."""
_BUSY_SHARE: Final = 0.4
"""Share of one core above which Audacity computes rather than waits."""


def find_audacity() -> tuple[int, ...]:
    """Process ids of the user's running Audacitys."""
    if sys.platform == "win32":
        table = _output(["tasklist", "/FO", "CSV", "/NH"])
        rows = [line.strip('"').split('","') for line in table.splitlines() if line.count('","') > 1]
        return tuple(int(row[1]) for row in rows if row[0].lower() in _NAMES)
    # "stat" tells the dead that nobody has collected.
    table = _output(["ps", "-U", str(os.getuid()), "-o", "pid=,stat=,comm="])
    rows = [line.split(None, 2) for line in table.splitlines()]
    return tuple(
        int(row[0])
        for row in rows
        if len(row) > 2 and not row[1].startswith("Z") and Path(row[2]).name.lower() in _NAMES  # noqa: PLR2004
    )


def is_alive(pid: int) -> bool:
    """Whether a process of that id runs."""
    if sys.platform == "win32":
        return f'"{pid}"' in _output(["tasklist", "/FO", "CSV", "/NH", "/FI", f"PID eq {pid}"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        # Dead, but not collected by its parent yet.
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True


def is_computing(pid: int) -> bool:
    """Whether a process is at work, as against waiting for a person; False where that cannot be told."""
    before = _processor_time(pid)
    time.sleep(_PROBE_TIME)
    after = _processor_time(pid)
    return after - before > _BUSY_SHARE * _PROBE_TIME


def _processor_time(pid: int) -> float:
    """Seconds of processor time so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def other_clients(fifo: Path) -> tuple[int, ...]:
    """Processes besides this one that write into a FIFO; empty where that cannot be told."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        pid = int(descriptor.parts[2])
        try:
            if pid != os.getpid() and descriptor.readlink() == fifo:
                flags = Path(f"/proc/{pid}/fdinfo/{descriptor.name}").read_text("utf-8")
                access = int(flags.split("flags:")[1].split()[0], 8) & os.O_ACCMODE
                if access != os.O_RDONLY:
                    found.append(pid)
        except (OSError, IndexError, ValueError):
            continue
    return tuple(found)


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
