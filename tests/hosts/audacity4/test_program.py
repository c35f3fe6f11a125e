"""The program that the extension starts: what it offers, and that a job has a result whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_audacity.audacity4 import program
from stemdock_hostkit.job.folder import Job
from support.host_jobs import make_job, source

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-P", "-m", program.__name__]
PARENT = """
import subprocess, sys
subprocess.Popen(sys.argv[1:])
sys.stdin.read()
"""


def endless(tmp_path: Path, example: Path) -> Path:
    """A job that takes minutes."""
    return make_job(tmp_path, *(source(example, f"s{i}", start=0.0, duration=None) for i in range(200)))


def result_of(folder: Path) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while not (folder / "result.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    content: dict[str, Any] = json.loads((folder / "result.json").read_text("ascii"))
    return content


def wait_for_work(folder: Path) -> None:
    deadline = time.monotonic() + 60
    while not ((progress := Job(folder).progress()) and progress.state == "separating"):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_prints_nothing_but_the_models(tmp_path: Path) -> None:
    # A file in the folder in which Audacity was started is not imported.
    (tmp_path / "json.py").write_text("raise SystemExit('imported')")
    environment = {**os.environ, "STEMDOCK_MODELS": str(tmp_path / "models")}
    done = subprocess.run(
        [*COMMAND, "models"], capture_output=True, text=True, check=True, cwd=tmp_path, env=environment
    )
    models = json.loads(done.stdout)["models"]
    assert models[0] == {
        "name": "2stems",
        "stems": [
            {"name": "vocals", "title": "Vocals"},
            {"name": "accompaniment", "title": "Accompaniment"},
        ],
        "installed": True,
    }
    assert [model["name"] for model in models if model["installed"]] == ["2stems"]
    (four,) = (model for model in models if model["name"] == "4stems")
    assert four["size"] == "157 MB"
    assert four["source"].startswith("https://github.com/deezer/spleeter/")
    assert done.stderr == ""


def test_a_job_is_done(tmp_path: Path, example: Path) -> None:
    folder = make_job(tmp_path, source(example))
    done = subprocess.run([*COMMAND, "work", folder], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert result_of(folder)["status"] == "ok"


def test_without_a_job_there_is_a_result_that_says_so(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, "work", tmp_path], capture_output=True, check=False)
    assert done.returncode == 1
    assert result_of(tmp_path)["error"]["code"] == "JobError"


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_signal_cancels_the_job(tmp_path: Path, example: Path) -> None:
    folder = endless(tmp_path, example)
    with subprocess.Popen([*COMMAND, "work", folder]) as process:
        wait_for_work(folder)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130
    assert result_of(folder)["status"] == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="there, the library ends the program")
def test_the_job_ends_with_audacity(tmp_path: Path, example: Path) -> None:
    folder = endless(tmp_path, example)
    command = [sys.executable, "-c", PARENT, *COMMAND, "work", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as audacity:
        wait_for_work(folder)
        audacity.kill()
    assert result_of(folder)["status"] == "cancelled"
