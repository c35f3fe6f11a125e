"""Where the system grants no further threads, that is what a person reads."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from stemdock.audio.ffmpeg.process import run_ffmpeg
from stemdock.cli import main
from stemdock.errors import ThreadShortageError

OTHER_USER = 4711


def test_a_shortage_of_threads_is_not_called_one_of_memory(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["doctor"]) == 1
    error = capsys.readouterr().err
    assert "no further threads" in error
    assert "memory" not in error


def test_other_resources_that_are_busy_are_not_threads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full pipe has the same number of error as a process that cannot start."""

    def fail(*_: object, **__: object) -> Any:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN), "pipe")

    monkeypatch.setattr(main.cli, "main", fail)
    assert main.run(["doctor"]) == 1
    assert capsys.readouterr().err.startswith(f"error: pipe: {os.strerror(errno.EAGAIN)}.")


def test_an_ffmpeg_that_cannot_start_for_want_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(ThreadShortageError):
        run_ffmpeg("ffmpeg", ["-version"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of processes is counted as Linux does")
@pytest.mark.skipif(getattr(os, "geteuid", int)() != 0 or sys.platform == "win32", reason="needs root")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv of util-linux")
@pytest.mark.parametrize("n_processes", [1, 2, 3])
def test_a_limit_of_processes_is_reported_at_once(song: Path, n_processes: int) -> None:
    folder = Path(mkdtemp())  # the other user may not enter pytest's own folders
    copy = shutil.copy(song, folder)
    code = (
        "import resource as r; from stemdock.cli.main import main;"
        f"r.setrlimit(r.RLIMIT_NPROC, ({n_processes},) * 2); main()"
    )
    folder.chmod(0o755)
    out = folder / "out"
    out.mkdir()
    os.chown(out, OTHER_USER, OTHER_USER)
    run = subprocess.run(
        [
            *("setpriv", "--reuid", str(OTHER_USER), "--clear-groups"),
            # Python itself may lie in a folder of root's.
            *("--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"),
            *(sys.executable, "-c", code, "separate", copy, "-o", out),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "HOME": str(out)},
    )
    shutil.rmtree(folder)
    assert run.returncode == 1, run.stderr
    assert "no further threads or processes" in run.stderr
    assert "ulimit -u" in run.stderr
    assert "cancelled" not in run.stderr
    assert "Traceback" not in run.stderr
