"""What is left in the queue by a power failure stops no request."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pytest
import soundfile

from stemdock_audacity.capture.request import CapturedTrack, Request
from stemdock_audacity.courier import Courier
from stemdock_audacity.jobs.job import AudacityJob, add_job
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_hostkit import client
from stemdock_hostkit.errors import InterruptedJobError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RATE = 8000


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JobQueue:
    """A queue whose jobs are not separated."""

    interrupted = mock.Mock(side_effect=InterruptedJobError(tmp_path))
    monkeypatch.setattr(client, "follow", interrupted)
    queue = JobQueue(folder=tmp_path / "queue")
    queue.prepare()
    return queue


def added(queue: JobQueue, name: str = "Song") -> AudacityJob:
    track = CapturedTrack(
        index=0, name=name, sample_rate=RATE, n_channels=2,
        start_sample=0, length=100, audio_start=0, audio_end=100,
    )  # fmt: skip
    soundfile.write(queue.inbox / "track-1.wav", np.zeros((100, 2)), RATE, subtype="FLOAT")
    request = Request(
        model="2stems", stems=(), remainder=False, mute_original=False, tracks=(track,),
        project_rate=float(RATE),
    )  # fmt: skip
    return add_job(request, queue.inbox, queue.jobs_folder)


def carry_out(queue: JobQueue, job: AudacityJob) -> None:
    queue.tidy()
    Courier(queue, job).serve(lambda _: None, Event())
    queue.tidy()
    assert job.phase().phase == "failed"


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(b'{"title": "Caf\xc3'), id="half a line"),
        pytest.param(lambda path: path.write_bytes(b"\0" * 4096), id="zeros"),
        pytest.param(lambda path: path.mkdir(), id="folder"),
    ],
)
def test_damaged_outcomes_stop_no_request(queue: JobQueue, damage: Callable[[Path], None]) -> None:
    outcomes = queue.folder / "recent.jsonl"
    damage(outcomes)
    job = added(queue)
    carry_out(queue, job)
    if outcomes.is_file():
        assert queue.recent()[-1].message == job.phase().message


def test_a_title_that_no_file_can_hold_stops_no_request(queue: JobQueue) -> None:
    job = added(queue, "lone \udcff")
    carry_out(queue, job)
    assert r"lone \udcff" in str(queue.recent()[-1])
    assert r"lone \udcff" in (queue.folder / "status.txt").read_text("utf-8")


def test_a_status_that_cannot_be_written_stops_no_request(queue: JobQueue) -> None:
    (queue.folder / "status.txt").mkdir()
    carry_out(queue, added(queue))


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{", b"[]"])
@pytest.mark.parametrize("name", ["job.json", "delivery.json"])
def test_a_damaged_job_stops_no_request(queue: JobQueue, name: str, content: bytes) -> None:
    job = added(queue)
    (job.folder / name).write_bytes(content)
    carry_out(queue, job)


def test_a_killed_process_leaves_no_file_that_the_next_does_not_replace(queue: JobQueue) -> None:
    for path in queue.folder / "status.part", queue.folder / "recent.part":
        path.write_text("killed")
    job = added(queue)
    (job.folder / "delivery.part").write_text("killed")
    carry_out(queue, job)
    assert not list(queue.folder.rglob("*.part"))
