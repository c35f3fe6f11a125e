"""Takes models that somebody has on disk: a checkpoint, an archive of one, or a finished model."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock import ModelError, OnnxSession, card_to_metadata
from stemdock_export.config import load_config
from stemdock_export.errors import ConfigError
from stemdock_models.archive import unpack_checkpoint
from stemdock_models.errors import ArchiveError, store_errors
from stemdock_models.installing import install_checkpoint, install_model, stored_sha256
from stemdock_models.names import check_free, check_name

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import ModelCard, ModelEntry, Plugins
    from stemdock_export.config import SpleeterConfig
    from stemdock_models.catalogue import Release, ReleasedModel
    from stemdock_models.installing import Task
    from stemdock_models.store import Store

_ARCHIVE_SUFFIX: Final = re.compile(r"(\.tar)?\.t?gz$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What somebody wants to add."""

    source: Path
    """A checkpoint's folder, an archive of one (.tar.gz), or a model (.onnx)."""
    name: str = ""
    """What the model is called; if empty, as the file or folder, or as the model says itself."""
    config: str = ""
    """Name or file of the configuration; if empty, that of the released model of the same name."""
    overwrite: bool = False
    """Whether it may replace a model."""


def add_model(
    addition: Addition, *, store: Store, release: Release, plugins: Plugins, task: Task
) -> ModelEntry:
    """Makes a model ready to use under its name.

    Args:
        addition: What to add.
        store: Where it goes.
        release: Tells which names and hashes are those of released models.
        plugins: Whose models' names are taken.
        task: Who waits for it.

    Raises:
        ModelNameError: The name is no name, or is taken.
        ConfigError: There is no such configuration, or none was given and the name tells none.
        ArchiveError: The archive is damaged, harmful, or not the released one that its name promises.
        ExportError: The checkpoint cannot be converted.
        ModelError: There is nothing at that path, or a model that cannot be used.
        StoreError: The store cannot be written.
        CancelledError: Between two steps.
    """
    source = addition.source
    if not source.exists():
        raise ModelError(str(source), "no such file or folder", remedy="Check the path.")
    taken = [entry.name for entry in plugins.models()] + [fault.model for fault in store.scan()[1]]

    def check(name: str) -> None:
        check_name(name)
        check_free(name, taken, release.models, overwrite=addition.overwrite)

    with store.work(
        "add", on_wait=lambda: task.step("waiting for another Stemdock"), cancel=task.cancel
    ) as work:
        if source.is_file() and source.suffix.lower() == ".onnx":
            task.step(f"reading {source}")
            model = work / "model.onnx"
            with store_errors(store.folder):
                shutil.copyfile(source, model)
            card = OnnxSession(model).card
            name = addition.name or card.name
            check(name)
            if name != card.name:
                _rename(model, replace(card, name=name))
            return install_model(store, model, name=name, source=str(source.absolute()), task=task)
        name = addition.name or (source.name if source.is_dir() else _ARCHIVE_SUFFIX.sub("", source.name))
        check(name)
        released = None if addition.config else release.models.get(name)
        config = load_config(addition.config) if addition.config else _released_config(name, released)
        licence = released.licence if released and not source.is_dir() else ""
        return install_checkpoint(
            store,
            source if source.is_dir() else _unpacked(source, released, store, work, task),
            config,
            work=work,
            name=name,
            licence=licence,
            source=str(source.absolute()),
            task=task,
        )


def _released_config(name: str, released: ReleasedModel | None) -> SpleeterConfig:
    if released is None:
        raise ConfigError(
            name,
            "",
            "no released model has that name, so its configuration must be given",
            remedy="Say what it was trained with: --config FILE.json, or --config spleeter:4stems.",
        )
    return released.config


def _unpacked(archive: Path, released: ReleasedModel | None, store: Store, work: Path, task: Task) -> Path:
    """The checkpoint of an archive, in a folder."""
    if released:
        _check_released(archive, released, task)
    task.step(f"unpacking {archive}")
    checkpoint = work / "checkpoint"
    with store_errors(store.folder):
        checkpoint.mkdir()
        unpack_checkpoint(archive, checkpoint, cancel=task.cancel)
    return checkpoint


def _check_released(archive: Path, released: ReleasedModel, task: Task) -> None:
    if released.sha256 is None:
        task.step(f"{released.name}: no sha256 is pinned in Stemdock; taking {archive} on trust")
        return
    found = stored_sha256(archive)
    if found != released.sha256:
        raise ArchiveError(
            archive,
            f"is not the released {released.file_name}: its sha256 is {found} instead of {released.sha256}",
            remedy="Download it again; or, if it is a model of your own, give it a name and a configuration "
            "(--name, --config).",
        )


def _rename(model: Path, card: ModelCard) -> None:
    # It takes a while to import, and only those who rename a model wait for it.
    import onnx  # noqa: PLC0415

    content = onnx.load(model)
    onnx.helper.set_model_props(content, card_to_metadata(card))
    with store_errors(model):
        onnx.save(content, model)
