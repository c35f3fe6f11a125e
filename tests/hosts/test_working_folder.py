"""Programs and modules of strangers in the working folder, beside a song or a project: none of them runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stemdock.audio.ffmpeg.process import find_ffmpeg
from stemdock_audacity.install.setup import _launcher
from stemdock_audacity.jobs.queue import JobQueue
from stemdock_reaper.install.shipped import worker_command
from stemdock_spleeter.launcher import launcher_content

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")

MODULES = ("stemdock", "stemdock_audacity", "stemdock_hostkit", "numpy", "click")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder with modules that say that they ran."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text("open('ran', 'w')\nraise SystemExit(0)\n")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("host", ["reaper", "audacity"])
def test_an_editor_in_a_strangers_folder_loads_no_module_from_there(
    tmp_path: Path, hostile: Path, host: str
) -> None:
    command = [*worker_command(), str(tmp_path / "no-job")]
    if host == "audacity":
        launcher = _launcher(JobQueue(folder=tmp_path)).content
        assert launcher is not None
        command = ["/bin/sh", "-c", launcher.decode()]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    subprocess.run(command, cwd=hostile, env=environment, capture_output=True, check=False, timeout=60)
    assert not (hostile / "ran").exists()


@pytest.mark.slow
def test_spleeters_command_loads_no_module_from_the_folder_of_the_songs(hostile: Path) -> None:
    command = ["/bin/sh", "-c", launcher_content(), "spleeter", "--version"]
    done = subprocess.run(command, cwd=hostile, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("Spleeter Version"), done.stderr
    assert not (hostile / "ran").exists()


@pytest.mark.parametrize("path", ["", ".", ":", "bin"])
def test_ffmpeg_is_not_that_of_the_working_folder(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    usual = tmp_path / "usual"
    for folder in (hostile, hostile / "bin", usual):
        folder.mkdir(exist_ok=True)
        (folder / "ffmpeg").write_text("#!/bin/sh\n")
        (folder / "ffmpeg").chmod(0o755)
    monkeypatch.chdir(hostile)
    monkeypatch.setenv("PATH", path)
    assert find_ffmpeg() is None
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{usual}")
    assert find_ffmpeg() == str(usual / "ffmpeg")
