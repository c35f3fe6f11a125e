"""Runs cases in worker processes, which are restarted after a crash or a timeout."""

from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from multiprocessing import get_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from fuzz.worker import Outcome, make_case, serve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fuzz.case import Case

DEADLINE: Final = 60.0
"""Seconds for a case; the slowest normal case takes 2 on an idle machine."""
_BATCH: Final = 32
"""Cases that a process gets at a time. It makes them itself and answers for each."""
_PROCESSES: Final = get_context("spawn")


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

    def run(self, cases: Sequence[Case], corpus: Path) -> Iterator[Outcome]:
        """Runs cases one after the other, and yields the outcome of each."""
        n_done = 0
        self._ours.send((cases, corpus))
        while n_done < len(cases):
            try:
                if self._ours.poll(DEADLINE):
                    outcome: Outcome = self._ours.recv()
                    n_done += 1
                    yield outcome
                    continue
                harm = f"timeout after {DEADLINE:.0f} s"
            except (EOFError, ConnectionError):
                self._process.join()
                harm = f"the process crashed: exit status {self._process.exitcode}"
            n_done += 1
            self.stop()
            self._start()
            self._ours.send((cases[n_done:], corpus))
            yield Outcome(ending="lost", harm=harm)

    def stop(self) -> None:
        """Ends the process and its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._ours.close()


def run_cases(
    cases: Sequence[Case], *, corpus: Path, scratch: Path, findings: Path, n_workers: int
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

    def run(batch: Sequence[Case]) -> list[tuple[Case, Outcome]]:
        worker = workers.get()
        try:
            outcomes = list(zip(batch, worker.run(batch, corpus), strict=True))
        finally:
            workers.put(worker)
        for case, outcome in outcomes:
            if outcome.harm and case.kept is None:
                shutil.rmtree(findings / case.name, ignore_errors=True)
                make_case(case, corpus, findings / case.name)
        return outcomes

    try:
        with ThreadPoolExecutor(n_workers) as pool:
            for outcomes in pool.map(run, _batches(cases)):
                yield from outcomes
    finally:
        for worker in everyone:
            worker.stop()


def _batches(cases: Sequence[Case]) -> list[Sequence[Case]]:
    return [cases[first : first + _BATCH] for first in range(0, len(cases), _BATCH)]
