"""Power cuts and kills over all writers: a small part of what `python -m fuzz.stopping` does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fuzz.stopping.runs import cut_power
from fuzz.stopping.works import SCENARIOS
from support.simulated_disk import Disk

if TYPE_CHECKING:
    from support.recorded_calls import Call

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="paths of descriptors are Linux's"),
]


@pytest.mark.parametrize("name", SCENARIOS)
def test_after_a_power_cut_the_next_run_gives_the_same(name: str, tmp_path: Path) -> None:
    faults = {moment: fault for moment, fault in cut_power(name, tmp_path, 9, seed=2) if fault}
    assert faults == {}


def test_after_a_kill_the_next_run_gives_the_same() -> None:
    command = [sys.executable, "-m", "fuzz.stopping", "--cuts", "0", "--kills", f"{2 * len(SCENARIOS)}"]
    run = subprocess.run(
        command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False, timeout=300
    )
    assert run.returncode == 0, run.stderr


def test_harm_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Disk):
        """A disk as if stems were not flushed, but their records were."""

        def apply(self, call: Call) -> None:
            if call.name != "fsync" or not call.path.endswith(".wav"):
                super().apply(call)

    monkeypatch.setattr("fuzz.stopping.runs.Disk", Forgetful)
    faults = [fault for _, fault in cut_power("batch", tmp_path, 60, seed=2) if fault]
    assert any("is not whole" in fault for fault in faults)
