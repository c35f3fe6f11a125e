"""Opens a model: checks it, and loads its engine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from stemdock.errors import (
    ModelContractError,
    ModelError,
    SeparationOptionError,
    ThreadShortageError,
)
from stemdock.inference.bandwidth import with_bandwidth, with_extension
from stemdock.inference.finding import file_entry, installed_entry, verify_model
from stemdock.inference.session import OnnxSession
from stemdock.inference.shortages import check_memory, memory_shortage
from stemdock.lib.cores import n_allowed_cores, n_logical_cores
from stemdock.lib.memory import is_memory_shortage
from stemdock.lib.paths import size_of
from stemdock.lib.threads import try_threads
from stemdock.types import DEFAULT_EXECUTION, DEFAULT_SEPARATION

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from stemdock.entries import ModelEntry
    from stemdock.lib.arguments import StrPath
    from stemdock.plugins import Plugins
    from stemdock.types import Engine, Execution, Separation

_N_HELPERS: Final = 2
"""Threads that work while this one loads the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenModel:
    """A model that is ready to separate."""

    entry: ModelEntry
    """The model, with the bandwidth that it was opened with."""
    engine: Engine


def open_model(
    model: StrPath,
    plugins: Plugins,
    execution: Execution = DEFAULT_EXECUTION,
    separation: Separation = DEFAULT_SEPARATION,
    *,
    confirm: Callable[[], object] | None = None,
) -> OpenModel:
    """Loads a model.

    Args:
        model: Name of an installed model, with or without "spleeter:" in front, or the path of an ONNX file.
        plugins: Models and engines.
        execution: How the engine uses the hardware.
        separation: Options of the separation.
        confirm: Called before what may take seconds. Its errors are raised, instead of going on.

    Raises:
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelNotFoundError: `model` is neither a known name nor a file.
        ModelNotInstalledError: The model must be fetched first.
        ModelDamagedError: The file differs from its entry, or is not an ONNX model.
        ModelContractError: Graph, card, entry and engine disagree.
        SeparationOptionError: The model does not support an option of the separation.
        ModelError: The model has no such bandwidth, or no plug-in runs it.
    """
    installed = installed_entry(model, plugins)
    unverified = installed
    if installed and (installed.card is None or plugins.may_have_engines):
        verify_model(installed)
        unverified = None
    found = installed or file_entry(Path(model))
    _check_options(found, separation)
    entry = with_bandwidth(found, separation.bandwidth)
    keep_prepared = installed is not None or _n_bins(entry) != _n_bins(found)
    engine = plugins.engine(entry, execution, separation) or spleeter_engine(
        entry, execution, separation, keep_prepared=keep_prepared, unverified=unverified, confirm=confirm
    )
    if (engine.stems, engine.sample_rate) != (entry.stems, entry.sample_rate):
        raise ModelContractError(
            entry.name,
            f"its engine makes {', '.join(engine.stems)} at {engine.sample_rate} Hz, but its entry says "
            f"{', '.join(entry.stems)} at {entry.sample_rate} Hz",
            remedy=entry.remedy,
        )
    return OpenModel(entry=entry, engine=engine)


def spleeter_engine(
    entry: ModelEntry,
    execution: Execution,
    separation: Separation,
    *,
    keep_prepared: bool,
    unverified: ModelEntry | None = None,
    confirm: Callable[[], object] | None = None,
) -> Engine:
    """Loads a Spleeter model with onnxruntime.

    Args:
        entry: The model, with its bandwidth in the card.
        execution: How its network is run.
        separation: Options of the separation.
        keep_prepared: Whether to keep the network's prepared form for later processes.
        unverified: The entry to compare the file with; None if that has been done.
        confirm: As for `open_model`.

    Raises:
        ModelDamagedError: The file differs from `unverified`.
        ModelError: The entry has no card, or as for `open_model`.
        MemoryShortageError: There is too little memory.
        ThreadShortageError: The system allows no further threads.
        ProviderUnavailableError: The provider is missing or does not work here.
    """
    if entry.card is None or entry.path is None:
        raise ModelError(
            entry.name,
            "no plug-in has an engine for this model",
            remedy="Run plugin-cli doctor to see which plug-ins are broken.",
        )
    check_memory(entry.name, len(entry.stems), size_of(entry.path), execution.memory)
    try:
        try_threads(n_allowed_cores() + _N_HELPERS)
    except RuntimeError as error:
        raise ThreadShortageError(entry.name) from error
    # Imports keep Python busy, while hashing and loading keep the disk and C++ code busy.
    cancel = Event()
    with ThreadPoolExecutor(_N_HELPERS) as background:
        verified = background.submit(verify_model, unverified, cancel) if unverified else None
        # Two threads that import numpy for the first time can see it half loaded: onnxruntime needs it, too.
        import_module("numpy")
        transforms = background.submit(import_module, "stemdock.engine.spleeter")
        try:
            session = _session(
                entry.path,
                entry.card.n_bins,
                execution,
                entry.sha256 if keep_prepared else "",
                verified,
                confirm or (lambda: None),
            )
            transforms.result()
        except (ImportError, RuntimeError, MemoryError) as error:
            if is_memory_shortage(error):
                raise memory_shortage(entry.name) from error
            raise
        finally:
            cancel.set()  # whoever interrupts the start does not wait for the file
    if with_extension(session.card, separation.bandwidth) != entry.card:
        raise ModelContractError(
            entry.name, f"the card in {entry.path} differs from that of its entry", remedy=entry.remedy
        )
    from stemdock.engine.spleeter import make_engine  # noqa: PLC0415  imported above, in the background

    return make_engine(
        entry.card, session, mwf=separation.mwf, n_threads=execution.n_threads or n_logical_cores()
    )


def _session(
    path: Path,
    n_bins: int,
    execution: Execution,
    sha256: str,
    verified: Future[None] | None,
    confirm: Callable[[], object],
) -> OnnxSession:
    """The session of a model whose file is verified at the same time."""

    def confirm_all() -> None:
        if verified:
            verified.result()
        confirm()

    try:
        session = OnnxSession(path, execution, n_bins=n_bins, sha256=sha256, confirm=confirm_all)
    except Exception:
        if verified:
            verified.result()  # if the file is damaged, this says so better than what reads it
        raise
    if verified:
        verified.result()
    return session


def _check_options(entry: ModelEntry, separation: Separation) -> None:
    for field in fields(separation):
        if getattr(separation, field.name) != field.default and field.name not in entry.options:
            raise SeparationOptionError(entry.name, field.name)


def _n_bins(entry: ModelEntry) -> int | None:
    return entry.card.n_bins if entry.card else None
