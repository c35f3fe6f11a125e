"""The loop of a training: batches, steps, checkpoints, validations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import numpy as np

from stemdock_training.errors import DivergedError
from stemdock_training.loop.checkpoints import save_training
from stemdock_training.loss.trainer import Losses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from threading import Event

    from stemdock_training.config import TrainingConfig
    from stemdock_training.data.batches import Batch, Batches
    from stemdock_training.loss.trainer import Trainer


class Listener(Protocol):
    """Learns what a training does."""

    def stepped(self, step: int, losses: Losses) -> None:
        """A step was made; `losses` are those before it."""

    def validated(self, step: int, losses: Losses) -> None:
        """The songs for validation were measured after `step` steps."""

    def saved(self, step: int) -> None:
        """A checkpoint is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a training runs."""

    folder: Path
    """The folder of its checkpoints."""
    n_steps: int
    """Steps in all, with those before this process."""
    config: TrainingConfig
    validation: Callable[[], Iterable[Batch]]
    """Makes the batches for validation; none if there are no songs for it."""


def run_training(
    trainer: Trainer, batches: Batches, course: Course, listener: Listener, cancel: Event
) -> bool:
    """Trains until all steps are made, or until it is cancelled.

    The last step is always in a checkpoint. Without a step, nothing is written.

    Args:
        trainer: The network.
        batches: What it is trained with.
        course: How.
        listener: Learns what happens, in this thread.
        cancel: Ends the training after the current step.

    Returns:
        Whether all steps are made.

    Raises:
        DivergedError: A loss or a weight is not a finite number. The last checkpoint is from before.
        TrainingWriteError: A file cannot be written.
    """
    saved = trainer.step
    validated = -math.inf
    source = batches.from_step(trainer.step)
    while trainer.step < course.n_steps and not cancel.is_set():
        batch = next(source)
        losses = trainer.train(batch)
        if not math.isfinite(losses.total):
            raise DivergedError(trainer.step)
        listener.stepped(trainer.step, losses)
        if trainer.step % course.config.save_checkpoints_steps == 0 or trainer.step == course.n_steps:
            _save(trainer, batch, course, listener)
            saved = trainer.step
            is_last = trainer.step == course.n_steps
            if is_last or monotonic() - validated >= course.config.throttle_secs:
                _validate(trainer, course, listener)
                validated = monotonic()
    source.close()
    if saved != trainer.step:
        _save(trainer, batch, course, listener)
    return trainer.step >= course.n_steps


def _save(trainer: Trainer, batch: Batch, course: Course, listener: Listener) -> None:
    state = trainer.state()
    # The loss of a step is from before it. Weights can be spoilt although it was finite, and huge weights
    # are finite although they make every further loss infinite.
    is_finite = all(np.isfinite(value).all() for value in state.values())
    if not is_finite or not math.isfinite(trainer.measure(batch).total):
        raise DivergedError(trainer.step)
    save_training(course.folder, state, trainer.step)
    listener.saved(trainer.step)


def _validate(trainer: Trainer, course: Course, listener: Listener) -> None:
    measured = [(trainer.measure(batch), batch.mixture.shape[0]) for batch in course.validation()]
    if not measured:
        return
    total = sum(n_segments for _, n_segments in measured)
    stems = {
        stem: sum(losses.stems[stem] * n_segments for losses, n_segments in measured) / total
        for stem in measured[0][0].stems
    }
    listener.validated(trainer.step, Losses(total=sum(stems.values()), stems=stems))
