from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import Separator

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _prepared() -> None:
    """Preparing the model takes more memory than separating, so it is done before."""
    Separator()


PROGRAM = """
import resource, subprocess, sys
command = [sys.executable, "-m", "stemdock", "separate", *sys.argv[1:]]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak_memory(folder: Path, minutes: float, *options: str) -> int:
    """Peak resident memory of a separation, as the system counts it."""
    song = folder / f"{minutes}.wav"
    block = np.random.default_rng(0).uniform(-0.5, 0.5, (44100 * 6, 2)).astype(np.float32)
    with soundfile.SoundFile(song, "w", 44100, 2, "PCM_16") as file:
        for _ in range(round(minutes * 10)):
            file.write(block)
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, song, "-o", folder, *options],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(run.stdout)


def test_memory_does_not_grow_with_the_song(tmp_path: Path) -> None:
    assert peak_memory(tmp_path, 8) < 1.1 * peak_memory(tmp_path, 1)


def test_memory_does_not_grow_with_the_song_through_the_wiener_filter(tmp_path: Path) -> None:
    assert peak_memory(tmp_path, 3, "--mwf") < 1.1 * peak_memory(tmp_path, 1, "--mwf")
