"""Networks by onnxruntime, which no other module knows.

Loading takes a quarter of a second to import and as long again to prepare the graph, so keep a
network for as many songs as there are.
"""

from __future__ import annotations

import ctypes
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import repeat
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from stemdock.errors import ModelDamagedError, ProviderUnavailableError
from stemdock.inference.prepared import optimised_model
from stemdock.inference.providers import AUTO, PROVIDERS, candidates
from stemdock.inference.splitting import split_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stemdock.inference.splitting import Pieces
    from stemdock.types import Execution, FloatArray

_ERRORS_ONLY: Final = 3
"""onnxruntime's severity level: its warnings speak to whoever builds graphs."""
_SILENT: Final = {"enable_fallback": 0}
"""Without this, onnxruntime tries a model that it cannot read once more, and says so on standard output."""
_N_PARTS: Final = 2
"""Parts of a model that run side by side; each more would take a hundred megabytes more."""
_LOG: Final = logging.getLogger("stemdock")
_PREPARING: Final = Lock()
"""One part at a time: preparing takes several times the memory of what is prepared."""


class Network:
    """A loaded model, in one part or in some that run side by side.

    Attributes:
        provider: Name of the execution provider that runs it, as in `stemdock.inference.providers`.
    """

    def __init__(self, sessions: Sequence[Any], provider: str) -> None:
        """Takes onnxruntime's sessions, which have the same input and other outputs."""
        self.provider = provider
        self._sessions = sessions
        self._threads = ThreadPoolExecutor(len(sessions), thread_name_prefix="stemdock-network")

    def run(self, inputs: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
        """What the model makes, by name; raises what onnxruntime does."""
        made: dict[str, FloatArray] = {}
        for outputs in self._threads.map(partial(_run, inputs=inputs), self._sessions):
            made.update(outputs)
        return made

    @property
    def metadata(self) -> Mapping[str, str]:
        """The model's metadata; raises `UnicodeDecodeError` if they are no text."""
        metadata: Mapping[str, str] = self._sessions[0].get_modelmeta().custom_metadata_map
        return metadata

    @property
    def inputs(self) -> Mapping[str, Sequence[Any]]:
        """Shapes by name; lengths that may vary are texts."""
        return {node.name: node.shape for session in self._sessions for node in session.get_inputs()}

    @property
    def outputs(self) -> Mapping[str, Sequence[Any]]:
        """Shapes by name; lengths that may vary are texts."""
        return {node.name: node.shape for session in self._sessions for node in session.get_outputs()}


def _run(session: Any, inputs: Mapping[str, FloatArray]) -> Mapping[str, FloatArray]:
    names = [node.name for node in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def available_providers() -> Sequence[str]:
    """Names in `stemdock.inference.providers.PROVIDERS` of those that the installed onnxruntime has."""
    available = _import_runtime().get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider.onnx_name in available]


def load_network(path: Path, execution: Execution, *, keep_prepared: bool) -> Network:
    """Loads a model that `stemdock.inference.vetting` has found in order.

    Args:
        path: An ONNX file.
        execution: How to run it.
        keep_prepared: Whether to use what an earlier process prepared, and leave it for a later one.

    Raises:
        ProviderUnavailableError: The provider is missing or does not work here.
        ModelDamagedError: It is no ONNX model, or not a whole one.
    """
    onnxruntime = _import_runtime()
    wanted = execution.provider
    for name in candidates(execution, onnxruntime.get_available_providers()):
        onnx_name = PROVIDERS[name].onnx_name
        settings = PROVIDERS[name].bfloat16 if execution.precision == "bfloat16" else {}
        try:
            if name == "cpu":
                sessions = _load_on_processor(path, execution.n_threads, keep_prepared=keep_prepared)
            else:
                sessions = [_open(path, _options(execution.n_threads), onnx_name, settings)]
            # A provider whose libraries are missing is left out without an error.
            works = sessions[0].get_providers()[0] == onnx_name
            reason = "" if works else "its libraries or drivers are missing"
        except Exception as error:
            reason = reason_of(error)
            if name == "cpu":
                raise ModelDamagedError(
                    str(path),
                    f"no usable ONNX model ({reason})",
                    remedy="Install or export the model again: the file may be cut short.",
                ) from error
        if not reason:
            _trim_heap()
            return Network(sessions, name)
        if wanted != AUTO:
            raise ProviderUnavailableError(
                name, f"does not work here ({reason})", remedy="Install what it needs, or use --provider cpu."
            )
        _LOG.warning("provider %s does not work here (%s): trying the next", name, reason)
    raise ProviderUnavailableError(wanted, "onnxruntime has no CPU", remedy="Install onnxruntime again.")


def reason_of(error: Exception) -> str:
    """The first line: onnxruntime's exceptions share no base, and what they say runs over lines."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _import_runtime() -> Any:
    """The module, which takes 0.1 s to import, and only those who separate need it."""
    # From 1.29 on it tells Microsoft what it is used for, unless this is there before it is imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415  as said above

    return onnxruntime


def _load_on_processor(path: Path, n_threads: int, *, keep_prepared: bool) -> Sequence[Any]:
    """Sessions that run side by side on all threads."""
    if keep_prepared:
        try:
            return _load_prepared(path, n_threads)
        except Exception as error:  # noqa: BLE001  the disk may be full; what the model lacks shows below
            _LOG.debug("%s is loaded as it is: %s", path, error)
    return [_open(path, _options(n_threads))]


def _load_prepared(path: Path, n_threads: int) -> Sequence[Any]:
    """Sessions from what an earlier process left prepared, or else leaving that; raises what went wrong."""
    n_cores = n_threads or _n_physical_cores()
    parts = () if n_cores % _N_PARTS else split_model(path, _N_PARTS)
    if not parts:
        return [_load_part(path, "whole", (), n_threads)]
    names = [f"part {number} of {_N_PARTS}" for number in range(_N_PARTS)]
    with ThreadPoolExecutor(_N_PARTS) as pool:
        return list(pool.map(_load_part, repeat(path), names, parts, repeat(n_cores // _N_PARTS)))


def _load_part(path: Path, part: str, pieces: Pieces, n_threads: int) -> Any:
    """A session of a part of a model, of which `pieces` are the ONNX file; the whole if there are none."""
    onnxruntime = _import_runtime()
    kept = optimised_model(path, f"onnxruntime {onnxruntime.__version__}, {part}")

    def prepare(output: Path) -> None:
        options = _options(n_threads)
        options.optimized_model_filepath = str(output)
        # No session is kept: with all that it made on the way, it takes twice the memory.
        if not pieces:
            _open(path, options)
            return
        with kept.scratch_file() as source:
            with source.open("wb") as file:
                file.writelines(pieces)
            _open(source, options)

    found = kept.find()
    if not found:
        with _PREPARING:
            found = kept.make(prepare)
            _trim_heap()
    if not found:
        raise OSError(f"nothing can be kept in {kept.folder}")
    options = _options(n_threads)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return _open(found, options)


def _open(
    path: Path,
    options: Any,
    provider: str = PROVIDERS["cpu"].onnx_name,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Any:
    return _import_runtime().InferenceSession(
        path, options, providers=[(provider, dict(settings))], **_SILENT
    )


def _options(n_threads: int) -> Any:
    options = _import_runtime().SessionOptions()
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


def _n_physical_cores() -> int:
    """Cores that are more than another's second thread, as onnxruntime counts; 1 where that is not known."""
    with suppress(OSError, AttributeError):
        cpus = Path("/sys/devices/system/cpu")
        siblings = (cpus / f"cpu{number}/topology/thread_siblings_list" for number in os.sched_getaffinity(0))
        return len({path.read_text("ascii") for path in siblings})
    return 1


def _trim_heap() -> None:
    """Gives the system back what loading needed for a moment, three times the weights, where libc can."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
