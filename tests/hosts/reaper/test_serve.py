"""`plugin-cli reaper serve` does what the script may not start, and keeps going."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from stemdock_hostkit.errors import JobError
from stemdock_reaper.commands import command
from support.child_signals import default_signals

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("name", "reason"), [("nope", "no such folder"), ("file", "is not a folder")])
def test_a_wrong_folder_is_refused_at_once(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JobError, match=f"{name}: {reason}$"):
        CliRunner().invoke(
            command, ["serve", str(tmp_path / name)], standalone_mode=False, catch_exceptions=False
        )


@pytest.mark.slow
def test_jobs_are_done_one_after_the_other(tmp_path: Path, example: Path) -> None:
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    words = [sys.executable, "-m", "stemdock", "reaper", "serve", str(jobs)]
    with default_signals():
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    printed: list[str] = []
    with process:
        try:
            for name in ("first", "damaged", "second"):
                folder = jobs / name
                folder.mkdir()
                source = {"id": "s1", "name": name, "path": str(example), "start": 1.0, "duration": 1.0}
                job = {"protocol": 2, "model": "2stems", "sources": [source]}
                job["output_dir"] = str(tmp_path / "Media")
                text = "{" if name == "damaged" else json.dumps(job)
                (folder / "job.json.part").write_text(text)
                (folder / "job.json.part").rename(folder / "job.json")
                assert process.stdout
                printed.append(process.stdout.readline())
                # The process is alive and well after each of them.
                assert process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert printed == ["first: ok\n", "damaged: error\n", "second: ok\n"]
    assert process.returncode == 130
    assert len(list((tmp_path / "Media").iterdir())) == 4
