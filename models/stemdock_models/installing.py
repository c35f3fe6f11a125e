"""The last steps of every road into the store: convert, check, put in place."""

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
    """What somebody waits for: tells its steps, and stops between two of them when asked to.

    Attributes:
        cancel: Set from another thread to stop.
    """

    def __init__(self, on_progress: Callable[[FetchProgress], None] | None, cancel: Event | None) -> None:
        self.cancel = cancel
        self._on_progress = on_progress
        self._step = ""

    def step(self, step: str) -> None:
        """Tells what is done next.

        Raises:
            CancelledError: `cancel` was set.
        """
        self._step = step
        self.count(0, None)

    def count(self, n_done_bytes: int, n_total_bytes: int | None) -> None:
        """Tells how far the step has come.

        Raises:
            CancelledError: `cancel` was set.
        """
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError
        if self._on_progress:
            self._on_progress(
                FetchProgress(step=self._step, n_done_bytes=n_done_bytes, n_total_bytes=n_total_bytes)
            )


def install_checkpoint(
    store: Store,
    directory: Path,
    config: SpleeterConfig,
    *,
    work: Path,
    name: str,
    licence: str,
    source: str,
    archive_sha256: str = "",
    task: Task,
) -> ModelEntry:
    """Converts a checkpoint and puts the model in its place.

    Args:
        store: Where it goes.
        directory: The checkpoint's folder.
        config: What the checkpoint is used with.
        work: Scratch folder inside the store.
        name: What people will call the model.
        licence: Licence and holder of the weights; empty to tell it by the checkpoint.
        source: Where the checkpoint came from, for people.
        archive_sha256: Of the archive that it came in, hex, if that is known.
        task: Who waits for it.

    Raises:
        StemdockError: The checkpoint is damaged or of another configuration, or the disk is full.
        CancelledError: Between two steps.
    """
    # It imports numpy and onnx, which only those who convert wait for.
    from stemdock_export.direct import convert_checkpoint  # noqa: PLC0415

    model = work / f"{name}.onnx"
    with store_errors(store.folder):
        converted = convert_checkpoint(
            directory,
            config,
            model,
            name=name,
            licence=licence,
            on_step=lambda step: task.step(f"{name}: {step}"),
        )
    task.step(f"{name}: installing")
    return store.publish(
        model, converted.card, converted.sha256, source, archive_sha256=archive_sha256, cancel=task.cancel
    )


def stored_sha256(path: Path) -> str:
    """Hash of a file in hex.

    Raises:
        StoreError: It cannot be read.
    """
    with store_errors(path):
        return file_sha256(path)


def install_model(
    store: Store, model: Path, *, name: str, source: str, archive_sha256: str = "", task: Task
) -> ModelEntry:
    """Checks a finished model file inside the store's scratch folder and puts it in its place.

    Raises:
        ModelError: The runtime cannot use it, or the disk is full.
        CancelledError: Before it was put in its place.
    """
    task.step(f"{name}: checking the model")
    card = OnnxSession(model).card
    task.step(f"{name}: installing")
    return store.publish(
        model, card, stored_sha256(model), source, archive_sha256=archive_sha256, cancel=task.cancel
    )
