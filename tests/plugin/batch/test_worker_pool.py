"""Songs in processes that are killed, interrupted and orphaned."""

from __future__ import annotations

import errno
import os
import pickle
import signal
import subprocess
import sys
import time
from multiprocessing import active_children
from multiprocessing.context import SpawnProcess
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from stemdock import StemdockError
from stemdock.batch.budget import divided
from stemdock.batch.claims import SetAsideError
from stemdock.batch.events import Done, Failed, Skipped, Started
from stemdock.batch.running import run_batch
from stemdock.batch.worker_pool import WorkerLostError, WorkerPool, WorkersUnusableError
from stemdock.batch.worker_process import Processes
from stemdock.batch.working import Ended
from stemdock.errors import (
    ArgumentError,
    AudioFileError,
    AudioFileNotFoundError,
    MemoryShortageError,
    ModelNotFoundError,
    NonFiniteSampleError,
    OutputConflictError,
    OutputExistsError,
    OutputTakenError,
    ThreadShortageError,
)
from stemdock.lib.cores import n_physical_cores
from stemdock.lib.processes import is_running
from stemdock.plugins import Plugins, load_plugins
from stemdock.types import Execution
from support.scripted import LONGEST, ScriptedRecipe, n_tries, plans, wait_for
from support.small_model import SmallPlugin

if TYPE_CHECKING:
    from stemdock.batch.events import BatchEvent, SongPlan

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="has no SIGKILL"),
]


def pool(
    folder: Path,
    n_workers: int = 2,
    *,
    n_songs: int = 1,
    fault: str = "",
    cleaned: list[SongPlan] | None = None,
) -> WorkerPool:
    clean = (lambda _: None) if cleaned is None else cleaned.append
    recipes = [ScriptedRecipe(folder, fault)] * n_workers
    return WorkerPool(recipes, Processes(), n_songs=n_songs, cancel=Event(), clean=clean)


def last_events(events: list[BatchEvent]) -> list[tuple[int, type[BatchEvent]]]:
    return [(event.plan.number, type(event)) for event in events if not isinstance(event, Started)]


def test_songs_are_shared_out_and_told_in_their_order(tmp_path: Path) -> None:
    songs = plans("after b", "b", "old c", "d")
    events = list(run_batch(songs, pool(tmp_path)))
    assert last_events(events) == [(1, Done), (2, Done), (3, Skipped), (4, Done)]
    assert len(list(tmp_path.glob("*.process"))) == 2
    assert active_children() == []


def test_a_worker_that_is_killed_loses_no_song(tmp_path: Path) -> None:
    events = list(run_batch(plans("a", "mortal", "b", "c"), pool(tmp_path)))
    assert last_events(events) == [(1, Done), (2, Done), (3, Done), (4, Done)]
    assert n_tries(tmp_path, "mortal") == 2
    assert [n_tries(tmp_path, name) for name in "abc"] == [1, 1, 1]


@pytest.mark.parametrize("n_songs", [1, 2])
def test_a_song_that_kills_its_worker_is_set_aside_after_three_tries(tmp_path: Path, n_songs: int) -> None:
    cleaned: list[SongPlan] = []
    songs = plans("a", "deadly", "b", "c", "d", "e")
    recipes = [ScriptedRecipe(tmp_path)] * 2
    workers = WorkerPool(recipes, Processes(), n_songs=n_songs, cancel=Event(), clean=cleaned.append)
    events = list(run_batch(songs, workers))
    assert last_events(events) == [
        (number, Failed if number == 2 else Done) for number in range(1, len(songs) + 1)
    ]
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert isinstance(failed.error, WorkerLostError)
    assert "deadly.wav" in str(failed.error)
    assert "signal 9" in str(failed.error)
    assert n_tries(tmp_path, "deadly") == 3
    assert [plan.number for plan in cleaned] == [2]


def test_a_song_beside_one_that_kills_its_worker_is_not_blamed(tmp_path: Path) -> None:
    events = list(run_batch(plans("deadly", "outlasting deadly"), pool(tmp_path, 1, n_songs=2)))
    assert last_events(events) == [(1, Failed), (2, Done)]


def test_an_error_that_cannot_travel_is_told_all_the_same(tmp_path: Path) -> None:
    (_, failed, _, done) = run_batch(plans("bad", "b"), pool(tmp_path, 1))
    assert isinstance(failed, Failed)
    assert (str(failed.error), failed.error.remedy) == ("cannot travel", "Stay.")
    assert isinstance(done, Done)


def test_cancelling_ends_the_songs_and_the_processes(tmp_path: Path) -> None:
    workers = pool(tmp_path, n_songs=2)
    events = []
    for event in run_batch(plans("endless 1", "endless 2", "endless 3", "endless 4", "e"), workers):
        events.append(event)
        if len(events) == 4:
            workers.cancel.set()
    assert [type(event) for event in events] == [Started] * 4
    assert active_children() == []


def test_who_stops_listening_ends_the_processes(tmp_path: Path) -> None:
    events = run_batch(plans("endless", "b", "c"), pool(tmp_path))
    next(iter(events))
    events.close()  # type: ignore[attr-defined]
    assert active_children() == []


def test_what_keeps_a_worker_from_loading_its_model_ends_the_batch(tmp_path: Path) -> None:
    with pytest.raises(StemdockError, match="no model"):
        list(run_batch(plans("a"), pool(tmp_path, fault="error")))
    with pytest.raises(WorkersUnusableError, match="signal 9"):
        list(run_batch(plans("a"), pool(tmp_path, fault="kill")))
    assert active_children() == []


