"""Stops one piece of work at many moments."""

from __future__ import annotations

import os
import shutil
import signal
import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from fuzz.stopping.scenario import Place, make_inputs, release, surroundings
from fuzz.stopping.works import SCENARIOS
from support.recorded_calls import recorded_calls
from support.simulated_disk import MODES, Disk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.recorded_calls import Call


@dataclass(frozen=True)
class _Undisturbed:
    """The work as it goes when nothing stops it."""

    place: Place
    disk: Disk
    """Before the work."""
    calls: list[Call]
    seconds: float
    expected: dict[str, str]


def cut_power(name: str, scratch: Path, n: int, seed: int) -> Iterator[tuple[str, str]]:
    """Cuts the power of the simulated disk at moments that are spread over the whole work.

    Args:
        name: Of the scenario.
        scratch: An empty folder.
        n: How many times.
        seed: Of the random generator.

    Yields:
        The moment, and what went wrong, or "".
    """
    rng = Random(seed)  # noqa: S311  must be reproducible
    with _undisturbed(name, scratch) as run:
        n_done = 0
        for number, moment in enumerate(sorted(_moments(rng, n, len(run.calls)))):
            for call in run.calls[n_done:moment]:
                run.disk.apply(call)
            n_done = moment
            mode = MODES[number % len(MODES)]
            run.disk.cut(rng, mode, run.place.state)
            fault = _fault(lambda: _again(name, run.place, run.expected))
            yield f"cut {moment} of {len(run.calls)} ({mode}){_after(run.calls[:moment])}", fault
            shutil.rmtree(run.place.state)


def kill(name: str, scratch: Path, n: int, seed: int) -> Iterator[tuple[str, str]]:
    """Kills a process that does the work: one half right after a system call, the others after random times.

    Arguments and results are those of `cut_power`.
    """
    rng = Random(seed)  # noqa: S311  must be reproducible
    with _undisturbed(name, scratch) as run:
        place = run.place
        for number, moment in enumerate(sorted(_moments(rng, n, len(run.calls)))):
            run.disk.cut(rng, "least", place.state)
            if number % 2:
                delay = rng.uniform(0, run.seconds)
                _in_child(lambda: SCENARIOS[name].work(place), place, kill_after=delay)
                label = f"killed after {delay * 1000:.0f} ms"
            else:
                _in_child(partial(_killed_at, name, place, moment), place)
                label = f"killed at {moment} of {len(run.calls)}{_after(run.calls[:moment])}"
            yield label, _in_child(lambda: _again(name, place, run.expected), place)
            shutil.rmtree(place.state)


@contextmanager
def _undisturbed(name: str, scratch: Path) -> Iterator[_Undisturbed]:
    scenario = SCENARIOS[name]
    # The paths in jobs are absolute, so all cases have the same.
    place = Place(scratch / "inputs", scratch / "state")
    make_inputs(place.inputs)
    place.state.mkdir(mode=0o700)
    with release(place.inputs):
        with surroundings(place):
            scenario.prepare(place)
            disk = Disk(place.state)
            began = time.monotonic()
            with recorded_calls(place.state) as calls:
                scenario.work(place)
            seconds = time.monotonic() - began
            expected = scenario.result(place)
        shutil.rmtree(place.state)
        yield _Undisturbed(place, disk, calls, seconds, expected)


def _moments(rng: Random, n: int, n_calls: int) -> list[int]:
    """Every moment, again and again, and a random part of them to make up the number."""
    every = list(range(n_calls + 1))
    return every * (n // len(every)) + rng.sample(every, n % len(every))


def _after(calls: list[Call]) -> str:
    return f" after {calls[-1].name} {calls[-1].path.rpartition('/')[2]}" if calls else ""


def _again(name: str, place: Place, expected: dict[str, str]) -> None:
    scenario = SCENARIOS[name]
    with surroundings(place):
        scenario.check(place)
        scenario.work(place)
        found = scenario.result(place)
    differing = sorted(set(found.items()) ^ set(expected.items()))
    assert not differing, f"another result: {differing}"


def _killed_at(name: str, place: Place, moment: int) -> None:
    def on_call(n_calls: int) -> None:
        if n_calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    with recorded_calls(place.state, on_call):
        SCENARIOS[name].work(place)


def _fault(task: Callable[[], object]) -> str:
    try:
        task()
    except Exception as error:  # noqa: BLE001  is the finding
        where = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__}: {error} ({where.name})"
    return ""


def _in_child(task: Callable[[], object], place: Place, *, kill_after: float | None = None) -> str:
    """Runs a task in a process of its own; returns what went wrong, or ""."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with surroundings(place):
            os.write(writing, _fault(task).encode()[:60_000])
        os._exit(0)
    os.close(writing)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text
