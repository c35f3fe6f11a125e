"""The cores that this process may use."""

from __future__ import annotations

import math
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.lib.control_groups import group_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

_CPUS: Final = Path("/sys/devices/system/cpu")


def n_allowed_cores() -> int:
    """Cores on which threads of this process may run; for libraries, which start a thread for each."""
    # Not every system has affinities.
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def n_logical_cores() -> int:
    """Threads that run at the same time, within the quota of processor time of the container; at least 1."""
    return max(1, min(n_allowed_cores(), quota(_quotas())))


def n_physical_cores(cpus: Path = _CPUS) -> int:
    """Cores without their second threads, which make the network no faster; at least 1.

    Args:
        cpus: What Linux says about its cores.
    """
    n_logical = n_logical_cores()
    with suppress(OSError, AttributeError):  # another system, or hidden from this process
        siblings = (cpus / f"cpu{number}/topology/thread_siblings_list" for number in os.sched_getaffinity(0))
        return min(n_logical, len({path.read_text("ascii") for path in siblings}))
    # psutil is imported in 20 ms, and not needed elsewhere in a separation.
    from stemdock.lib.processes import physical_cores  # noqa: PLC0415

    return min(n_logical, physical_cores() or n_logical)


def quota(settings: Iterable[str]) -> int:
    """Whole cores for the smallest quota; a large number if there is none.

    Args:
        settings: Microseconds of processor time in a period, and the length of the period.
    """
    numbers = [text.split() for text in settings]
    return min(
        (math.ceil(int(time) / int(period)) for time, period in numbers if time.isdecimal() and int(period)),
        default=sys.maxsize,
    )


def _quotas() -> Iterable[str]:
    # Without a quota, version 2 says "max" and version 1 says -1.
    return group_settings("cpu", ("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
