"""Training that starts from the genuine 2stems."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stemdock_export.config import load_config
from stemdock_training import finishing
from stemdock_training.loop.starting import Source
from support.training_songs import make_musdb
from training.test_training import Recorder, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.export, pytest.mark.slow]


def write_config(path: Path, stems: list[str]) -> Path:
    network = load_config("2stems")
    content: dict[str, Any] = {
        "mix_name": "mix",
        "instrument_list": stems,
        "sample_rate": network.sample_rate,
        "frame_length": network.frame_length,
        "frame_step": network.hop_length,
        "T": network.n_frames,
        "F": network.n_bins,
        "n_channels": 2,
        "separation_exponent": 2,
        "mask_extension": "zeros",
        "learning_rate": 3e-4,
        "batch_size": 1,
        "chunk_duration": 12.0,
        "n_chunks_per_song": 1,
        "save_checkpoints_steps": 1,
        "throttle_secs": 0.001,
        "model": {"type": "unet.unet", "params": {}},
    }
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("new", [[], ["guitar"]])
def test_a_few_songs_lower_the_loss(
    new: list[str], genuine_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "install", lambda *_, **__: None)
    stems = ["vocals", "accompaniment", *new]
    songs = make_musdb(tmp_path / "songs", stems, n_songs=1, duration=12.5, sample_rate=44100)
    source = Source(
        folder=genuine_checkpoint,
        config=load_config("2stems"),
        branches=dict.fromkeys(new, "accompaniment"),
    )
    recorder, config = Recorder(), write_config(tmp_path / "config.json", stems)
    run(songs, config, tmp_path / "tuned", recorder, source=source, n_steps=3)
    losses = list(recorder.validations.values())
    assert losses[-1] < 0.95 * losses[0]
