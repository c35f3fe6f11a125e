"""What Spleeter's JSON says about training, besides the network."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from stemdock import parse_json, read_regular_file
from stemdock_export.config import PREDEFINED, load_config
from stemdock_export.config_values import Section

Loss = Literal["L1_mask", "weighted_L1_mask"]
"""Mean absolute difference of magnitudes; weighted by the mean magnitude of each true stem."""

_OPTIMIZERS: Final = ("Adam",)
"""The original's default. Its other two are not supported."""
_DEFAULTS: Final[dict[str, Any]] = {
    # deezer/spleeter 2.4.2, resources/2stems.json.
    "train_csv": "",
    "validation_csv": "",
    "model_dir": "",
    "mix_name": "mix",
    "learning_rate": 1e-4,
    "batch_size": 4,
    "train_max_steps": 1_000_000,
    "random_seed": 0,
    "save_checkpoints_steps": 150,
    "save_summary_steps": 5,
    "throttle_secs": 300,
    # dataset.py and model/__init__.py there.
    "n_chunks_per_song": 2,
    "chunk_duration": 20.0,
    "loss_type": "L1_mask",
    "optimizer": "Adam",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """The keys of a configuration that only training reads, with the original's defaults."""

    train_csv: str
    """The list of songs, relative to the current folder; empty if there is none."""
    validation_csv: str
    model_dir: str
    """The folder of the checkpoints, relative to the current folder; empty if there is none."""
    mix_name: str
    """The mixture's name in columns of the lists."""
    learning_rate: float
    batch_size: int
    train_max_steps: int
    random_seed: int
    save_checkpoints_steps: int
    """Steps between two checkpoints."""
    save_summary_steps: int
    """Steps between two TensorBoard events."""
    throttle_secs: float
    """Least time between two validations, seconds."""
    n_chunks_per_song: int
    """Places in each song that its parts are cut from."""
    chunk_duration: float
    """Length of these parts, seconds. Each step takes one segment from somewhere inside."""
    loss_type: Loss


def load_training_config(descriptor: str) -> TrainingConfig:
    """Loads the keys for training of a configuration.

    Args:
        descriptor: As for `stemdock_export.config.load_config`, which checks it first.

    Raises:
        ConfigError: A value cannot be used.
    """
    network = load_config(descriptor)
    is_name = network.source in PREDEFINED
    content = {} if is_name else parse_json(read_regular_file(Path(descriptor), follow_link=True))
    given = Section(source=network.source, content={**_DEFAULTS, **content})
    given.one_of("optimizer", _OPTIMIZERS)
    return TrainingConfig(
        train_csv=_text(given, "train_csv"),
        validation_csv=_text(given, "validation_csv"),
        model_dir=_text(given, "model_dir"),
        mix_name=_text(given, "mix_name"),
        learning_rate=given.positive("learning_rate"),
        batch_size=given.natural("batch_size"),
        train_max_steps=given.natural("train_max_steps"),
        random_seed=_seed(given, "random_seed"),
        save_checkpoints_steps=given.natural("save_checkpoints_steps"),
        save_summary_steps=given.natural("save_summary_steps"),
        throttle_secs=given.positive("throttle_secs"),
        n_chunks_per_song=given.natural("n_chunks_per_song"),
        chunk_duration=given.positive("chunk_duration"),
        loss_type=given.one_of("loss_type", get_args(Loss)),
    )


def _text(section: Section, key: str) -> str:
    value = section.value(key)
    if not isinstance(value, str):
        raise section.error(key, f"{json.dumps(value)} is not a text")
    return value


def _seed(section: Section, key: str) -> int:
    value = section.value(key)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise section.error(key, f"{json.dumps(value)} is not a whole number, 0 or more")
    return value
