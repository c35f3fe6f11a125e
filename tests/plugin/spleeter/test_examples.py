"""Three ways in which programs use Spleeter, docs/examples/spleeter, run unchanged with Stemdock.

What they gave with the original is in tests/data/spleeter_examples.json.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from stemdock_spleeter.launcher import install_launcher
from support.mixtures import DATA
from support.spleeter_cases import make_inputs
from support.spleeter_examples import batch, karaoke, service

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed"),
]

RECORDS: Final[dict[str, Any]] = json.loads((DATA / "spleeter_examples.json").read_text("utf-8"))
PYTHON: Final = (sys.executable, "-m", "stemdock_spleeter")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_inputs(tmp_path / "work")
    return tmp_path / "work"


def test_a_script_that_calls_the_command(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts = tmp_path / "bin"
    scripts.mkdir()
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(scripts))
    install_launcher()
    found = batch(PYTHON, folder, f"{scripts}{os.pathsep}{os.environ['PATH']}")
    assert found == RECORDS["batch"]


def test_a_web_service(folder: Path) -> None:
    assert service(PYTHON, folder) == RECORDS["service"]


def test_the_steps_of_a_notebook(folder: Path) -> None:
    found, recorded = karaoke(PYTHON, folder), RECORDS["karaoke"]
    assert found["file"] == recorded["file"]
    # The song has 48 kHz, and Stemdock's resampler is another than ffmpeg's.
    assert found["levels"] == pytest.approx(recorded["levels"], abs=0.1)
