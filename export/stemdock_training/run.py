"""One training from beginning to end."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from stemdock import CancelledError, make_folder, os_errors_as, try_locked
from stemdock_export.extra import import_tensorflow
from stemdock_export.unet import describe_network
from stemdock_training import finishing
from stemdock_training.data.batches import Batches, validation_batches
from stemdock_training.data.finding import find_songs
from stemdock_training.data.magnitudes import PartStore
from stemdock_training.data.parts import (
    segment_length,
    training_parts,
    usable_duration,
    validation_parts,
)
from stemdock_training.errors import TrainingOptionError, TrainingWriteError
from stemdock_training.loop.checkpoints import SavedTraining, has_checkpoint, load_training
from stemdock_training.loop.running import Course, run_training
from stemdock_training.loop.starting import check_start, random_start, start_from
from stemdock_training.loss.trainer import Losses, Trainer
from stemdock_training.report.events import EventFiles
from stemdock_training.report.look import EarlyLooks
from stemdock_training.report.progress import SongProgress, TextProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock import ModelEntry, Plugins
    from stemdock_export.config import SpleeterConfig
    from stemdock_training.config import TrainingConfig
    from stemdock_training.data.songs import Dataset
    from stemdock_training.loop.running import Listener
    from stemdock_training.loop.starting import Source

_PARTS: Final = "parts"
"""Folder of the magnitudes, inside the folder of the training."""
_LOCK: Final = ".training-lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What to train, and how."""

    data: Path
    """In the layout of MUSDB, or the folder that paths in Spleeter's lists start from."""
    folder: Path
    """The folder of the checkpoints, and of all else that the training writes."""
    network: SpleeterConfig
    config: TrainingConfig
    n_steps: int
    name: str
    """The name of the model at the end."""
    overwrite: bool = False
    """Whether the model may replace an installed one."""
    source: Source | None = None
    """The checkpoint to start from; random weights if None."""
    dropout: float = 0.0
    augment: bool = False
    allow_silence: bool = False
    look_every: float | None = None
    """Minutes between two early looks; None for none."""
    listeners: Sequence[Listener] = field(default=())
    """Learn what happens, besides the ones of this package."""


def train(
    training: Training, plugins: Plugins, *, echo: Callable[[str], None], cancel: Event
) -> ModelEntry | None:
    """Trains a model and installs it.

    If the folder has a checkpoint, the training goes on from it.

    Args:
        training: What and how.
        plugins: The source of all models.
        echo: Prints a line about the progress.
        cancel: Ends the check of the songs, or the training after the current step. Then there is a
            checkpoint, if a step was made.

    Returns:
        The installed model, or None after `cancel`.

    Raises:
        DatasetError: Songs cannot be used. No step was made.
        TrainingError: An option cannot be used, a file cannot be written, or the loss is infinite.
        ExportError: A checkpoint cannot be read, or the model differs from it.
        ModelError: The name is taken, or the model cannot be installed.
        ExtraMissingError: TensorFlow or tf2onnx is not installed.
    """
    import_tensorflow(for_reference=False)  # without it, checking the songs would be in vain
    _check_duration(training)
    finishing.check_name(training.name, plugins, overwrite=training.overwrite)
    if training.source is not None and not has_checkpoint(training.folder):
        check_start(training.source, training.network)
    try:
        dataset = find_songs(
            training.data,
            training.network,
            training.config,
            allow_silence=training.allow_silence,
            on_song=SongProgress(echo),
            cancel=cancel,
        )
    except CancelledError:
        return None
    with os_errors_as(lambda reason: TrainingWriteError(training.folder, reason)):
        make_folder(training.folder)
    with try_locked(training.folder / _LOCK) as is_free:
        if not is_free:
            raise TrainingOptionError(
                str(training.folder),
                "another process trains in this folder",
                remedy="Wait until it ends, or choose another folder (--output).",
            )
        if not _run(training, dataset, echo=echo, cancel=cancel):
            return None
        return finishing.install(
            training.folder,
            training.network,
            training.name,
            plugins,
            overwrite=training.overwrite,
            on_step=lambda step: echo(f"{step} ..."),
        )


def _run(training: Training, dataset: Dataset, *, echo: Callable[[str], None], cancel: Event) -> bool:
    """Makes the steps; returns whether all are made."""
    saved = _saved(training, echo)
    if saved.step >= training.n_steps:
        echo(f"all {training.n_steps} steps are made")
        return True
    trainer = Trainer(
        describe_network(training.network),
        training.config,
        saved.values,
        moments=saved.moments,
        step=saved.step,
        dropout=training.dropout,
    )
    batches, course = _prepared(training, dataset)
    listener = _Listeners(_listeners(training, dataset, saved.step, echo))
    return run_training(trainer, batches, course, listener, cancel)


def _saved(training: Training, echo: Callable[[str], None]) -> SavedTraining:
    """Where the training starts or goes on."""
    if has_checkpoint(training.folder):
        saved = load_training(training.folder, describe_network(training.network))
        echo(f"going on from step {saved.step} in {training.folder}")
        if training.source is not None:
            echo("--from is not used, because this folder has a checkpoint (--output names another folder)")
        return saved
    seed = training.config.random_seed
    if training.source is not None:
        values = start_from(training.source, training.network, seed)
    else:
        values = random_start(training.network, seed)
    return SavedTraining(values=values, moments={}, step=0)


def _prepared(training: Training, dataset: Dataset) -> tuple[Batches, Course]:
    network, config = training.network, training.config
    store = PartStore(training.folder / _PARTS, network)
    shortest = segment_length(network) / network.sample_rate
    durations = [usable_duration(song) for song in dataset.training]
    parts = training_parts(dataset.training, durations, shortest, config)
    lengths = [usable_duration(song) for song in dataset.validation]
    heard = validation_parts(dataset.validation, lengths, shortest)
    course = Course(
        folder=training.folder,
        n_steps=training.n_steps,
        config=config,
        validation=partial(validation_batches, heard, store, network, config),
    )
    return Batches(parts, store, network, config, augment=training.augment), course


def _listeners(
    training: Training, dataset: Dataset, done: int, echo: Callable[[str], None]
) -> Sequence[Listener]:
    made: list[Listener] = [
        *training.listeners,
        TextProgress(training.n_steps, done, echo),
        EventFiles(training.folder, training.config.save_summary_steps),
    ]
    if training.look_every is not None:
        song = (dataset.validation or dataset.training)[0].mixture
        made.append(EarlyLooks(training.folder, training.network, song, training.look_every, echo))
    return made


class _Listeners:
    """Several listeners as one."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def stepped(self, step: int, losses: Losses) -> None:
        for each in self._listeners:
            each.stepped(step, losses)

    def validated(self, step: int, losses: Losses) -> None:
        for each in self._listeners:
            each.validated(step, losses)

    def saved(self, step: int) -> None:
        for each in self._listeners:
            each.saved(step)


def _check_duration(training: Training) -> None:
    network, config = training.network, training.config
    needed = segment_length(network) / network.sample_rate
    if config.chunk_duration < needed:
        raise TrainingOptionError(
            "chunk_duration",
            f"{config.chunk_duration:g} s is shorter than one segment of {needed:.2f} s",
            remedy="Raise chunk_duration in the configuration, or lower T.",
        )
