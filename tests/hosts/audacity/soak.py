"""Many requests in a row to one Audacity, and what they cost; too long for every test run.

Run with: python -m pytest tests/hosts/audacity/soak.py -s
"""

# ruff: noqa: T201  the figures are the result
from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from hosts.audacity.desktop import headless
from hosts.audacity.flashes import counted_windows
from support.display import wait_until

if TYPE_CHECKING:
    from hosts.audacity.desktop import Desktop

N_REQUESTS = 50


def megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def state(desktop: Desktop) -> dict[str, float]:
    worker = desktop.processes("stemdock_hostkit.worker")
    audacity = desktop.processes("bin/audacity")
    return {
        "processes": len(desktop.processes()),
        "files": sum(path.is_file() for path in desktop.queue.rglob("*")),
        "worker open files": len(list(Path(f"/proc/{worker[0]}/fd").iterdir())) if worker else 0,
        "worker MB": megabytes(worker[0]) if worker else 0.0,
        "audacity open files": len(list(Path(f"/proc/{audacity[0]}/fd").iterdir())),
        "audacity MB": megabytes(audacity[0]),
        "temporary files": len(list(Path("/tmp").glob("*audacity_script_pipe*"))),  # noqa: S108
    }


def test_fifty_requests(desktop: Desktop, song: Path) -> None:
    desktop.import_audio(song)
    states = []
    for n_request in range(N_REQUESTS):
        (desktop.queue / "recent.jsonl").unlink(missing_ok=True)
        desktop.select(n_request % 5, n_request % 5 + 2.0, 0)
        desktop.run("SeparateStems")
        assert ": done in" in desktop.wait_for_outcome(0)
        wait_until(lambda: len(desktop.tracks()) == 3, 10, "two stems")
        desktop.do("Undo")
        if n_request % 10 in {4, 9}:
            wait_until(lambda: not desktop.processes("stemdock_audacity.courier"), 10, "the window")
            states.append(state(desktop))
            print(n_request + 1, {key: round(value, 1) for key, value in states[-1].items()})
    first, last = states[1], states[-1]
    for key in ("processes", "files", "worker open files", "audacity open files", "temporary files"):
        assert last[key] <= first[key], key
    assert last["worker MB"] < first["worker MB"] * 1.1


@pytest.mark.parametrize("seconds", [30, 600])
def test_times(desktop: Desktop, song: Path, tmp_path: Path, seconds: int) -> None:
    """From Apply to tracks, cold and with the warm worker, beside the command alone."""
    samples, sample_rate = soundfile.read(song, dtype="float32")
    path = tmp_path / "excerpt.wav"
    soundfile.write(path, np.resize(samples, (seconds * sample_rate, 2)), sample_rate, subtype="FLOAT")
    desktop.import_audio(path)
    desktop.kill("stemdock_hostkit.worker")
    for kind in ("cold", "warm", "warm"):
        desktop.select(0, seconds, 0)
        n_outcomes = len(desktop.outcomes())
        with counted_windows(desktop.display.name) as flashes:
            began = time.monotonic()
            desktop.run("SeparateStems", chosenoriginal="Mute")
            returned = time.monotonic() - began
            assert ": done" in desktop.wait_for_outcome(n_outcomes)
            total = time.monotonic() - began
        began = time.monotonic()
        headless(desktop, path, tmp_path / f"alone-{time.monotonic_ns()}")
        alone = time.monotonic() - began
        print(
            f"{seconds} s, {kind}: Audacity free again after {returned:.2f} s, tracks after {total:.2f} s, "
            f"{flashes.count} windows, the command alone {alone:.2f} s"
        )
        desktop.do("Undo")
