"""Faults around the kit, with real processes: nothing is lost, a clear message, and the next job works."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_hostkit import client
from stemdock_hostkit.errors import JobError
from stemdock_hostkit.job.folder import Job, remove_old_jobs
from stemdock_hostkit.worker.places import worker_folder
from support.background_worker import bare_environment, the_worker
from support.host_jobs import left, make_job, source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

_DAY = 24 * 3600


@pytest.fixture
def job(tmp_path: Path, example: Path) -> Iterator[Path]:
    """A job; after the test, the next one must work."""
    yield make_job(tmp_path, source(example, duration=0.5))
    before = left(tmp_path / "Média")
    following = Job(make_job(tmp_path, source(example, duration=0.5, name="Next"), name="next"))
    result = client.run(following)
    assert (result.status, result.faults) == ("ok", ())
    assert left(tmp_path / "Média") == sorted([*before, "Next - Accompaniment.wav", "Next - Vocals.wav"])
    assert not list((tmp_path / "Média").glob(".*"))


def host(folder: Path) -> subprocess.Popen[bytes]:
    """An editor's process, which hands a job over and waits for it."""
    command = [sys.executable, "-m", "stemdock", "reaper", "work", str(folder)]
    return subprocess.Popen(command, env=bare_environment(), cwd="/", stderr=subprocess.PIPE)


def test_two_hosts_ask_at_the_same_moment(tmp_path: Path, example: Path, job: Path) -> None:
    other = make_job(tmp_path, source(example, duration=0.5), name="other", host={"name": "Audacity"})
    processes = [host(folder) for folder in (job, other)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert (process.returncode, errors) == (0, b"")
    assert len(left(tmp_path / "Média")) == 4
    assert the_worker().is_running()  # both may have started one; of those, one has to end


def test_a_host_that_is_killed_gets_its_stems_all_the_same(tmp_path: Path, job: Path) -> None:
    with host(job) as process:
        deadline = time.monotonic() + 60
        while not Job(job).is_claimed:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    assert client.follow(Job(job)).status == "ok"
    assert left(tmp_path / "Média") == ["Song - Accompaniment.wav", "Song - Vocals.wav"]


def test_a_job_folder_that_vanishes_is_told_to_the_host(tmp_path: Path, job: Path) -> None:
    client.submit(Job(job))
    shutil.rmtree(job)
    with pytest.raises(JobError):
        client.follow(Job(job))
    assert left(tmp_path / "Média") == []


@pytest.fixture
def read_only(job: Path) -> Iterator[Path]:
    """The job, on a file system that takes no more."""
    content = (job / "job.json").read_bytes()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "none", str(job)], capture_output=True, check=False
    ).returncode:
        pytest.skip("no right to mount a file system")
    try:
        (job / "job.json").write_bytes(content)
        subprocess.run(["mount", "-o", "remount,ro", str(job)], check=True)
        yield job
    finally:
        subprocess.run(["umount", str(job)], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mounts as Linux does")
def test_a_read_only_job_folder_is_told(tmp_path: Path, read_only: Path) -> None:
    with pytest.raises(JobError, match="could not write its result there"):
        client.run(Job(read_only))
    with host(read_only) as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert b"could not write its result there" in errors
    assert b"Traceback" not in errors
    assert left(tmp_path / "Média") == []


def test_a_job_of_the_first_version_is_told_what_to_do(tmp_path: Path, example: Path, job: Path) -> None:
    content: dict[str, Any] = {"protocol": 0, "host": {"name": "REAPER"}}
    old = Job(make_job(tmp_path, source(example), name="old", **content))
    (fault,) = client.run(old).faults
    assert (fault.code, fault.remedy) == (
        "JobVersionError", "Close REAPER, and run in a terminal: plugin-cli reaper install"
    )  # fmt: skip
    assert client.run(Job(job)).status == "ok"


def test_a_clock_that_was_set_back_does_no_harm(tmp_path: Path, example: Path, job: Path) -> None:
    """All that was made before it lies in the future."""
    waiting = make_job(tmp_path, source(example, duration=0.5), name="waiting")
    client.submit(Job(job))
    the_worker()
    client.submit(Job(waiting))
    tomorrow = time.time() + _DAY
    for folder in (job.parent, worker_folder()):
        for path in (folder, *folder.rglob("*")):
            if path.exists():
                os.utime(path, (tomorrow, tomorrow))
    assert [client.follow(Job(folder)).status for folder in (job, waiting)] == ["ok", "ok"]
    assert remove_old_jobs(job.parent) == 0
    assert len(left(tmp_path / "Média")) == 4


def test_a_worker_that_is_killed_after_its_work_loses_nothing(tmp_path: Path, job: Path) -> None:
    assert client.run(Job(job)).status == "ok"
    the_worker().kill()
    assert Job(job).result() == client.follow(Job(job))
    assert left(tmp_path / "Média") == ["Song - Accompaniment.wav", "Song - Vocals.wav"]


_KILLED_WHILE_NAMING = """
import os, signal, sys
from pathlib import Path
from stemdock_hostkit.job.folder import Job
from stemdock_hostkit.worker import naming, running
from stemdock_hostkit.worker.models import Models

genuine, moved = naming.move_all_to_place, []

def move(*arguments, **options):
    genuine(*arguments, **options)
    moved.append(arguments)
    if len(moved) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

naming.move_all_to_place = move
running.run_job(Job(Path(sys.argv[1])), Models().open)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_worker_that_is_killed_while_stems_get_their_names_leaves_none(
    tmp_path: Path, example: Path, job: Path
) -> None:
    sources = (source(example, f"s{n}", duration=0.2, name=f"Part {n}") for n in range(3))
    folder = make_job(tmp_path, *sources, name="killed")
    killed = subprocess.run([sys.executable, "-c", _KILLED_WHILE_NAMING, str(folder)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len([name for name in left(tmp_path / "Média") if name.startswith("Part")]) == 4
    # Somebody else has taken one of the names meanwhile.
    taken = tmp_path / "Média" / "Part 0 - Vocals.wav"
    taken.unlink()
    taken.write_text("another program's")

    (fault,) = client.run(Job(folder)).faults
    assert fault.code == "InterruptedJobError"
    assert [name for name in left(tmp_path / "Média") if name.startswith("Part")] == [taken.name]
    assert client.run(Job(job)).status == "ok"


def test_a_host_that_removes_its_job_keeps_nobody_waiting(tmp_path: Path, example: Path, job: Path) -> None:
    endless = make_job(tmp_path, *(source(example, f"s{n}", duration=None) for n in range(200)), name="long")
    client.submit(Job(endless))
    deadline = time.monotonic() + 60
    while (progress := Job(endless).progress()) is None or progress.state != "separating":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    Job(endless).cancel()
    Job(endless).remove()
    assert client.run(Job(job)).status == "ok"
    assert left(tmp_path / "Média") == ["Song - Accompaniment.wav", "Song - Vocals.wav"]
