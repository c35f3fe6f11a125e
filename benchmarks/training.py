"""Trains the same small network with Stemdock and with Spleeter 2.4.2, on the same generated songs.

Usage: python -m benchmarks.training SPLEETER_PYTHON FOLDER PLOT.svg

SPLEETER_PYTHON is the Python of an environment with spleeter==2.4.2; this one needs the export and plot
extras. Each program trains with three seeds. Prints a table of seconds a step, peak memory and final loss,
and draws the curves.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile

N_STEPS: Final = 300
SEEDS: Final = (0, 1, 2)
_RATE: Final = 44100
_WINDOW: Final = 25
"""Steps over which curves are averaged."""
_WARM: Final = 50
"""Steps that are left out of the time of a step."""
_CONTENT: Final[dict[str, Any]] = {
    "mix_name": "mix",
    "instrument_list": ["voice", "rest"],
    "sample_rate": _RATE,
    "frame_length": 4096,
    "frame_step": 1024,
    "T": 64,
    "F": 128,
    "n_channels": 2,
    "n_chunks_per_song": 2,
    "chunk_duration": 3.0,
    "separation_exponent": 2,
    "mask_extension": "zeros",
    "learning_rate": 1e-3,
    "batch_size": 2,
    "train_max_steps": N_STEPS,
    "throttle_secs": 600,
    "save_checkpoints_steps": N_STEPS,
    "save_summary_steps": 1,
    "model": {"type": "unet.unet", "params": {"conv_n_filters": [8, 12, 16, 16, 24, 32]}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training."""

    program: str
    losses: np.ndarray[Any, np.dtype[np.float64]]
    """Of each step."""
    pace: float
    """Seconds a step."""
    memory: float
    """Peak, bytes."""


def _make_songs(folder: Path) -> None:
    rows = ["mix_path,voice_path,rest_path,duration"]
    for seed in range(4):
        random = np.random.default_rng(seed)
        song = folder / f"song{seed}"
        song.mkdir(parents=True, exist_ok=True)
        t = np.arange(8 * _RATE) / _RATE
        notes = random.integers(0, 12, (2, 32))[:, (t * 4).astype(int) % 32]
        voice = 0.3 * np.sin(2 * np.pi * np.cumsum(440 * 2 ** (notes[0] / 12)) / _RATE)
        rest = 0.3 * np.sin(2 * np.pi * np.cumsum(110 * 2 ** (notes[1] / 12)) / _RATE)
        rest += 0.05 * random.standard_normal(len(t))
        for name, samples in (("voice", voice), ("rest", rest), ("mix", voice + rest)):
            soundfile.write(song / f"{name}.wav", np.stack([samples, 0.7 * samples], 1), _RATE)
        rows.append(f"song{seed}/mix.wav,song{seed}/voice.wav,song{seed}/rest.wav,8.0")
    (folder / "songs.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _train(program: str, command: list[str | Path], folder: Path, songs: Path, seed: int) -> Run:
    folder.mkdir(parents=True)
    lists = {"train_csv": str(songs / "songs.csv"), "validation_csv": str(songs / "songs.csv")}
    places = {"model_dir": str(folder / "model"), "training_cache": str(folder / "cache" / "training")}
    content = {**_CONTENT, **lists, **places, "random_seed": seed}
    content["validation_cache"] = str(folder / "cache" / "validation")
    if program == "Stemdock":  # which refuses to validate with songs of the training
        content["validation_csv"] = ""
    config = folder / "config.json"
    config.write_text(json.dumps(content), encoding="utf-8")
    environment = {**os.environ, "STEMDOCK_MODELS": str(folder / "models"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment |= {"CUDA_VISIBLE_DEVICES": "-1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, config], env=environment, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{program} failed: see {folder / 'log'}")
    losses, pace = _events(folder / "model")
    return Run(program=program, losses=losses, pace=pace, memory=usage.ru_maxrss * 1024)


def _events(folder: Path) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
    """The loss of each step, and the seconds of a step, from TensorBoard's files."""
    from stemdock_export.extra import import_tensorflow  # noqa: PLC0415

    tf = import_tensorflow()
    found: dict[int, tuple[float, float]] = {}
    for path in sorted(folder.glob("events.*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.tag in {"loss", "loss_1"}:
                    loss = value.simple_value or float(tf.make_ndarray(value.tensor))
                    found[event.step] = (loss, event.wall_time)
    steps = sorted(found)
    warm = [step for step in steps if step >= _WARM]
    pace = (found[warm[-1]][1] - found[warm[0]][1]) / (warm[-1] - warm[0])
    return np.array([found[step][0] for step in steps]), pace


def _smooth(losses: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.convolve(losses, np.ones(_WINDOW) / _WINDOW, mode="valid")


def _draw(runs: list[Run], path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415

    mpl.use("svg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    figure, axes = plt.subplots(figsize=(7, 4))
    for program, colour in (("Spleeter 2.4.2", "#d08000"), ("Stemdock", "#2060c0")):
        for number, run in enumerate(each for each in runs if each.program == program):
            curve = _smooth(run.losses)
            steps = np.arange(len(curve)) + _WINDOW
            axes.plot(steps, curve, color=colour, linewidth=1, label=program if number == 0 else None)
    axes.set_xlabel("step")
    axes.set_ylabel(f"loss, mean of {_WINDOW} steps")
    axes.set_yscale("log")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main(spleeter_python: Path, folder: Path, plot: Path) -> None:
    """Runs both programs and reports."""
    songs = folder / "songs"
    _make_songs(songs)
    programs: dict[str, list[str | Path]] = {
        "Spleeter 2.4.2": [spleeter_python.with_name("spleeter"), "train", "-d", songs, "-p"],
        "Stemdock": [sys.executable, "-m", "stemdock", "train", "--overwrite", "--data", songs, "--config"],
    }
    runs = [
        _train(program, command, folder / f"{program}-{seed}", songs, seed)
        for seed in SEEDS
        for program, command in programs.items()
    ]
    print("program         seed  s/step  peak MB  loss of steps 276-300")
    for number, run in enumerate(runs):
        seed, final = SEEDS[number // len(programs)], _smooth(run.losses)[-1]
        print(f"{run.program:15} {seed:4}  {run.pace:6.3f}  {run.memory / 1e6:7.0f}  {final:.4f}")
    original = np.stack([_smooth(run.losses)[:N_STEPS] for run in runs if run.program != "Stemdock"])
    ours = np.stack([_smooth(run.losses) for run in runs if run.program == "Stemdock"])
    length = min(original.shape[1], ours.shape[1])
    lowest, highest = original[:, :length].min(axis=0), original[:, :length].max(axis=0)
    middle = ours[:, :length].mean(axis=0)
    inside = np.mean((middle >= lowest) & (middle <= highest))
    print(f"mean curve of Stemdock inside Spleeter's spread: {inside:.0%} of the steps")
    _draw(runs, plot)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
