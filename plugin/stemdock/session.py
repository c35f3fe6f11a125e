"""Networks by onnxruntime, which no other module knows.

Loading takes a quarter of a second to import and as long again to prepare the graph, so keep a
session for as many songs as there are.
"""

from __future__ import annotations

import ctypes
import logging
import os
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from stemdock.card import INPUT_NAME, card_from_metadata
from stemdock.errors import (
    ModelContractError,
    ModelDamagedError,
    ModelNotFoundError,
    ProviderUnavailableError,
)
from stemdock.graph import check_graph
from stemdock.optimised import optimised_model
from stemdock.providers import AUTO, PROVIDERS, candidates
from stemdock.types import DEFAULT_EXECUTION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from stemdock.types import Execution, FloatArray

_ERRORS_ONLY: Final = 3
"""onnxruntime's severity level: its warnings speak to whoever builds graphs."""


_LOUDEST: Final = 1e9
"""Largest magnitude that an estimate can have: its powers must stay finite."""
_EXPORT_AGAIN: Final = "Export the model again."
_SILENT: Final = {"enable_fallback": 0}
"""Without this, onnxruntime tries a model that it cannot read once more, and says so on standard output."""
_LOG: Final = logging.getLogger("stemdock")


class OnnxSession:
    """A model file, checked and loaded.

    Attributes:
        card: The card found in the file.
        provider: Name of the execution provider that runs it, as in `stemdock.providers`.

    Raises:
        ModelNotFoundError: There is no such file.
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelDamagedError: It is no ONNX model, or not a whole one.
        ModelContractError: It has no card, or graph and card disagree.
    """

    def __init__(
        self, path: Path, execution: Execution = DEFAULT_EXECUTION, *, keep_prepared: bool = False
    ) -> None:
        """Loads a model.

        Args:
            path: An ONNX file with a Stemdock card.
            execution: How to run it.
            keep_prepared: Whether to use what an earlier session prepared, and leave it for a later one:
                for models that are there to stay.
        """
        _check_file(path)
        self._session, self.provider = _load(path, execution, keep_prepared=keep_prepared)
        self._path = str(path)
        self._lock = Lock()
        self.card = card_from_metadata(self._metadata(), self._path)
        self._check_contract(str(path))

    def run(self, magnitude: FloatArray) -> Sequence[FloatArray]:
        """Estimates the magnitude of every stem: see `stemdock.types.MaskSession`.

        Threads take turns: one run uses all cores, and two at once would need twice the memory.

        Raises:
            ModelDamagedError: The network fails, or makes something else than magnitudes.
        """
        try:
            with self._lock:
                estimates: Sequence[FloatArray] = self._session.run(
                    list(self.card.stems), {INPUT_NAME: magnitude}
                )
        except Exception as error:
            raise ModelDamagedError(
                self._path, f"fails when it is run ({_reason(error)})", remedy=_EXPORT_AGAIN
            ) from error
        for stem, estimate in zip(self.card.stems, estimates, strict=True):
            # In these words, since a comparison with NaN is never true.
            if not (estimate.shape == magnitude.shape and 0 <= estimate.min() <= estimate.max() <= _LOUDEST):
                raise ModelDamagedError(
                    self._path, f"makes estimates of {stem} that are none", remedy=_EXPORT_AGAIN
                )
        return estimates

    def _metadata(self) -> Mapping[str, str]:
        try:
            metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map
        except UnicodeDecodeError as error:
            raise ModelDamagedError(
                self._path, f"its metadata are no text ({error})", remedy=_EXPORT_AGAIN
            ) from error
        return metadata

    def _check_contract(self, model: str) -> None:
        card = self.card
        segment = [card.n_frames, card.n_bins, card.n_channels]
        inputs = {node.name: list(node.shape[1:]) for node in self._session.get_inputs()}
        outputs = {node.name: list(node.shape[1:]) for node in self._session.get_outputs()}
        for found, wanted in (
            (inputs, {INPUT_NAME: segment}),
            (outputs, dict.fromkeys(card.stems, segment)),
        ):
            if found != wanted:
                raise ModelContractError(
                    model,
                    f"its graph has {found} where its card says {wanted}",
                    remedy=_EXPORT_AGAIN,
                )


