"""Finds a model by its name, or by the path of its file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.entries import ModelEntry
from stemdock.errors import CancelledError, ModelDamagedError, ModelNotFoundError, ModelNotInstalledError
from stemdock.inference.onnx_file import read_model, refuse_other_kinds
from stemdock.lib.hashing import file_sha256
from stemdock.lib.os_errors import reason_for
from stemdock.lib.paths import access_error, is_file, kind_of

if TYPE_CHECKING:
    from threading import Event

    from stemdock.lib.arguments import StrPath
    from stemdock.plugins import Plugins

DEFAULT_MODEL: Final = "2stems"
_SPLEETER_PREFIX: Final = "spleeter:"


def find_entry(model: StrPath, plugins: Plugins) -> ModelEntry:
    """The entry of a model. For the path of a file, it is made from the card in the file.

    Args:
        model: Name of an installed model, with or without "spleeter:" in front, or the path of an ONNX file.
            What is not a string is never a name.
        plugins: Models.

    Raises:
        ModelNotFoundError: `model` is neither a known name nor a file.
        ModelNotInstalledError: The model must be fetched first.
        ModelDamagedError: The file is not an ONNX model, or cannot be read.
        ModelContractError: The file has no usable card.
    """
    return installed_entry(model, plugins) or file_entry(Path(model))


def plain_name(model: StrPath) -> str:
    """A model's name without Spleeter's prefix "spleeter:"."""
    return os.fspath(model).removeprefix(_SPLEETER_PREFIX)


def installed_entry(model: StrPath, plugins: Plugins) -> ModelEntry | None:
    """The entry with this name; None if `model` is the path of a file, or of something like it.

    Raises:
        ModelError: As for `find_entry`.
    """
    name = plain_name(model) if isinstance(model, str) else None
    path = Path(model)
    entries = {entry.name: entry for entry in plugins.models()}
    if name in entries:
        return entries[name]
    if is_file(path):
        return None
    downloads = {download.name: download for download in plugins.downloads()}
    if name in downloads:
        raise ModelNotInstalledError(downloads[name])
    if kind_of(path):  # reading it says what is wrong
        return None
    if reason := access_error(path):
        raise _unreadable(path, reason)
    raise ModelNotFoundError(
        str(path), known=(*entries, *(name for name in downloads if name not in entries))
    )


def file_entry(path: Path) -> ModelEntry:
    """The entry of a model file, made from the card in it.

    Raises:
        ModelError: As for `find_entry`.
    """
    card = read_model(path).card()
    try:
        sha256 = file_sha256(path)
    except OSError as error:
        raise _unreadable(path, reason_for(error)) from error
    return ModelEntry.from_card(
        card, path=path, sha256=sha256, source=str(path), remedy="Export the model again."
    )


def verify_model(entry: ModelEntry, cancel: Event | None = None) -> None:
    """Compares the file of a model, if it has one, with its entry.

    Args:
        entry: The model.
        cancel: Set it from another thread to stop soon.

    Raises:
        ModelDamagedError: The file is missing, or its sha256 differs.
        CancelledError: `cancel` was set.
    """
    if entry.path is None:
        return

    def check_cancel() -> None:
        if cancel is not None and cancel.is_set():
            raise CancelledError

    refuse_other_kinds(entry.path, entry.name, entry.remedy)
    try:
        found = file_sha256(entry.path, check_cancel)
    except OSError as error:
        raise ModelDamagedError(entry.name, f"{entry.path}: {error.strerror}", remedy=entry.remedy) from error
    if found != entry.sha256:
        raise ModelDamagedError(
            entry.name,
            f"{entry.path} is damaged: its sha256 is {found} instead of {entry.sha256}",
            remedy=entry.remedy,
        )


def _unreadable(path: Path, reason: str) -> ModelDamagedError:
    return ModelDamagedError(
        str(path), f"cannot be read ({reason})", remedy="Check the permissions of the file and its folder."
    )
