"""The last steps of every installation: convert, check, put in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock import CancelledError, FetchProgress, OnnxSession, file_sha256
from stemdock_models.errors import store_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from stemdock import ModelEntry
    from stemdock_export.config import SpleeterConfig
    from stemdock_models.store import Store


class Task:
    """Reports the steps of an installation, and ends it between two steps when it is cancelled.

    Attributes:
        cancel: Set it from another thread to cancel the task.
    """

    def __init__(self, on_progress: Callable[[FetchProgress], None] | None, cancel: Event | None) -> None:
        self.cancel = cancel
        self._on_progress = on_progress
        self._step = ""

    def step(self, step: str) -> None:
        """Report the next step.

        Raises:
            CancelledError: `cancel` was set.
        """
        self._step = step
        self.count(0, None)

    def count(self, n_done_bytes: int, n_total_bytes: int | None) -> None:
        """Report the progress of the current step.

        Raises:
            CancelledError: `cancel` was set.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError
        if self._on_progress:
            self._on_progress(
                FetchProgress(step=self._step, n_done_bytes=n_done_bytes, n_total_bytes=n_total_bytes)
            )

    def wait(self) -> None:
        """Report that another process is in the way.

        Raises:
            CancelledError: `cancel` was set.
        """
        self.step("waiting for another Stemdock process")


def install_checkpoint(
    store: Store,
    directory: Path,
    config: SpleeterConfig,
    *,
    scratch: Path,
    name: str,
    licence: str,
    source: str,
    archive_sha256: str = "",
    task: Task,
) -> ModelEntry:
    """Convert a checkpoint and install the model.

    Args:
        store: The store it is installed in.
        directory: The checkpoint's folder.
        config: The checkpoint's configuration.
        scratch: Scratch folder of the store.
        name: The model's name.
        licence: Licence and holder of the weights; if empty, the converter finds it by the checkpoint.
        source: Where the checkpoint came from, shown to the user.
        archive_sha256: Hash of the archive that it came in, hex; empty if it is not known.
        task: Shows the progress.

    Raises:
        StemdockError: The checkpoint is damaged or does not match the configuration, or the disk is full.
        CancelledError: The task was cancelled between two steps.
    """
    # They import numpy and onnx, which take a while.
    from stemdock_export.direct import DirectConverter  # noqa: PLC0415
    from stemdock_export.exporting import export_checkpoint  # noqa: PLC0415

    model = scratch / f"{name}.onnx"
    with store_errors(store.folder):
        converted = export_checkpoint(
            directory,
            config,
            model,
            converter=DirectConverter(),
            name=name,
            licence=licence,
            on_step=lambda step: task.step(f"{name}: {step}"),
        )
    task.step(f"{name}: installing")
    return store.publish(
        model, converted.card, converted.sha256, source, archive_sha256=archive_sha256, on_wait=task.wait
    )


def stored_sha256(path: Path) -> str:
    """Hash of a file's content, hex.

    Raises:
        StoreError: The file cannot be read.
    """
    with store_errors(path):
        return file_sha256(path)


def install_model(
    store: Store, model: Path, *, name: str, source: str, archive_sha256: str = "", task: Task
) -> ModelEntry:
    """Check a model file in the store's scratch folder and install it.

    Args:
        store: The store it is installed in.
        model: The file.
        name: The model's name, for the reports; the card in the file has the same.
        source: Where the model came from, shown to the user.
        archive_sha256: Hash of the archive that the weights came in, hex; empty if it is not known.
        task: Shows the progress.

    Raises:
        ModelError: onnxruntime cannot run the model, or the disk is full.
        CancelledError: The task was cancelled before the model was in its place.
    """
    task.step(f"{name}: checking the model")
    card = OnnxSession(model).card
    task.step(f"{name}: installing")
    return store.publish(
        model, card, stored_sha256(model), source, archive_sha256=archive_sha256, on_wait=task.wait
    )
