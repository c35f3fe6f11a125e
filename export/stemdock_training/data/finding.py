"""Finds the songs of a training: in a folder in the layout of MUSDB, or in Spleeter's lists."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from stemdock_training.data.checking import check_songs
from stemdock_training.data.folders import TRAINING, VALIDATION, has_layout, read_folder
from stemdock_training.data.lists import read_list
from stemdock_training.data.songs import Dataset
from stemdock_training.errors import DatasetError
from stemdock_training.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock_export.config import SpleeterConfig
    from stemdock_training.config import TrainingConfig


def find_songs(
    folder: Path,
    network: SpleeterConfig,
    config: TrainingConfig,
    *,
    allow_silence: bool = False,
    on_song: Callable[[int, int], None] = lambda _number, _total: None,
    cancel: Event | None = None,
) -> Dataset:
    """Finds the songs and checks every file.

    Args:
        folder: The folder that paths in the lists start from; in the layout of MUSDB if there are none.
        network: Stems, sample rate and length of a segment.
        config: Names the lists.
        allow_silence: Whether a stem may be silent for a whole song.
        on_song: Called before each song is checked, with its number from 1 and the number of songs.
        cancel: Ends the check.

    Raises:
        CancelledError: `cancel` was set.
        DatasetError: A list, a folder or a file cannot be used. Contains all that is wrong.
    """
    # Unlike the methods of Path, it is False for a name that is too long.
    if not os.path.isdir(folder):  # noqa: PTH112
        remedy = "Choose the folder of the songs (--data)."
        raise DatasetError([Problem(path=folder, reason="is not a folder", remedy=remedy)])
    validation = None
    if config.train_csv:  # even if the folder has the layout: that of the original's own MUSDB lists has it
        training = read_list(Path(config.train_csv), folder, network.stems, config.mix_name)
        if config.validation_csv:
            validation = read_list(Path(config.validation_csv), folder, network.stems, config.mix_name)
    elif has_layout(folder):
        training = read_folder(folder / TRAINING, network.stems)
        subset = next((folder / each for each in VALIDATION if (folder / each).is_dir()), None)
        validation = read_folder(subset, network.stems) if subset else None
    else:
        remedy = "Name a list of songs in the configuration (train_csv), or choose a folder like MUSDB's."
        raise DatasetError([Problem(path=folder, reason=f"has no folder {TRAINING}", remedy=remedy)])
    songs, problems = training
    others, more = validation or ([], [])
    problems = [*problems, *more]
    problems += check_songs(
        [*songs, *others], network, allow_silence=allow_silence, on_song=on_song, cancel=cancel or Event()
    )
    if problems:
        raise DatasetError(problems)
    return Dataset(training=tuple(songs), validation=tuple(others))
