"""Runs networks with onnxruntime: the only module that knows it.

Importing onnxruntime takes a quarter of a second, and preparing a graph as long again. Load a network once
for all songs.
"""

from __future__ import annotations

import logging
import math
import os
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from functools import partial
from itertools import repeat
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from stemdock.errors import CancelledError, ModelDamagedError, ProviderUnavailableError, StemdockError
from stemdock.inference.prepared import FOLDER_VARIABLE, WEIGHTS_NAME, prepared_model
from stemdock.inference.providers import AUTO, PROVIDERS, candidates
from stemdock.inference.scheduling import segments_at_once
from stemdock.inference.shortages import memory_shortage, spare_memory
from stemdock.inference.splitting import split_model
from stemdock.lib.cores import n_physical_cores
from stemdock.lib.hashing import file_sha256
from stemdock.lib.heap import trim_heap
from stemdock.lib.memory import is_memory_shortage
from stemdock.lib.private_folders import UnsafeFolderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from threading import Event

    from stemdock.inference.onnx_file import OnnxModel
    from stemdock.types import Execution, FloatArray

_NO_MESSAGES: Final = 4
"""Severity level of onnxruntime. It would print below Python, with names from the model, whatever they
contain. Errors are raised, too, and its warnings are meant for authors of graphs."""
_SILENT: Final = {"enable_fallback": 0}
"""Without this setting, onnxruntime loads an unreadable model twice, and reports that on standard output."""
_LARGE: Final = 1 << 16
"""Bytes of weights that are kept in the file of the weights rather than in the graph."""
_LARGEST_ERROR: Final = 1e-11
"""Energy of the error of a rewritten network, as a part of its output's: -110 dB."""
_LARGEST_INPUT: Final = 1 << 24
"""Values of one segment that a network is tried with; Spleeter's have 2**20. A file may claim any number."""
_N_PARTS: Final = 2
"""Parts of a model that run side by side."""
_CANCEL_CHECK: Final = 0.1
"""Seconds between two checks for cancellation while a network runs."""
_LOG: Final = logging.getLogger("stemdock")
_PREPARING: Final = Lock()
"""Prepares one part at a time, since preparing takes several times the memory of the result."""


class Network:
    """A loaded model, in one part or in several that run side by side.

    Attributes:
        provider: Name of the execution provider that runs it, as in `stemdock.inference.providers`.
        n_at_once: How many threads may call `run` at the same time. Each further one takes as much memory as
            the first.
    """

    def __init__(self, sessions: Sequence[Any], provider: str, n_at_once: int = 1) -> None:
        """Takes onnxruntime's sessions, which have the same input and different outputs."""
        self.provider = provider
        self.n_at_once = n_at_once
        self._sessions = sessions
        self._threads = ThreadPoolExecutor(len(sessions) * n_at_once, thread_name_prefix="stemdock-network")

    def run(self, inputs: Mapping[str, FloatArray], cancel: Event | None = None) -> Mapping[str, FloatArray]:
        """The outputs of the model by name. Raises onnxruntime's exceptions.

        Args:
            inputs: The inputs by name.
            cancel: Set it from another thread to stop within a few operators of the graph.

        Raises:
            CancelledError: `cancel` was set.
        """
        options = _import_runtime().RunOptions()
        runs = [self._threads.submit(_run, session, inputs, options) for session in self._sessions]
        while cancel is not None and wait(runs, _CANCEL_CHECK, FIRST_EXCEPTION).not_done:
            if cancel.is_set():
                options.terminate = True
                wait(runs)
                raise CancelledError
        made: dict[str, FloatArray] = {}
        for each in runs:
            made.update(each.result())
        return made

    @property
    def inputs(self) -> Mapping[str, Sequence[Any]]:
        """Shapes by name; variable lengths are texts."""
        return {node.name: node.shape for session in self._sessions for node in session.get_inputs()}

    @property
    def outputs(self) -> Mapping[str, Sequence[Any]]:
        """Shapes by name; variable lengths are texts."""
        return {node.name: node.shape for session in self._sessions for node in session.get_outputs()}


def _run(session: Any, inputs: Mapping[str, FloatArray], options: Any) -> Mapping[str, FloatArray]:
    names = [node.name for node in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs), options), strict=True))


def available_providers() -> Sequence[str]:
    """Providers of the installed onnxruntime, by their names in `stemdock.inference.providers`."""
    available = _import_runtime().get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider.onnx_name in available]


