"""Runs cases in worker processes, which are restarted after a crash or a timeout."""

from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import get_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from fuzz.worker import Outcome, make_case, serve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

DEADLINE: Final = 60.0
"""Seconds for a case; the slowest normal case takes 2 on an idle machine."""
_PROCESSES: Final = get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case to generate, or one that was kept."""

    target: str
    seed: int
    number: int
    kept: Path | None = None
    """Folder of its input files, if it was kept."""

    @property
    def name(self) -> str:
        """A unique name."""
        return (
            f"{self.target}-{self.seed}-{self.number}"
            if self.kept is None
            else f"{self.target}/{self.kept.name}"
        )


class _Worker:
    """One process at a time, and its folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._restarts = count()
        self._start()

    def _start(self) -> None:
        root = self._root / str(next(self._restarts))
        root.mkdir(parents=True)
        self._ours, theirs = _PROCESSES.Pipe()
        self._process = _PROCESSES.Process(target=serve, args=(theirs, root))
        self._process.start()
        theirs.close()

    def run(self, target: str, folder: Path) -> Outcome:
        self._ours.send((target, folder))
        try:
            if self._ours.poll(DEADLINE):
                outcome: Outcome = self._ours.recv()
                return outcome
            harm = f"timeout after {DEADLINE:.0f} s"
        except (EOFError, ConnectionError):
            self._process.join()
            harm = f"the process crashed: exit status {self._process.exitcode}"
        self.stop()
        self._start()
        return Outcome(ending="lost", harm=harm)

    def stop(self) -> None:
        """Ends the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._ours.close()


def run_cases(
    cases: Iterable[Case], *, corpus: Path, scratch: Path, findings: Path, n_workers: int
) -> Iterator[tuple[Case, Outcome]]:
    """Runs cases and yields their outcomes in order.

    Args:
        cases: The cases to run.
        corpus: Intact inputs by target.
        scratch: An empty folder.
        findings: Folder for the inputs of cases that did harm.
        n_workers: Processes at a time.
    """
    workers: SimpleQueue[_Worker] = SimpleQueue()
    everyone = [_Worker(scratch / f"worker-{number}") for number in range(n_workers)]
    for worker in everyone:
        workers.put(worker)

    def run(case: Case) -> tuple[Case, Outcome]:
        folder = case.kept
        if folder is None:
            folder = scratch / case.name
            folder.mkdir()
            make_case(case.target, case.seed, case.number, corpus, folder)
        worker = workers.get()
        try:
            outcome = worker.run(case.target, folder)
        finally:
            workers.put(worker)
        if outcome.harm and case.kept is None:
            shutil.copytree(folder, findings / case.name, dirs_exist_ok=True)
        if case.kept is None:
            shutil.rmtree(folder)
        return case, outcome

    try:
        with ThreadPoolExecutor(n_workers) as pool:
            yield from pool.map(run, cases)
    finally:
        for worker in everyone:
            worker.stop()
