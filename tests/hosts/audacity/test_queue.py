"""The queue and its worker without Audacity: what is left there by a power failure stops nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from stemdock_audacity import worker
from stemdock_audacity.job import Job, JobState
from stemdock_audacity.job_queue import JobQueue
from stemdock_audacity.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    """A queue whose worker opens no window and ends when there is nothing to do."""
    monkeypatch.setattr(worker, "start_detached", lambda *_: None)
    monkeypatch.setattr(worker, "IDLE_TIME", 0.0)
    queue = JobQueue(folder=tmp_path / "queue")
    queue.prepare()
    return queue


def add_job(queue: JobQueue, title: str = "Song", *, state: str = "queued") -> Job:
    """A job for a model that is not there."""
    job = Job(folder=queue.folder / "jobs" / "0101-1")
    job.folder.mkdir()
    request = {"model": "nosuch", "stems": [], "remainder": False, "mute_original": False, "tracks": []}
    (job.folder / "request.json").write_text(json.dumps({**request, "project_rate": 44100.0}))
    values = {"state": state, "title": title, "share": 0.0, "message": "", "worker": 0, "audacity": 0}
    (job.folder / "state.json").write_text(json.dumps(values))
    return job


def run_worker(queue: JobQueue) -> None:
    """One round of the worker."""
    one = Worker(queue)
    one.run()
    for job in worker._waiting(queue):
        one._serve(job)


def state_of(job: Job) -> JobState:
    state = job.state()
    assert state
    return state


@pytest.mark.parametrize("state", ["queued", "separating"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b"12:00:00 Caf\xc3"), id="half a character"),
        pytest.param(lambda path: path.write_bytes(b"\0" * 4096), id="zeros"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
    ],
)
def test_damaged_outcomes_stop_no_worker(queue: JobQueue, state: str, damage: Callable[[Path], None]) -> None:
    damage(queue.folder / "recent.txt")
    job = add_job(queue, state=state)
    run_worker(queue)
    assert state_of(job).state == "failed"
    if (queue.folder / "recent.txt").is_file():
        assert queue.recent()[-1].split(" ", 1)[1] == f"Song: {state_of(job).message}"
    run_worker(queue)
    assert state_of(job).state == "failed"


def test_a_title_that_no_file_can_hold_stops_no_worker(queue: JobQueue) -> None:
    job = add_job(queue, "lone \udcff")
    run_worker(queue)
    assert state_of(job).state == "failed"
    assert r"lone \udcff" in queue.recent()[-1]
    assert r"lone \udcff" in (queue.folder / "status.txt").read_text("utf-8")


def test_a_status_that_cannot_be_written_stops_no_worker(queue: JobQueue) -> None:
    (queue.folder / "status.txt").mkdir()
    job = add_job(queue)
    run_worker(queue)
    assert state_of(job).state == "failed"


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{", b"[]"])
@pytest.mark.parametrize("name", ["state.json", "request.json"])
def test_a_damaged_job_stops_no_worker(queue: JobQueue, name: str, content: bytes) -> None:
    job = add_job(queue)
    (job.folder / name).write_bytes(content)
    run_worker(queue)
    state = job.state()
    assert state is None if name == "state.json" else state is not None and state.state == "failed"
