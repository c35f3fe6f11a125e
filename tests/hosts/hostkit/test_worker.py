"""The worker as a process of its own: one for all, warm, and with an answer for every job."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock_hostkit import client
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker.places import worker_folder
from stemdock_hostkit.worker.queue import Queue
from stemdock_hostkit.worker.starting import ensure_worker
from support.background_worker import bare_environment, the_worker, workers
from support.child_signals import default_signals
from support.file_limits import files_up_to
from support.host_jobs import left, make_job, source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.slow


def start(folder: Path, **settings: Any) -> subprocess.Popen[bytes]:
    """The process that the script in REAPER starts, with the bare environment that REAPER may have."""
    command = [sys.executable, "-m", "stemdock", "reaper", "work", str(folder)]
    with default_signals():
        return subprocess.Popen(command, env=bare_environment(), cwd=folder.parent, **settings)


def result_of(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "result.json").read_text("ascii"))
    return content


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.02)


def is_in(folder: Path, state: str) -> bool:
    progress = Job(folder).progress()
    return progress is not None and progress.state == state


def endless(tmp_path: Path, example: Path, name: str = "{0F}") -> Path:
    """A job that takes minutes."""
    sources = (source(example, f"s{i}", start=0.0, duration=None) for i in range(200))
    return make_job(tmp_path, *sources, name=name)


def test_the_genuine_model_in_a_process_of_its_own(tmp_path: Path, example: Path) -> None:
    folder = make_job(tmp_path, source(example, start=2.0, duration=3.0))
    with start(folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, output, errors) == (0, b"", b"")
    (entry,) = result_of(folder)["sources"]

    from stemdock import Separator  # noqa: PLC0415  heavy

    whole, rate = soundfile.read(example, dtype="float32", always_2d=True)
    wanted = Separator("2stems").separate(whole[2 * rate : 5 * rate], rate)
    for stem in entry["stems"]:
        samples, _ = soundfile.read(stem["path"], dtype="float32")
        np.testing.assert_allclose(samples, wanted[stem["name"]], atol=1e-6)
    assert is_in(folder, "separating")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_the_next_job_finds_the_model_loaded(tmp_path: Path, example: Path) -> None:
    pids = []
    for name in ("first", "second"):
        assert client.run(Job(make_job(tmp_path, source(example), name=name))).status == "ok"
        pids.append(the_worker().pid)
    assert len(set(pids)) == 1


def test_jobs_are_done_in_the_order_in_which_they_were_handed_over(tmp_path: Path, example: Path) -> None:
    jobs = [Job(make_job(tmp_path, source(example, duration=0.5), name=name)) for name in "cab"]
    for job in jobs:
        client.submit(job)
    for job in jobs:
        assert client.follow(job).status == "ok"
    written = [(job.folder / "result.json").stat().st_mtime_ns for job in jobs]
    assert written == sorted(written)


def test_a_job_that_waits_is_shown_as_waiting_and_can_be_cancelled(tmp_path: Path, example: Path) -> None:
    first, second = endless(tmp_path, example), make_job(tmp_path, source(example), name="second")
    client.submit(Job(first))
    wait_until(lambda: is_in(first, "separating"))
    client.submit(Job(second))
    wait_until(lambda: is_in(second, "waiting"), 10)
    Job(second).cancel()
    assert client.follow(Job(second)).status == "cancelled"
    assert not (first / "result.json").exists()
    Job(first).cancel()
    assert client.follow(Job(first)).status == "cancelled"
    assert left(tmp_path / "Média") == []


def test_two_starters_give_one_worker(tmp_path: Path, example: Path) -> None:
    folder = worker_folder()
    threads = [Thread(target=ensure_worker, args=[folder]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    the_worker()
    jobs = [Job(make_job(tmp_path, source(example, duration=0.2), name=f"{n}")) for n in range(3)]
    results: list[str] = []
    threads = [Thread(target=lambda job: results.append(client.run(job).status), args=[job]) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["ok"] * 3
    assert len(workers(folder.parents[1])) == 1


@pytest.mark.parametrize("state", ["loading", "separating"])
def test_a_killed_worker_is_reported_and_the_next_job_works(
    tmp_path: Path, example: Path, state: str
) -> None:
    first, second = endless(tmp_path, example), make_job(tmp_path, source(example), name="second")
    client.submit(Job(first))
    client.submit(Job(second))
    wait_until(lambda: is_in(first, state))
    the_worker().kill()
    result = client.follow(Job(first))
    assert result.error is not None
    assert (result.status, result.error.code) == ("error", "InterruptedJobError")
    assert "interrupted" in result.error.message
    assert client.follow(Job(second)).status == "ok"
    assert left(tmp_path / "Média") == ["Song - Accompaniment.wav", "Song - Vocals.wav"]
    assert Queue(worker_folder()).tickets() == []


def test_a_worker_told_to_end_leaves_an_answer_and_no_stems(tmp_path: Path, example: Path) -> None:
    folder = endless(tmp_path, example)
    client.submit(Job(folder))
    wait_until(lambda: is_in(folder, "separating"))
    process = the_worker()
    process.terminate()
    wait_until(lambda: not process.is_running(), 10)
    assert result_of(folder)["error"]["code"] == "InterruptedJobError"
    assert left(tmp_path / "Média") == []


def test_a_cancel_file_stops_the_job(tmp_path: Path, example: Path) -> None:
    folder = endless(tmp_path, example)
    with start(folder) as process:
        wait_until(lambda: is_in(folder, "separating"))
        (folder / "cancel").touch()
        assert process.wait(60) == 130
    assert result_of(folder)["status"] == "cancelled"
    assert left(tmp_path / "Média") == []


def test_the_command_that_waits_takes_its_job_along(tmp_path: Path, example: Path) -> None:
    folder = endless(tmp_path, example)
    with start(folder) as process:
        wait_until(lambda: is_in(folder, "separating"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
    assert client.follow(Job(folder)).status == "cancelled"
    assert left(tmp_path / "Média") == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limits on file sizes")
def test_a_disk_that_takes_no_more_is_told_and_left_clean(tmp_path: Path, example: Path) -> None:
    folder = make_job(tmp_path, source(example))
    with files_up_to(100_000), start(folder) as process:
        assert process.wait(60) == 1
    error = result_of(folder)["error"]
    assert error["code"] == "OutputError"
    assert "free disk space" in error["hint"]
    assert left(tmp_path / "Média") == []