def test_a_successor_that_cannot_load_the_model_ends_only_its_place(tmp_path: Path) -> None:
    events = list(run_batch(plans("mortal", "b", "c", "d"), pool(tmp_path, fault="later")))
    assert last_events(events) == [(number, Done) for number in (1, 2, 3, 4)]
    assert active_children() == []


def test_what_is_done_is_told_before_the_batch_ends_for_want_of_processes(tmp_path: Path) -> None:
    events: list[BatchEvent] = []
    batch = run_batch(plans("doomed b", "b"), pool(tmp_path, fault="later"))
    with pytest.raises(StemdockError, match="no memory any more"):
        events.extend(batch)
    assert last_events(events) == [(2, Done)]
    assert active_children() == []


def test_a_process_that_cannot_be_replaced_ends_only_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, n_started = SpawnProcess.start, 0

    def start_two(process: SpawnProcess) -> None:
        nonlocal n_started
        n_started += 1
        if n_started > 2:
            raise BlockingIOError(errno.EAGAIN, "")
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", start_two)
    assert [type(event) for event in run_batch(plans("mortal", "b", "c"), pool(tmp_path))].count(Done) == 3
    assert active_children() == []


def test_without_further_processes_those_that_started_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = SpawnProcess.start

    def start_one(process: SpawnProcess) -> None:
        if active_children():
            raise BlockingIOError(errno.EAGAIN, "")
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", start_one)
    with pytest.raises(ThreadShortageError, match="workers"):
        list(run_batch(plans("a", "b"), pool(tmp_path)))
    assert active_children() == []


def test_signals_to_all_processes_are_left_to_the_first(tmp_path: Path) -> None:
    workers = pool(tmp_path, 1)
    sent = False
    for event in run_batch(plans("a", "b"), workers):
        if isinstance(event, Started) and not sent:
            sent = True
            (path,) = tmp_path.glob("*.process")
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(int(path.stem), number)
    assert [n_tries(tmp_path, name) for name in "ab"] == [1, 1]
    assert len(list(tmp_path.glob("*.process"))) == 1


ORPHANS = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from threading import Event
from stemdock.batch.running import run_batch
from stemdock.batch.worker_pool import WorkerPool
from stemdock.batch.worker_process import Processes
from support.scripted import ScriptedRecipe, plans
if __name__ == "__main__":
    pool = WorkerPool([ScriptedRecipe(Path(sys.argv[1]))] * 2, Processes(), cancel=Event())
    list(run_batch(plans("endless 1", "endless 2"), pool))
"""


def test_when_the_first_process_is_killed_the_others_end(tmp_path: Path) -> None:
    program = tmp_path / "orphans.py"
    program.write_text(ORPHANS)
    with subprocess.Popen([sys.executable, program, tmp_path, Path(__file__).parents[2]]) as process:
        for number in (1, 2):
            wait_for(tmp_path / f"endless {number}.tries")
        process.kill()
    pids = [int(path.stem) for path in tmp_path.glob("*.process")]
    assert len(pids) == 2
    end = time.monotonic() + LONGEST
    while any(map(is_running, pids)):
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    "error",
    [
        StemdockError("a", remedy="b"),
        ArgumentError("name", 3, "a text"),
        AudioFileError("a.wav", "is short", remedy="b"),
        AudioFileNotFoundError("a.wav"),
        NonFiniteSampleError(3),
        OutputExistsError("a.wav"),
        OutputConflictError("a.wav", "b.wav"),
        MemoryShortageError("a", needed=1, limit=2, limit_name="of a"),
        ModelNotFoundError("a", ("b",)),
        WorkerLostError(Path("a"), 3, "by signal 9"),
        SetAsideError(Path("a"), 3, "a*.claim"),
        OutputTakenError("a.wav", "b.wav"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_pass_between_processes(error: StemdockError) -> None:
    passed = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(passed) is type(error)
    assert (str(passed), passed.remedy, vars(passed)) == (str(error), error.remedy, vars(error))


def test_plug_ins_pass_between_processes(tmp_path: Path) -> None:
    plugins = load_plugins()
    plugins.register(SmallPlugin(tmp_path), "small", "a test")
    passed = pickle.loads(pickle.dumps(plugins))  # noqa: S301
    assert {status.name: status for status in passed.status} == {
        status.name: status for status in plugins.status
    }
    assert [entry.name for entry in passed.models()] == [entry.name for entry in plugins.models()]
    assert pickle.loads(pickle.dumps(Plugins())).status == ()  # noqa: S301


def test_workers_share_threads_and_memory() -> None:
    shares = divided(Execution(n_threads=7, memory=3000, provider="cpu"), 3)
    assert [share.n_threads for share in shares] == [3, 2, 2]
    assert {(share.memory, share.provider) for share in shares} == {(1000, "cpu")}
    assert divided(Execution(), 1) == [Execution()]
    usual = divided(Execution(), 2)
    assert sum(share.n_threads for share in usual) == max(2, n_physical_cores())
    assert all(share.memory for share in usual)


def test_workers_beyond_the_least_number_come_with_songs_and_go_without(tmp_path: Path) -> None:
    workers = WorkerPool([ScriptedRecipe(tmp_path)] * 2, Processes(), n_least=1, cancel=Event(), idle=0)

    def until_ended(n_songs: int) -> None:
        end = time.monotonic() + LONGEST
        while n_songs:
            assert time.monotonic() < end
            n_songs -= isinstance(workers.get(0.1), Ended)

    with workers:
        assert len(active_children()) == 1
        for first, second in (("after b", "b"), ("after d", "d")):
            for plan in plans(first, second):  # the first ends only if there is another worker
                workers.put(plan)
            until_ended(2)
            end = time.monotonic() + LONGEST
            while len(active_children()) > 1:
                assert time.monotonic() < end
                assert workers.get(0.1) is None
    assert active_children() == []