def available_providers() -> Sequence[str]:
    """Names in `stemdock.providers.PROVIDERS` of those that the installed onnxruntime has."""
    onnxruntime = _import_runtime()
    available = onnxruntime.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider.onnx_name in available]


def _import_runtime() -> Any:
    """The module, which takes 0.1 s to import, and only those who separate need it."""
    # From 1.29 on it tells Microsoft what it is used for, unless this is there before it is imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415  as said above

    return onnxruntime


def _check_file(path: Path) -> None:
    """Refuses what is no file, or a model that no runtime should get."""
    if not path.is_file():
        raise ModelNotFoundError(str(path), known=())
    try:
        check_graph(path)
    except OSError as error:
        raise ModelDamagedError(
            str(path), f"cannot be read ({error.strerror})", remedy="Name a model that you may read."
        ) from error


def _reason(error: Exception) -> str:
    """The first line: onnxruntime's exceptions share no base, and what they say runs over lines."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _load(path: Path, execution: Execution, *, keep_prepared: bool) -> tuple[Any, str]:
    """A session and the name of the provider that it runs on."""
    onnxruntime = _import_runtime()
    wanted = execution.provider
    for name in candidates(execution, onnxruntime.get_available_providers()):
        onnx_name = PROVIDERS[name].onnx_name
        settings = PROVIDERS[name].bfloat16 if execution.precision == "bfloat16" else {}
        try:
            if name == "cpu" and keep_prepared:
                session = _load_prepared(onnxruntime, path, execution.n_threads)
            else:
                options = _options(onnxruntime, execution.n_threads)
                session = onnxruntime.InferenceSession(
                    path, options, providers=[(onnx_name, dict(settings))], **_SILENT
                )
            # A provider whose libraries are missing is left out without an error.
            reason = "" if session.get_providers()[0] == onnx_name else "its libraries or drivers are missing"
        except Exception as error:
            reason = _reason(error)
            if name == "cpu":
                raise ModelDamagedError(
                    str(path),
                    f"no usable ONNX model ({reason})",
                    remedy="Install or export the model again: the file may be cut short.",
                ) from error
        if not reason:
            _trim_heap()
            return session, name
        if wanted != AUTO:
            raise ProviderUnavailableError(
                name, f"does not work here ({reason})", remedy="Install what it needs, or use --provider cpu."
            )
        _LOG.warning("provider %s does not work here (%s): trying the next", name, reason)
    raise ProviderUnavailableError(wanted, "onnxruntime has no CPU", remedy="Install onnxruntime again.")


def _load_prepared(onnxruntime: Any, path: Path, n_threads: int) -> Any:
    """A session on the processor, from what an earlier one left prepared, or else leaving that."""

    def open_session(source: Path, options: Any) -> Any:
        return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"], **_SILENT)

    kept = optimised_model(path, f"onnxruntime {onnxruntime.__version__}")
    found = kept.find()
    if found:
        options = _options(onnxruntime, n_threads)
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        with suppress(Exception):  # the model itself is still there
            return open_session(found, options)
    staged = kept.stage()
    if staged:
        options = _options(onnxruntime, n_threads)
        options.optimized_model_filepath = str(staged)
        try:
            session = open_session(path, options)
            kept.keep(staged)
        except Exception as error:  # noqa: BLE001  the disk may be full; what the model lacks shows below
            _LOG.debug("nothing kept in %s: %s", staged.parent, error)
        else:
            return session
        finally:
            staged.unlink(missing_ok=True)
    return open_session(path, _options(onnxruntime, n_threads))


def _options(onnxruntime: Any, n_threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = n_threads
    # Threads that spin while they wait would take the processor from the transforms, whose turn it is then.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Without these, each buffer goes back to the arena after its last use. With the plan, there would be
    # a second copy of all buffers; with reuse, they would all stay until the last stem: 100 MB more.
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False
    # The arena grows by doubling, which is meant for what comes and goes, not for weights.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return options


def _trim_heap() -> None:
    """Gives the system back what loading needed for a moment, three times the weights, where libc can."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
