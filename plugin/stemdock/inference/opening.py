"""Choosing a model by name or path, and opening it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from stemdock.errors import (
    ModelContractError,
    ModelDamagedError,
    ModelNotFoundError,
    ModelNotInstalledError,
)
from stemdock.inference.bandwidth import card_with_bins, model_with_bins, n_bins_for
from stemdock.inference.session import OnnxSession
from stemdock.lib.hashing import file_sha256
from stemdock.types import DEFAULT_EXECUTION

if TYPE_CHECKING:
    from stemdock.card import ModelCard
    from stemdock.plugins import Plugins
    from stemdock.types import Bandwidth, Execution, MaskSession, ModelEntry

DEFAULT_MODEL: Final = "2stems"
_SPLEETER_PREFIX: Final = "spleeter:"


def open_model(
    model: str | Path,
    plugins: Plugins,
    execution: Execution = DEFAULT_EXECUTION,
    bandwidth: Bandwidth | None = None,
) -> MaskSession:
    """Loads a model.

    Args:
        model: Name of an installed model, with or without "spleeter:" before it, or the path of
            an ONNX file.
        plugins: Where models and sessions come from.
        execution: How its networks are run.
        bandwidth: Up to which frequency they must look, if not as far as the model does. Then its other
            variant is taken where it is installed, or else made of the same weights.

    Raises:
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelNotFoundError: Neither a name nor a file.
        ModelNotInstalledError: A name, but of a model that must be fetched first.
        ModelDamagedError: The file is not what its entry says, or no ONNX model.
        ModelContractError: Graph, card and entry disagree.
        ModelError: It cannot have that bandwidth, or its variant cannot be kept.
    """
    entry = find_entry(model, plugins)
    if entry:
        verify_model(entry)
    path = entry.path if entry else Path(model)
    card = entry.card if entry else None
    if bandwidth:
        own = card or OnnxSession(path, execution).card
        n_bins = n_bins_for(bandwidth, own)
        if n_bins != own.n_bins:
            wanted = card_with_bins(own, n_bins)
            installed = _same_weights(wanted, plugins)
            if installed:
                return open_model(installed.name, plugins, execution)
            path, card = model_with_bins(path, n_bins), wanted
    session = plugins.session(path, execution) or OnnxSession(path, execution, keep_prepared=card is not None)
    if card and session.card != card:
        raise ModelContractError(
            card.name,
            f"{path} has another card than its entry",
            remedy=entry.remedy if entry else "Export the model again.",
        )
    return session


def _same_weights(card: ModelCard, plugins: Plugins) -> ModelEntry | None:
    """The installed model that is what the card says, whoever exported it."""
    for entry in plugins.models():
        if replace(entry.card, exporter=card.exporter, licence=card.licence) == card:
            return entry
    return None


def verify_model(entry: ModelEntry) -> None:
    """Compares a model file with its entry.

    Raises:
        ModelDamagedError: The file is gone, or its sha256 is another.
    """
    try:
        found = file_sha256(entry.path)
    except OSError as error:
        raise ModelDamagedError(entry.name, f"{entry.path}: {error.strerror}", remedy=entry.remedy) from error
    if found != entry.sha256:
        raise ModelDamagedError(
            entry.name, f"{entry.path} was cut short or altered: its sha256 is {found}", remedy=entry.remedy
        )


def model_sha256(model: str | Path, plugins: Plugins) -> str:
    """The sha256 of a model's file, hex, as its entry has it or else as found.

    Args:
        model: As for `open_model`.
        plugins: Where models come from.

    Raises:
        ModelNotFoundError: Neither a name nor a file.
        ModelNotInstalledError: A name, but of a model that must be fetched first.
        ModelDamagedError: The file cannot be read.
    """
    entry = find_entry(model, plugins)
    if entry:
        return entry.sha256
    try:
        return file_sha256(Path(model))
    except OSError as error:
        raise ModelDamagedError(
            str(model), f"cannot be read ({error.strerror})", remedy="Check its permissions."
        ) from error


def find_entry(model: str | Path, plugins: Plugins) -> ModelEntry | None:
    """The entry that bears the name; None if `model` is the path of a file.

    Args:
        model: As for `open_model`.
        plugins: Where models come from.

    Raises:
        ModelNotFoundError: Neither a name nor a file.
        ModelNotInstalledError: A name, but of a model that must be fetched first.
    """
    entries = {entry.name: entry for entry in plugins.models()}
    name = plain_name(model)
    if name in entries and not isinstance(model, Path):
        return entries[name]
    if Path(model).is_file():
        return None
    downloads = {download.name: download for download in plugins.downloads()}
    if name in downloads and not isinstance(model, Path):
        raise ModelNotInstalledError(downloads[name])
    raise ModelNotFoundError(
        str(model), known=(*entries, *(name for name in downloads if name not in entries))
    )


def plain_name(model: str | Path) -> str:
    """A model's name without the "spleeter:" that Spleeter's users write before it."""
    return str(model).removeprefix(_SPLEETER_PREFIX)
