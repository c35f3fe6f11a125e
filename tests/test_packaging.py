"""What a user gets: the wheel, in an environment of its own, without the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import soundfile

from mixtures import SONG

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    (path,) = folder.glob("stemdock-*.whl")
    return path


def test_the_wheel_carries_the_model_and_the_licences(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packages = {name.split("/")[0] for name in names if "dist-info" not in name}
    assert packages == {
        "stemdock", "stemdock_evaluation", "stemdock_export", "stemdock_audacity", "stemdock_reaper",
        "stemdock_models",
    }  # fmt: skip
    assert "stemdock_models/data/2stems.onnx" in names
    assert "stemdock/py.typed" in names
    assert {name.rsplit("/", 1)[1] for name in names if "/licenses/" in name} == {"LICENSE", "NOTICE"}
    assert not [name for name in names if name.endswith(".mp3") or "test" in name.split("/")[0]]


def test_a_runtime_installation_separates_without_tensorflow(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", wheel], check=True)
    listing = subprocess.run(
        [python, "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    installed = {package["name"].lower() for package in json.loads(listing.stdout)}
    assert not installed & {"tensorflow", "tf2onnx", "keras", "matplotlib", "torch"}
    subprocess.run(
        [python.with_name("plugin-cli"), "separate", SONG, "-o", tmp_path],
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    assert soundfile.info(tmp_path / "audio_example" / "accompaniment.wav").frames == 479832