def load_network(
    model: OnnxModel,
    execution: Execution,
    *,
    sha256: str = "",
    confirm: Callable[[], object] | None = None,
) -> Network:
    """Loads a model.

    Args:
        model: The model, which `stemdock.inference.vetting` has checked.
        execution: How to run it.
        sha256: Of the model's file, hex. If given, the prepared form is used that an earlier process kept,
            and is kept for later ones.
        confirm: Called before onnxruntime reads the file itself. Its errors, which are raised, mean that the
            file is not what it should be.

    Raises:
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelDamagedError: The model is incomplete or contradicts itself.
    """
    onnxruntime = _import_runtime()
    wanted = execution.provider
    n_cores = execution.n_threads or n_physical_cores()
    confirm = confirm or (lambda: None)
    for name in candidates(execution, onnxruntime.get_available_providers()):
        provider = PROVIDERS[name]
        onnx_name = provider.onnx_name
        settings = provider.bfloat16 if execution.precision == "bfloat16" else provider.settings
        try:
            if name == "cpu":
                sessions = _load_on_cpu(model, n_cores, sha256, confirm)
            else:
                confirm()
                sessions = [_open(_source(model), _options(execution.n_threads), onnx_name, settings)]
            # onnxruntime skips a provider whose libraries are missing, without an error.
            works = sessions[0].get_providers()[0] == onnx_name
            reason = "" if works else "its libraries or drivers are missing"
        except StemdockError:
            raise
        except Exception as error:
            reason = reason_of(error)
            if is_memory_shortage(error):
                raise memory_shortage(str(model.path)) from error
            if name == "cpu":
                raise ModelDamagedError(
                    str(model.path),
                    f"not a usable ONNX model ({reason})",
                    remedy="Install or export the model again: the file may be cut short.",
                ) from error
        if not reason:
            trim_heap()  # loading needed three times the weights
            spare = partial(spare_memory, execution.memory)
            n_at_once = segments_at_once(n_cores, spare) if name == "cpu" else 1
            return Network(sessions, name, n_at_once)
        if wanted != AUTO:
            raise ProviderUnavailableError(
                name,
                f"does not work on this machine ({reason})",
                remedy="Install its drivers and libraries, or use --provider cpu.",
            )
        _LOG.warning("provider %s does not work on this machine (%s): trying the next", name, reason)
    raise ProviderUnavailableError(
        wanted, "onnxruntime lacks its CPU provider", remedy="Install onnxruntime again."
    )


def reason_of(error: Exception) -> str:
    """First line of the message: those of onnxruntime have several lines."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _import_runtime() -> Any:
    """The module. Importing it takes 0.1 s, which commands that separate nothing avoid."""
    # No telemetry: from 1.29 on, onnxruntime sends usage reports unless this is set before the import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415  see above

    return onnxruntime


def _load_on_cpu(model: OnnxModel, n_cores: int, sha256: str, confirm: Callable[[], object]) -> Sequence[Any]:
    """Sessions that run side by side on all cores."""
    if sha256:
        try:
            return _load_prepared(model, n_cores, sha256, confirm)
        except StemdockError:
            raise
        except UnsafeFolderError as error:
            confirm()  # whoever does not go on needs no warning
            _LOG.warning(
                "%s: models load slowly. Set %s to a folder that only you can write to.",
                error,
                FOLDER_VARIABLE,
            )
        except Exception as error:  # noqa: BLE001  the disk may be full; a damaged model raises again below
            _LOG.debug("%s is loaded without its prepared form: %s", model.path, error)
    confirm()
    return [_open(_source(model), _options(n_cores))]


def _load_prepared(
    model: OnnxModel, n_cores: int, sha256: str, confirm: Callable[[], object]
) -> Sequence[Any]:
    """Sessions of the model, in parts if it can be split."""
    parts = () if n_cores % _N_PARTS else split_model(model, _N_PARTS)
    if not parts:
        return [_load_part(model, n_cores, sha256, confirm)]
    with ThreadPoolExecutor(_N_PARTS) as pool:
        return list(pool.map(_load_part, parts, repeat(n_cores // _N_PARTS), repeat(sha256), repeat(confirm)))


def _load_part(model: OnnxModel, n_threads: int, sha256: str, confirm: Callable[[], object]) -> Any:
    """A session of a model's kept prepared form, which is made and kept if missing."""
    onnxruntime = _import_runtime()
    kept = prepared_model(sha256, f"onnxruntime {onnxruntime.__version__}, {model.variant or 'whole'}")

    def prepare(output: Path) -> None:
        options = _options(n_threads)
        options.optimized_model_filepath = str(output)
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_file_name", WEIGHTS_NAME
        )
        options.add_session_config_entry(
            "session.optimized_model_external_initializers_min_size_in_bytes", str(_LARGE)
        )
        # The session is not kept: with its intermediate results it takes twice the memory.
        if model.variant:
            with kept.scratch_file() as source:
                with source.open("wb") as file:
                    file.writelines(model.pieces())
                _keep_blocked(output, _estimates(_open(source, options)))
        else:
            _keep_blocked(output, _estimates(_open(model.path, options)))
        if file_sha256(model.path) != sha256:
            raise OSError("the model changed while it was prepared")

    found = kept.find()
    if not found:
        confirm()
        with _PREPARING:
            found = kept.make(prepare)
            trim_heap()  # loading needed three times the weights
    return _open(found, _prepared_options(n_threads))


