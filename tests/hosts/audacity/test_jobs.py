"""Requests as jobs of the kit, and what becomes of them, without Audacity."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import AudacityTrack, StemdockError, try_locked
from stemdock_audacity.capture.request import CapturedTrack, Request
from stemdock_audacity.courier import Courier
from stemdock_audacity.delivery.project import write_project
from stemdock_audacity.delivery.stem_tracks import stem_tracks
from stemdock_audacity.errors import SeparationError
from stemdock_audacity.jobs.job import AudacityJob, Phase, add_job, describe
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_hostkit.job.states import JobProgress
from stemdock_hostkit.worker.running import run_job
from support.reaper_model.known_separator import SHARES, known_separator

if TYPE_CHECKING:
    from pathlib import Path


SAMPLE_RATE = 8000
TRACK = CapturedTrack(
    index=0, name="Song", sample_rate=SAMPLE_RATE, n_channels=2,
    start_sample=0, length=40_000, audio_start=0, audio_end=40_000,
)  # fmt: skip
REQUEST = Request(
    model="2stems", stems=(), remainder=False, mute_original=False, tracks=(TRACK,),
    project_rate=float(SAMPLE_RATE),
)  # fmt: skip
GONE = 1 << 30
"""A number that no process has."""


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    queue = JobQueue(folder=tmp_path / "queue")
    queue.prepare()
    return queue


def added(queue: JobQueue, request: Request = REQUEST, mixture: np.ndarray | None = None) -> AudacityJob:
    samples = np.zeros((40_000, 2)) if mixture is None else mixture
    soundfile.write(queue.inbox / "track-1.wav", samples, SAMPLE_RATE, subtype="FLOAT")
    return add_job(request, queue.inbox, queue.jobs_folder)


def separated(job: AudacityJob) -> tuple[AudacityTrack, ...]:
    run_job(job.kit, lambda *_: known_separator())
    result = job.kit.result()
    assert result is not None
    return stem_tracks(job.details().request, result)


def former_job(queue: JobQueue, name: str = "1126-100000-000001") -> Path:
    """What the version before the common worker left."""
    folder = queue.jobs_folder / name
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps(asdict(REQUEST)), "utf-8")
    (folder / "state.json").write_text(json.dumps({"state": "queued", "title": "Song"}), "utf-8")
    soundfile.write(folder / "track-1.wav", np.zeros((40_000, 2)), SAMPLE_RATE, subtype="FLOAT")
    return folder


def test_silence_around_a_track_is_not_separated(queue: JobQueue) -> None:
    mixture = np.random.default_rng(3).uniform(-0.5, 0.5, (40_000, 2)).astype(np.float32)
    track = replace(TRACK, audio_start=9000, audio_end=33_000)
    job = added(queue, replace(REQUEST, tracks=(track,)), mixture)
    stems = separated(job)
    assert [(stem.start, stem.length) for stem in stems] == [(9000 / SAMPLE_RATE, 24_000)] * 2
    for stem in stems:
        samples, _ = soundfile.read(stem.audio, dtype="float32")
        share = SHARES[stem.name.partition(" ")[0]]
        np.testing.assert_array_equal(samples, mixture[9000:33_000] * np.float32(share))
    assert [path.name for path in job.folder.rglob("*.wav") if path.parent == job.folder] == []


def test_a_stem_and_everything_else(queue: JobQueue) -> None:
    mixture = np.random.default_rng(3).uniform(-0.5, 0.5, (40_000, 2)).astype(np.float32)
    stems = separated(added(queue, replace(REQUEST, stems=("vocals",), remainder=True), mixture))
    assert [stem.name for stem in stems] == [
        "vocals \N{EN DASH} Song",
        "everything but vocals \N{EN DASH} Song",
    ]
    parts = [soundfile.read(stem.audio, dtype="float32")[0] for stem in stems]
    np.testing.assert_allclose(parts[0] + parts[1], mixture, atol=1e-6)


def test_an_export_that_stopped_early_is_an_error(queue: JobQueue) -> None:
    track = replace(TRACK, length=50_000, audio_end=50_000)
    with pytest.raises(StemdockError, match="exported 40000 of 50000 samples of Song"):
        separated(added(queue, replace(REQUEST, tracks=(track,))))


def test_a_stem_that_the_model_does_not_have_is_an_error(queue: JobQueue) -> None:
    with pytest.raises(SeparationError, match="drums"):
        separated(added(queue, replace(REQUEST, stems=("drums",))))


def test_tracks_get_names_that_audacity_can_give_back(queue: JobQueue) -> None:
    """A name with controls would be changed by the import, and the import be taken back as a failure."""
    track = replace(TRACK, name="a\x01\x1b\u202eb\xa0c")
    names = [stem.name for stem in separated(added(queue, replace(REQUEST, tracks=(track,))))]
    assert names == [f"{stem} \N{EN DASH} a\\x01\\x1b\\u202eb\xa0c" for stem in SHARES]


@pytest.mark.parametrize(("version", "offset"), [((3, 2, 4), 1.5), ((3, 7, 3), 0.75), ((), 1.5)])
def test_starts_are_written_as_this_audacity_reads_them(
    tmp_path: Path, version: tuple[int, ...], offset: float
) -> None:
    """3.7 scales the start of a clip when its track gets a rate of its own."""
    stem = AudacityTrack(
        name="a", audio="/a.wav", sample_rate=22050, n_channels=1, length=100, start=1.5
    )  # fmt: skip
    write_project(tmp_path / "stems.aup", [stem], 44100.0, version)
    assert f'offset="{offset}"' in (tmp_path / "stems.aup").read_text("utf-8")


def test_stems_that_wait_are_listed_until_they_are_brought_in(queue: JobQueue) -> None:
    jobs = [added(queue) for _ in range(4)]
    for job in jobs[:3]:
        job.project.write_text("")
    jobs[0].update(Phase(phase="ready"))
    queue.fail(jobs[1], "the project is gone")
    jobs[2].update(Phase(phase="delivering", courier=os.getpid()))
    queue.fail(jobs[3], "no")
    queue.write_status()
    ready = (queue.folder / "ready.txt").read_text("utf-8").splitlines()
    assert ready == [job.project.as_posix() for job in jobs[:2]]
    assert describe(jobs[0]) == "Song: ready to be brought in"

    jobs[0].project.with_name("stems.aup.imported").touch()
    queue.tidy()
    assert not jobs[0].folder.exists()
    assert jobs[1].project.exists()


def test_states_in_words(queue: JobQueue) -> None:
    job = added(queue)
    assert describe(job) == "Song: waiting"
    job.kit.add_progress(JobProgress(state="separating", fraction=0.426))
    assert describe(job) == "Song: separating, 43%"
    job.update(Phase(phase="delivering", message="a dialog is open"))
    assert describe(job) == "Song: importing the stems into Audacity (a dialog is open)"
    queue.fail(job, "no")
    assert describe(job) == "Song: failed: no"


def test_stems_arrive_in_the_order_of_the_requests(queue: JobQueue) -> None:
    jobs = [added(queue) for _ in range(3)]
    assert queue.jobs() == jobs
    for job in jobs:
        job.update(Phase(courier=os.getpid()))
    assert [queue.is_next(job) for job in jobs] == [True, False, False]
    queue.fail(jobs[0], "no")
    assert queue.is_next(jobs[1])
    jobs[1].update(Phase(courier=GONE))
    assert queue.is_next(jobs[2])


def test_a_job_whose_courier_was_killed_is_reported(queue: JobQueue) -> None:
    job = added(queue)
    job.update(Phase(courier=GONE))
    queue.tidy()
    assert job.kit.is_cancelled
    assert str(queue.recent()[-1]).endswith(
        "Song: the separation was interrupted. Start it again in Audacity"
    )
    queue.tidy()
    assert len(queue.recent()) == 1


def test_a_job_that_no_courier_takes_is_reported(queue: JobQueue) -> None:
    job = added(queue)
    queue.tidy()
    assert job.phase().phase == "separating"
    os.utime(job.folder / "job.json", (0, 0))
    queue.tidy()
    assert job.phase().phase == "failed"


def test_whatever_happens_to_a_courier_is_reported(queue: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("unforeseen")

    monkeypatch.setattr("stemdock_audacity.courier.client.follow", fail)
    job = added(queue)
    ending = Courier(queue, job).serve(lambda _: None, Event())
    assert (ending.kind, job.phase().phase) == ("failed", "failed")
    assert "unforeseen" in str(queue.recent()[-1])
    assert "ZeroDivisionError" in job.kit.log.read_text("utf-8")


def test_a_request_of_an_earlier_version_is_reported(queue: JobQueue) -> None:
    folder = former_job(queue)
    queue.tidy()
    assert "an earlier version of Stemdock did not finish it" in str(queue.recent()[-1])
    assert list(folder.glob("*.wav")) == []
    queue.tidy()
    assert len(queue.recent()) == 1


def test_an_earlier_version_that_is_still_at_work_is_left_alone(queue: JobQueue) -> None:
    folder = former_job(queue)
    with try_locked(queue.folder / "worker.lock") as is_ours:
        assert is_ours
        queue.tidy()
    assert queue.recent() == []
    assert (folder / "track-1.wav").exists()


def test_stems_that_an_earlier_version_kept_are_reported_and_stay(queue: JobQueue) -> None:
    folder = former_job(queue)
    (folder / "stems.aup").touch()
    queue.tidy()
    assert f"the stems are kept in {folder / 'stems.aup'}" in str(queue.recent()[-1])
    assert (folder / "track-1.wav").exists()
    assert [job.folder for job in queue.jobs()] == [folder]


def test_damaged_requests_of_an_earlier_version_harm_nobody(queue: JobQueue) -> None:
    for content in ("", "[]", "\0"):
        (former_job(queue, f"x{len(content)}") / "request.json").write_text(content)
    queue.tidy()
    assert queue.recent() == []


def test_texts_for_people_have_no_controls(queue: JobQueue) -> None:
    job = added(queue, replace(REQUEST, tracks=(replace(TRACK, name="a\x1b[2J\nb\udcff"),)))
    queue.note("a\x1b[2J\nb\udcff\u202e", "failed", message="bad")
    queue.write_status()
    text = (queue.folder / "status.txt").read_text("utf-8")
    assert text == f"{job.id}  a\\x1b[2J\\nb\\udcff: waiting\n"
    assert str(queue.recent()[0]).endswith(r" a\x1b[2J b\udcff\u202e: bad")
