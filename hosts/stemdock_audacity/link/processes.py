"""Processes that matter to Audacity's pipe."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from stemdock import processor_time
from stemdock_hostkit.finding import running_programs

_PROBE_TIME: Final = 0.5
"""Seconds over which Audacity's processor time is measured."""
_BUSY_SHARE: Final = 0.4
"""Share of one core above which Audacity is busy rather than waiting."""


def find_audacity() -> tuple[int, ...]:
    """Process ids of the running Audacity instances."""
    return tuple(running_programs("audacity", "audacity4"))


def is_busy(pid: int) -> bool:
    """Whether a process is computing, as opposed to waiting for the user."""
    before = processor_time(pid)
    time.sleep(_PROBE_TIME)
    return processor_time(pid) - before > _BUSY_SHARE * _PROBE_TIME


def has_project_open(pid: int) -> bool:
    """Whether an Audacity has a project's file open, as for every window; except on Linux, always true."""
    try:
        return any(".aup3" in path.readlink().name for path in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return True


def other_clients(fifo: Path) -> tuple[int, ...]:
    """Other processes that have a FIFO open for writing; on Linux only, empty elsewhere."""
    found = []
    # psutil lists regular files only, so FIFOs are looked up in /proc.
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
