"""Curves for TensorBoard: `tensorboard --logdir FOLDER`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from stemdock_export.extra import import_tensorflow, quiet
from stemdock_training.errors import TrainingWriteError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock_training.loss.trainer import Losses

_SCALAR: Final = 1
"""TensorBoard's DATA_CLASS_SCALAR."""


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
        # Not `tf.summary.scalar`, which needs the package of TensorBoard only for these two lines.
        self._metadata = tf.compat.v1.SummaryMetadata(data_class=_SCALAR)
        self._metadata.plugin_data.plugin_name = "scalars"
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
        with self._errors():
            self._training.flush()
            self._validation.flush()

    def _write(self, writer: Any, step: int, losses: Losses) -> None:
        tf = self._tf
        with self._errors(), writer.as_default(step=step):
            tf.summary.write("loss", tf.constant(losses.total), metadata=self._metadata)
            for stem, loss in losses.stems.items():
                tf.summary.write(f"loss/{stem}", tf.constant(loss), metadata=self._metadata)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._tf.errors.OpError as error:
            reason = str(error.message).splitlines()[0].rpartition("; ")[2]
            raise TrainingWriteError(self._folder, reason) from error
