"""Dividing the threads and the memory of a batch among its workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock.lib.cores import n_physical_cores
from stemdock.lib.memory import group_limit
from stemdock.lib.processes import available_memory

if TYPE_CHECKING:
    from stemdock.types import Execution


def divided(execution: Execution, n_workers: int) -> list[Execution]:
    """The share of each worker.

    Args:
        execution: What all together may use. Without numbers, that is a thread for each core, and the
            memory that the machine and its container have to spare.
        n_workers: At least 1. One worker gets everything.
    """
    if n_workers == 1:
        return [execution]
    n_threads = execution.n_threads or n_physical_cores()
    memory = execution.memory or min(available_memory(), group_limit() or available_memory())
    return [
        replace(
            execution,
            n_threads=max(1, n_threads // n_workers + (number < n_threads % n_workers)),
            memory=memory // n_workers,
        )
        for number in range(n_workers)
    ]
