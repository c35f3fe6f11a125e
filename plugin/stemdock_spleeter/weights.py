"""Finds the model of a configuration: a checkpoint in MODEL_PATH, an installed model, or a download.

MODEL_PATH is only read. Models that are made of its checkpoints, or downloaded because the environment names
a release, are kept in a hidden folder of Stemdock's own store.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import stemdock
from stemdock import ModelNotInstalledError, Separation
from stemdock_export.checkpoint import find_checkpoint
from stemdock_models.catalogue import ReleasedModel, load_release
from stemdock_models.fetching import Fetcher
from stemdock_models.installing import Task, install_checkpoint
from stemdock_models.store import Store, default_store
from stemdock_spleeter.errors import UncaughtError, spleeter_errors
from stemdock_spleeter.log import logger
from stemdock_spleeter.settings import release_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stemdock import FetchProgress, ModelEntry
    from stemdock_export.checkpoint import Checkpoint
    from stemdock_spleeter.configuration import Configuration

_FOLDER: Final = ".spleeter"
"""Folder of the models that are made for this package, inside Stemdock's store."""
_KEY: Final = "spleeter"
"""Key of the scratch folder: conversions run one after the other."""
_DIGEST_LENGTH: Final = 16


def open_separator(configuration: Configuration, *, mwf: bool) -> stemdock.Separator:
    """Opens the model of a configuration; converts or downloads it first if necessary.

    Raises:
        SpleeterError: The checkpoint cannot be used, or there is none and none can be downloaded.
    """
    separation = Separation(mwf=mwf)
    with spleeter_errors():
        folder = configuration.checkpoint_folder
        if any(folder.glob("*.index")):
            entry = _converted(configuration, find_checkpoint(folder))
            return stemdock.Separator(Path(_file(entry)), separation=separation)
        if folder.exists():
            logger.warning("%s contains no checkpoint and is ignored", folder)
        if configuration.name and release_url() is None:
            return _installed(configuration.name, separation)
        entry = _downloaded(configuration)
        return stemdock.Separator(Path(_file(entry)), separation=separation)


def _installed(name: str, separation: Separation) -> stemdock.Separator:
    """A model of Stemdock's, downloaded to its own store if it is not installed."""
    try:
        return stemdock.Separator(name, separation=separation)
    except ModelNotInstalledError as error:
        logger.info("Downloading model archive %s", error.download.source)
        with _network_errors():
            error.download.fetch(on_progress=_Steps())
    return stemdock.Separator(name, separation=separation)


def _converted(configuration: Configuration, checkpoint: Checkpoint) -> ModelEntry:
    """The model of a checkpoint, converted unless that has been done before."""
    store = _own_store()
    label = configuration.name or Path(configuration.model_dir).name
    name = _legal(label, f"{asdict(configuration.network) | {'source': ''}} {checkpoint.sha256()}")
    entry = store.find(name)
    if entry is None:
        logger.info("Converting the checkpoint %s", checkpoint.prefix.parent)
        task = Task(_Steps(), None)
        with store.scratch(_KEY, on_wait=task.wait) as scratch:
            entry = store.find(name) or install_checkpoint(
                store,
                checkpoint.prefix.parent,
                configuration.network,
                scratch=scratch,
                name=name,
                licence="",
                source=str(checkpoint.prefix.parent.absolute()),
                task=task,
            )
    return entry


def _downloaded(configuration: Configuration) -> ModelEntry:
    """The model of a configuration, made of an archive of the release."""
    url = release_url()
    release = load_release(url)
    archive = Path(configuration.model_dir).name
    known = release.models.get(archive)
    network = configuration.name or str(Path(configuration.descriptor).absolute())
    model = ReleasedModel(
        name=_legal(archive, f"{url} {asdict(configuration.network) | {'source': ''}}"),
        archive=archive,
        # Another release has other archives, and a list of their hashes.
        sha256=known.sha256 if known and url is None else None,
        config_name=network,
        licence=known.licence if known and url is None else "",
    )
    logger.info("Downloading model archive %s", release.file_url(model.file_name))
    fetcher = Fetcher(release=replace(release, models={model.name: model}), store=_own_store())
    with _network_errors():
        (entry,) = fetcher.fetch([model], on_progress=_Steps())
    return entry


@contextmanager
def _network_errors() -> Iterator[None]:
    """What Spleeter does not catch when a download fails."""
    try:
        yield
    except stemdock.ModelError as error:
        raise UncaughtError(str(error), remedy=error.remedy) from error


def _own_store() -> Store:
    return Store(default_store().folder / _FOLDER)


def _file(entry: ModelEntry) -> Path:
    if entry.path is None:  # not so for models of a store
        raise UncaughtError(f"{entry.name}: has no file", remedy=entry.remedy)
    return entry.path


def _legal(label: str, content: str) -> str:
    """A name for a model, which is different for different content."""
    digest = hashlib.sha256(content.encode()).hexdigest()[:_DIGEST_LENGTH]
    readable = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in label)
    return f"{readable.strip('-')[:40] or 'model'}-{digest}"


class _Steps:
    """Logs each step of a download or conversion once, for people who want details."""

    def __init__(self) -> None:
        self._step = ""

    def __call__(self, progress: FetchProgress) -> None:
        if progress.step != self._step:
            self._step = progress.step
            logger.debug("%s", progress.step)
