"""Install a model from disk: a checkpoint, an archive with a checkpoint, or an ONNX model."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from stemdock import ModelError, OnnxSession, card_to_metadata
from stemdock_export.config import load_config
from stemdock_export.errors import ConfigError
from stemdock_models.archive import unpack_checkpoint
from stemdock_models.downloaded import remove_download
from stemdock_models.errors import ArchiveError, store_errors
from stemdock_models.installed import installed_models
from stemdock_models.installing import install_checkpoint, install_model, stored_sha256
from stemdock_models.names import check_free, check_name, check_own

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stemdock import ModelCard, ModelEntry, Plugins
    from stemdock_export.config import SpleeterConfig
    from stemdock_models.catalogue import Release, ReleasedModel
    from stemdock_models.installing import Task
    from stemdock_models.store import Store

_KEY: Final = "add"
"""Key of the scratch folder for models that are not of the release."""
_GZIP: Final = b"\x1f\x8b"
"""The first bytes of an archive, whatever its name."""
_MAX_MODEL_BYTES: Final = 2 << 30
"""Protocol buffers, in which models are kept, have no more."""
_ARCHIVE_SUFFIX: Final = re.compile(r"(\.tar)?\.t?gz$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """A model to add."""

    source: Path
    """Folder of a checkpoint, archive with a checkpoint (.tar.gz), or model (.onnx)."""
    name: str = ""
    """Name of the model; if empty, that of the folder or archive, or the one in the model's card."""
    config: str = ""
    """Name or file of the configuration; if empty, that of the released model of the same name."""
    overwrite: bool = False
    """Whether the model may replace one of the same name."""


def add_model(
    addition: Addition, *, store: Store, release: Release, plugins: Plugins, task: Task
) -> ModelEntry:
    """Install a model from disk.

    Args:
        addition: The model to add.
        store: The store it is installed in.
        release: The released models, whose names and hashes are known.
        plugins: The source of all models, whose names are taken.
        task: Shows the progress.

    Raises:
        ModelNameError: The name is invalid or taken.
        ConfigError: The configuration does not exist, or none is given for a name of your own.
        ArchiveError: The file is neither an archive nor a model, or the archive is damaged, unsafe, or not
            the released one of that name.
        ExportError: The checkpoint cannot be converted.
        ModelError: The path does not exist, or the model there cannot be used.
        StoreError: The store cannot be written.
        CancelledError: The task was cancelled between two steps.
    """
    source = addition.source
    if not source.exists():
        raise ModelError(str(source), "no such file or folder", remedy="Check the path.")
    if not source.is_dir() and not (source.is_file() and _is_known_type(source)):
        raise ArchiveError(
            source,
            "is neither an archive nor an .onnx model",
            remedy="Choose the archive (.tar.gz) or folder of a checkpoint, or a model (.onnx).",
        )

    def check(name: str) -> None:
        check_addition(name, store=store, release=release, plugins=plugins, overwrite=addition.overwrite)

    if source.is_file() and source.suffix.lower() == ".onnx":
        return _add_model_file(addition, check, store, task)
    name = addition.name or (source.name if source.is_dir() else _ARCHIVE_SUFFIX.sub("", source.name))
    check(name)
    released = None if addition.config else release.models.get(name)
    config = load_config(addition.config) if addition.config else _released_config(name, released)
    licence = released.licence if released and not source.is_dir() else ""
    # With the key of the archive, this waits for a process that is downloading the same model.
    with store.scratch(released.archive if released else _KEY, on_wait=task.wait) as scratch:
        entry = install_checkpoint(
            store,
            source if source.is_dir() else _unpacked(source, released, store, scratch, task),
            config,
            scratch=scratch,
            name=name,
            licence=licence,
            source=str(source.absolute()),
            task=task,
        )
        if released:
            # A download that failed may have left a part of the archive. It is not needed any more.
            remove_download(store.download_path(released.file_name))
        return entry


def check_addition(name: str, *, store: Store, release: Release, plugins: Plugins, overwrite: bool) -> None:
    """Check that a model can be installed under a name.

    Args:
        name: Name of the new model.
        store: The store it will be installed in.
        release: The released models.
        plugins: The source of all models, whose names are taken.
        overwrite: Whether the model may replace one of the same name.

    Raises:
        ModelNameError: The name is invalid or taken.
    """
    offered, own = plugins.models(), installed_models(store)
    taken = [entry.name for entry in offered] + [fault.model for fault in store.scan()[1]]
    check_name(name)
    check_own(name, offered, own)
    check_free(name, taken, release.models, overwrite=overwrite)


def _is_known_type(source: Path) -> bool:
    if source.suffix.lower() == ".onnx" or _ARCHIVE_SUFFIX.search(source.name):
        return True
    with store_errors(source), source.open("rb") as file:
        return file.read(len(_GZIP)) == _GZIP


def _add_model_file(addition: Addition, check: Callable[[str], None], store: Store, task: Task) -> ModelEntry:
    source = addition.source
    with store.scratch(_KEY, on_wait=task.wait) as scratch:
        task.step(f"reading {source}")
        model = scratch / "model.onnx"
        if source.stat().st_size > _MAX_MODEL_BYTES:
            raise ModelError(str(source), "is larger than a model can be (2 GiB)", remedy="Choose a model.")
        with store_errors(store.folder):
            shutil.copyfile(source, model)
        card = OnnxSession(model).card
        name = addition.name or card.name
        check(name)
        if name != card.name:
            _rename(model, replace(card, name=name))
        return install_model(store, model, name=name, source=str(source.absolute()), task=task)


def _released_config(name: str, released: ReleasedModel | None) -> SpleeterConfig:
    if released is None:
        raise ConfigError(
            name,
            "",
            "is not the name of a released model, so it needs a configuration",
            remedy="Give the configuration of the training: --config FILE.json, or --config spleeter:4stems.",
        )
    return released.config


def _unpacked(archive: Path, released: ReleasedModel | None, store: Store, scratch: Path, task: Task) -> Path:
    """Unpack an archive; returns the checkpoint's folder."""
    if released:
        _check_released(archive, released, task)
    task.step(f"unpacking {archive}")
    checkpoint = scratch / "checkpoint"
    with store_errors(store.folder):
        checkpoint.mkdir()
        unpack_checkpoint(archive, checkpoint, cancel=task.cancel)
    return checkpoint


def _check_released(archive: Path, released: ReleasedModel, task: Task) -> None:
    if released.sha256 is None:
        task.step(f"{released.name}: no sha256 is pinned in Stemdock; {archive} is used without a check")
        return
    found = stored_sha256(archive)
    if found != released.sha256:
        raise ArchiveError(
            archive,
            f"is not the released {released.file_name}: sha256 is {found}, expected {released.sha256}",
            remedy="Download it again. If it is a model of your own, give it a name and a configuration "
            "(--name, --config).",
        )


def _rename(model: Path, card: ModelCard) -> None:
    # The import takes a while, and only a new name needs it.
    import onnx  # noqa: PLC0415

    content = onnx.load(model)
    onnx.helper.set_model_props(content, card_to_metadata(card))
    with store_errors(model):
        onnx.save(content, model)
