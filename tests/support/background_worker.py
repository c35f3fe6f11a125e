"""The worker of the tests: one of their own, with a folder of its own, which ends with the test."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from stemdock_hostkit.worker.places import STATE_VARIABLE, worker_folder
from stemdock_hostkit.worker.starting import is_worker_running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest


def bare_environment() -> dict[str, str]:
    """Next to no environment, as an editor may pass it on, but with the state of the test."""
    return {STATE_VARIABLE: os.environ[STATE_VARIABLE]}


@contextmanager
def own_worker(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[None]:
    """Gives the worker's state a folder, and ends the worker afterwards."""
    patch.setenv(STATE_VARIABLE, str(folder))
    yield
    end_workers(folder)


def workers(folder: Path) -> list[psutil.Process]:
    """Processes of workers with this state."""
    found = []
    for process in psutil.process_iter():
        try:
            if (
                "stemdock_hostkit.worker" in process.cmdline()
                and process.environ().get(STATE_VARIABLE) == str(folder)
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def end_workers(folder: Path) -> None:
    """Ends the workers, and waits until they have gone."""
    for process in workers(folder):
        process.kill()
    psutil.wait_procs(workers(folder), timeout=30)


def the_worker(seconds: float = 30) -> psutil.Process:
    """The one process that serves the queue."""
    folder = worker_folder()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_worker_running(folder) and len(found := workers(folder.parents[1])) == 1:
            return found[0]
        time.sleep(0.02)
    raise AssertionError("there is no worker")
