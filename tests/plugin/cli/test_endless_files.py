"""Pipes, devices and huge files in the place of a file that a command reads: an error at once."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from support.mixtures import DATA, SONG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no pipes with names"),
]

CHECKPOINT: Final = DATA / "checkpoints" / "4stems-narrow"


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 38)


ENDLESS: Final[dict[str, Callable[[Path], None]]] = {"pipe": _pipe, "device": _device, "huge": _huge}

COMMANDS: Final[dict[str, Callable[[Path], tuple[object, ...]]]] = {
    "config.json": lambda path: ("models", "add", CHECKPOINT, "--name", "a", "--config", path),
    "list.m3u": lambda path: ("separate", path),
    "model.onnx": lambda path: ("models", "add", path),
    "job.json": lambda path: ("reaper", "work", path.parent),
    "checkpoint": lambda path: ("models", "add", path.parent, "--name", "b", "--config", "4stems"),
    "song.rpp": lambda path: ("reaper", "project", SONG, "--into", path, "--out", "new.rpp"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENDLESS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_without_an_end_is_refused_at_once(tmp_path: Path, name: str, kind: str) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    path = folder / name
    ENDLESS[kind](path)
    environment = os.environ | {f"STEMDOCK_{each}": str(tmp_path / each) for each in ("MODELS", "STATE")}
    done = subprocess.run(
        [sys.executable, "-m", "stemdock", *map(str, COMMANDS[name](path))],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=20,
    )  # fmt: skip
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    if name == "job.json":
        assert '"code": "JobError"' in (folder / "result.json").read_text()
    else:
        assert "rror: " in done.stderr.splitlines()[-1]
