"""Places of workers that are given up, or wait for machines; the workers are scripted and need no process."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Self

import pytest

from stemdock import StemdockError
from stemdock.batch.events import Skipped, Started
from stemdock.batch.running import run_batch
from stemdock.batch.shared_places import PlaceNotSharedError
from stemdock.batch.worker import Ready
from stemdock.batch.worker_pool import NoWorkerYetError, PlaceGivenUpError, WorkerPool
from stemdock.batch.working import Ended
from support.scripted import LONGEST, plans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLIND = PlaceNotSharedError(Path("/data/out"), "node B")
LOST = StemdockError("no model", remedy="Get one.")


class ScriptedWorker:
    """Is ready, or says why not and ends."""

    def __init__(self, fault: StemdockError | None) -> None:
        self.messages: deque[Any] = deque([Ready(error=fault)])
        if fault:
            self.messages.append(None)

    def send(self, plan: Any) -> None:
        self.messages += [Started(plan=plan), Skipped(plan=plan), Ended(plan=plan)] if plan else [None]

    def end(self) -> str:
        return ""


class ScriptedForce:
    """Makes of each recipe, which is an error or None, a worker."""

    def __init__(self, *, mute: bool = False) -> None:
        self.mute = mute
        self.started: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def start(self, recipe: Any, n_songs: int) -> ScriptedWorker:  # noqa: ARG002
        self.started.append(recipe)
        return ScriptedWorker(recipe)

    def receive(
        self,
        workers: Sequence[Any],
        timeout: float | None,  # noqa: ARG002
    ) -> Iterator[tuple[ScriptedWorker, Any]]:
        for worker in list(workers):
            if worker.messages and not (self.mute and isinstance(worker.messages[0], Ready)):
                yield worker, worker.messages.popleft()


def test_each_reason_why_workers_cannot_work_is_told_once() -> None:
    force, told = ScriptedForce(), list[StemdockError]()
    recipes: list[Any] = [None, BLIND, BLIND, LOST]
    songs = plans(*"abcdefgh")
    events = list(run_batch(songs, WorkerPool(recipes, force, cancel=Event(), warn=told.append)))
    assert [event.plan for event in events if isinstance(event, Skipped)] == songs
    assert force.started.count(BLIND) == 6
    assert [type(error) for error in told] == [PlaceGivenUpError] * 2
    assert {error.__cause__ for error in told} == {BLIND, LOST}
    assert "fewer workers, because /data/out: the worker on node B does not see it" in str(told[0])
    assert told[0].remedy == BLIND.remedy


def test_a_last_place_that_is_given_up_is_no_warning() -> None:
    told: list[StemdockError] = []
    with pytest.raises(PlaceNotSharedError):
        list(run_batch(plans("a"), WorkerPool([BLIND], ScriptedForce(), cancel=Event(), warn=told.append)))  # type: ignore[list-item]
    assert told == []


def test_people_are_told_once_that_no_worker_is_ready() -> None:
    told: list[StemdockError] = []
    force = ScriptedForce(mute=True)
    workers = WorkerPool([None], force, cancel=Event(), warn=told.append, patience=0)  # type: ignore[list-item]
    with workers:
        workers.put(plans("a")[0])
        end = time.monotonic() + LONGEST
        while not told and time.monotonic() < end:
            workers.get(0)
        workers.get(0)
        force.mute = False
    assert [type(error) for error in told] == [NoWorkerYetError]


def test_the_seconds_of_workers_are_added_up() -> None:
    workers = WorkerPool([None, BLIND], ScriptedForce(), cancel=Event())  # type: ignore[list-item]
    start = time.monotonic()
    for _ in run_batch(plans("a", "b"), workers):
        time.sleep(0.01)
    # One of the two never was ready.
    assert 0.01 < workers.worker_seconds <= time.monotonic() - start
