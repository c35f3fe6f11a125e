"""Curves for TensorBoard: `tensorboard --logdir FOLDER`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock_export.extra import import_tensorflow, quiet
from stemdock_training.errors import TrainingWriteError

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_training.loss.trainer import Losses


class EventFiles:
    """Writes the loss and the loss of each stem; those of validation go to the folder eval.

    The original writes to the same places under the same name, `loss`.
    """

    def __init__(self, folder: Path, every: int) -> None:
        """Opens the files.

        Args:
            folder: The folder of the training.
            every: Steps between two events.
        """
        self._tf = tf = import_tensorflow(for_reference=False)
        self._folder = folder
        self._every = every
        with quiet():
            self._training = tf.summary.create_file_writer(str(folder))
            self._validation = tf.summary.create_file_writer(str(folder / "eval"))

    def stepped(self, step: int, losses: Losses) -> None:
        """Writes an event if it is time."""
        if step == 1 or step % self._every == 0:
            self._write(self._training, step, losses)

    def validated(self, step: int, losses: Losses) -> None:
        """Writes an event."""
        self._write(self._validation, step, losses)

    def saved(self, step: int) -> None:
        """Makes the events complete on the disk."""
        del step
        for writer in (self._training, self._validation):
            self._flush(writer)

    def _write(self, writer: object, step: int, losses: Losses) -> None:
        tf = self._tf
        with writer.as_default(step=step):  # type: ignore[attr-defined]  TensorFlow has no types
            tf.summary.scalar("loss", losses.total)
            for stem, loss in losses.stems.items():
                tf.summary.scalar(f"loss/{stem}", loss)

    def _flush(self, writer: object) -> None:
        try:
            writer.flush()  # type: ignore[attr-defined]
        except self._tf.errors.OpError as error:
            raise TrainingWriteError(self._folder, str(error.message)) from error