def _keep_blocked(graph: Path, expected: Sequence[FloatArray]) -> None:
    """Rewrites a prepared graph so that it moves less data, unless its estimates would change.

    The operators are onnxruntime's internal ones. So the result is tried, and undone if it is unexpected.
    """
    import numpy as np  # noqa: PLC0415  so that this module can be imported without it

    original = graph.read_bytes()
    try:
        from stemdock.inference import blocked  # noqa: PLC0415  imports onnx

        (plain,) = (session := _open(blocked.block_probe(), _options(1))).get_inputs()
        bins = np.broadcast_to(np.array([0, 1], np.float32), plain.shape)
        (found,) = session.run(None, {plain.name: np.ascontiguousarray(bins)})
        if not blocked.keep_blocked(graph, blocked.block_size(found)):
            return
        for before, after in zip(expected, _estimates(_open(graph, _prepared_options(1))), strict=True):
            if np.sum(np.square(after - before)) > _LARGEST_ERROR * np.sum(np.square(before)):
                raise ValueError("its estimates change")  # noqa: TRY301
    except Exception as error:  # noqa: BLE001  any version of onnxruntime may differ in any way
        _LOG.debug("%s stays as onnxruntime has prepared it: %s", graph, error)
        graph.write_bytes(original)


def _estimates(session: Any) -> Sequence[FloatArray]:
    """What a network makes of noise."""
    import numpy as np  # noqa: PLC0415  as above

    (mixture,) = session.get_inputs()
    if math.prod(mixture.shape[1:]) > _LARGEST_INPUT:
        raise ValueError("its input is larger than that of any Spleeter model")
    noise = np.random.default_rng(0).exponential(10, [1, *mixture.shape[1:]]).astype(np.float32)
    return [estimate.astype(np.float64) for estimate in session.run(None, {mixture.name: noise})]


def _prepared_options(n_threads: int) -> Any:
    options = _options(n_threads)
    options.graph_optimization_level = _import_runtime().GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def _source(model: OnnxModel) -> Path | bytes:
    """The file itself, which onnxruntime reads in less memory, or the content of a changed model."""
    return b"".join(model.pieces()) if model.variant else model.path


def _open(
    source: Path | bytes,
    options: Any,
    provider: str = PROVIDERS["cpu"].onnx_name,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    return _import_runtime().InferenceSession(
        source, options, providers=[(provider, dict(settings))], **_SILENT
    )


def _options(n_threads: int) -> Any:
    options = _import_runtime().SessionOptions()
    options.log_severity_level = _NO_MESSAGES
    options.intra_op_num_threads = n_threads
    # Threads that spin while they wait would take the processor from the transforms.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Switched off, so that each buffer goes back to the arena after its last use. The memory pattern would
    # make a second copy of all buffers; reuse would hold them until the last stem: 100 MB more.
    options.enable_mem_pattern = False
    options.enable_mem_reuse = False
    # Otherwise, onnxruntime reads a file named .ort, or with its mark, in a format that was not checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Without it, a graph that contradicts its own shapes fails only when it is run.
    options.add_session_config_entry("session.strict_shape_type_inference", "1")
    # The arena grows by doubling, which suits temporary buffers but not weights.
    options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
    return options
