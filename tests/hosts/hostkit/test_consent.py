"""Who allows the download of a missing model."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from stemdock_hostkit import client
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.job.states import JobProgress, JobResult
from stemdock_reaper.commands.work import command as work

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setenv("STEMDOCK_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(client, "submit", lambda _: None)
    monkeypatch.setattr(client, "_LOOK_EVERY", 60.0)
    folder = tmp_path / "job"
    folder.mkdir()
    job = Job(folder)
    job.add_progress(JobProgress(state="asking", text="Download it?"))
    return job


def end(job: Job) -> None:
    job.write_result(JobResult(status="cancelled"))


def test_an_editor_that_cannot_ask_allows_it(job: Job) -> None:
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(client.run, job)
        while not job.is_download_allowed:
            assert not outcome.done()
        end(job)
    assert outcome.result().status == "cancelled"


def test_an_editor_that_asks_waits_for_the_answer(job: Job) -> None:
    consent, seen = Event(), Event()
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(client.follow, job, on_progress=lambda _: seen.set(), consent=consent)
        assert seen.wait(20)
        time.sleep(0.25)
        assert not (job.folder / "download").exists()
        consent.set()
        while not job.is_download_allowed:
            assert not outcome.done()
        end(job)


def test_the_command_that_reaper_starts_leaves_the_answer_to_reaper(job: Job) -> None:
    assert work.callback
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(work.callback, job.folder)
        time.sleep(0.3)
        assert not job.is_download_allowed
        end(job)
    assert outcome.result() == 130
