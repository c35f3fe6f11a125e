"""Small songs with stems, and configurations for training with them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RATE = 8000
STEMS = ("voice", "rest")


def training_content(stems: Sequence[str] = STEMS, **changes: Any) -> dict[str, Any]:
    """A configuration whose network is trained in no time."""
    return {
        "mix_name": "mix",
        "instrument_list": list(stems),
        "sample_rate": RATE,
        "frame_length": 256,
        "frame_step": 64,
        "T": 64,
        "F": 64,
        "n_channels": 2,
        "separation_exponent": 2,
        "mask_extension": "zeros",
        "learning_rate": 1e-3,
        "batch_size": 2,
        "chunk_duration": 1.0,
        "train_max_steps": 6,
        "save_checkpoints_steps": 3,
        "save_summary_steps": 1,
        "throttle_secs": 1,
        "random_seed": 3,
        "model": {"type": "unet.unet", "params": {"conv_n_filters": [2, 3, 4, 4, 5, 6]}},
        **changes,
    }


def write_config(path: Path, **changes: Any) -> Path:
    path.write_text(json.dumps(training_content(**changes)), encoding="utf-8")
    return path


def make_song(
    folder: Path,
    seed: int,
    stems: Sequence[str] = STEMS,
    *,
    duration: float = 2.5,
    sample_rate: int = RATE,
) -> Path:
    """A tone for each stem with a melody of its own, and their sum."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    t = np.arange(round(duration * sample_rate)) / sample_rate
    mixture = np.zeros((len(t), 2))
    for place, stem in enumerate(stems):
        pitch = 150 * 2 ** (place + random.integers(0, 12, 8)[(t * 4).astype(int) % 8] / 12)
        tone = 0.2 * np.sin(2 * np.pi * pitch * t) + 0.01 * random.standard_normal(len(t))
        samples = np.outer(tone, [0.8, 0.6 + 0.2 * place])
        soundfile.write(folder / f"{stem}.wav", samples, sample_rate, subtype="FLOAT")
        mixture += samples
    soundfile.write(folder / "mixture.wav", mixture, sample_rate, subtype="FLOAT")
    return folder


def make_musdb(folder: Path, stems: Sequence[str] = STEMS, *, n_songs: int = 2, **options: Any) -> Path:
    """A folder in the layout of MUSDB, with one song for validation."""
    for number in range(n_songs):
        make_song(folder / "train" / f"song {number}", number, stems, **options)
    make_song(folder / "test" / "unheard", 99, stems, **options)
    return folder


def write_list(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def list_rows(folder: Path, stems: Sequence[str] = STEMS) -> list[dict[str, str]]:
    """The songs of `make_musdb` as rows of Spleeter's list, with paths from `folder`."""
    rows = []
    for song in sorted((folder / "train").iterdir()):
        start = song.relative_to(folder)
        row = {f"{stem}_path": str(start / f"{stem}.wav") for stem in stems}
        rows.append({"mix_path": str(start / "mixture.wav"), **row, "duration": "2.5"})
    return rows
