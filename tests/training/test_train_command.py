"""plugin-cli train in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.child_signals import default_signals
from support.training_songs import make_musdb, write_config

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


def words(tmp_path: Path, *more: str) -> list[str]:
    config = write_config(tmp_path / "small.json", train_max_steps=100_000)
    places = ["--data", str(tmp_path / "songs"), "--config", str(config), "--output", str(tmp_path / "band")]
    return [sys.executable, "-m", "stemdock", "train", *places, *more]


@pytest.mark.export
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals between processes")
def test_ctrl_c_writes_a_checkpoint_to_go_on_from(tmp_path: Path) -> None:
    make_musdb(tmp_path / "songs")
    environment = {**os.environ, "STEMDOCK_MODELS": str(tmp_path / "models")}
    with default_signals():
        process = subprocess.Popen(words(tmp_path), stderr=subprocess.PIPE, text=True, env=environment)
    with process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("step 1/"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait() == 128 + signal.SIGINT, rest
    assert "the same command goes on" in rest
    (index,) = (tmp_path / "band").glob("model.ckpt-*.index")
    n_steps = int(index.stem.removeprefix("model.ckpt-"))
    again = words(tmp_path, "--steps", str(n_steps + 1))
    done = subprocess.run(again, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert f"going on from step {n_steps} " in done.stderr
    assert done.stdout.strip().endswith(".onnx")
    assert str(tmp_path / "models" / "band") in done.stdout


@pytest.mark.export
def test_every_problem_is_printed_with_its_file(tmp_path: Path) -> None:
    songs = make_musdb(tmp_path / "songs")
    (songs / "train" / "song 0" / "rest.wav").unlink()
    (songs / "train" / "song 1" / "voice.wav").unlink()
    done = subprocess.run(words(tmp_path), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for path in ("song 0/rest.wav", "song 1/voice.wav"):
        assert f"{songs / 'train' / path}: is missing" in done.stderr
    assert not (tmp_path / "band").exists()


@pytest.mark.parametrize(
    ("more", "reason"),
    [(["--start", "a=b"], "--start needs --from"), (["--from", ".", "--start", "a"], "is not NEW=OLD")],
)
def test_wrong_options_are_refused(more: list[str], reason: str, tmp_path: Path) -> None:
    done = subprocess.run(words(tmp_path, *more), capture_output=True, text=True, check=False)
    assert done.returncode in {1, 2}
    assert reason in done.stderr
