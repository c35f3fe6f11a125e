"""Dividing the threads and the memory of a batch among its workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stemdock.lib.cores import n_logical_cores, n_physical_cores
from stemdock.lib.memory import group_limit
from stemdock.lib.processes import available_memory

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    spare = available_memory()
    memory = execution.memory or min(spare, group_limit() or spare)
    return [
        replace(
            execution,
            n_threads=max(1, n_threads // n_workers + (number < n_threads % n_workers)),
            memory=memory // n_workers,
        )
        for number in range(n_workers)
    ]


def n_cores_used(execution: Execution, shares: Sequence[Execution]) -> int:
    """The cores that a run keeps from others: all, or if threads are given, one for each."""
    if not execution.n_threads:
        return n_logical_cores()
    return min(sum(share.n_threads for share in shares), n_logical_cores())
