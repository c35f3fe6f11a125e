"""The end of a training: the checkpoint becomes a model in every host's menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stemdock_export.exporting import export_checkpoint
from stemdock_export.reference import ReferenceConverter
from stemdock_models.adding import Addition, add_model, check_addition
from stemdock_models.catalogue import load_release
from stemdock_models.installing import Task
from stemdock_models.store import default_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import FetchProgress, ModelEntry, Plugins
    from stemdock_export.config import SpleeterConfig


def check_name(name: str, plugins: Plugins, *, overwrite: bool) -> None:
    """Checks that a model can get a name, before the training takes its time.

    Raises:
        ModelNameError: The name is invalid or taken.
    """
    check_addition(name, store=default_store(), release=load_release(), plugins=plugins, overwrite=overwrite)


def install(
    folder: Path,
    config: SpleeterConfig,
    name: str,
    plugins: Plugins,
    *,
    overwrite: bool,
    on_step: Callable[[str], None],
) -> ModelEntry:
    """Exports the latest checkpoint, compares the model with TensorFlow, and installs it.

    Args:
        folder: The folder of the training. The model is written there, too.
        config: The network.
        name: The model's name.
        plugins: The source of all models, whose names are taken.
        overwrite: Whether an installed model of this name is replaced.
        on_step: Called with a description of each step before it starts.

    Raises:
        ExportError: The checkpoint cannot be converted, or the model differs from it.
        ModelError: The model cannot be installed.
        OutputError: The model cannot be written.
    """
    path = folder / f"{name}.onnx"
    export_checkpoint(
        folder, config, path, converter=ReferenceConverter(), name=name, overwrite=True, on_step=on_step
    )

    def show(progress: FetchProgress) -> None:
        on_step(progress.step)

    return add_model(
        Addition(source=path, name=name, overwrite=overwrite),
        store=default_store(),
        release=load_release(),
        plugins=plugins,
        task=Task(show, cancel=None),
    )
