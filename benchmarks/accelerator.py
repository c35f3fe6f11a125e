"""Measures what this machine has besides two cores: an accelerator, and many cores. Prints Markdown.

    python -m benchmarks.accelerator    # in an environment with Stemdock and, say, onnxruntime-gpu

It takes a few minutes and downloads nothing.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
import soundfile

from benchmarks.figures import snr
from benchmarks.workspace import ROOT
from stemdock import Execution, Separator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

_SONG: Final = ROOT / "tests/data/audio_example.mp3"
_MODEL: Final = ROOT / "models/stemdock_models/data/2stems.onnx"
_LENGTHS: Final = (10, 180, 3600)
"""Seconds."""
_N_REPETITIONS: Final = 3
_BATCHES: Final = (1, 2, 4, 8, 16)
_THREADS: Final = (1, 2, 4, 8, 16, 32)
_CPU: Final = "CPUExecutionProvider"
_CUDA: Final = "CUDAExecutionProvider"


def main() -> None:
    """Prints one table of whole separations, and one of the network alone."""
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"onnxruntime {onnxruntime.__version__}, {n_cores} cores\n")
    song, sample_rate = soundfile.read(_SONG, dtype="float32")
    exact = Separator(execution=Execution(provider="cpu")).separate(song)
    print("| Provider | Threads | SNR, dB | " + " | ".join(f"{length} s" for length in _LENGTHS) + " |")
    print("| --- | ---: | ---: |" + " ---: |" * len(_LENGTHS))
    for execution in _executions(n_cores):
        separator = Separator(execution=execution)
        made = separator.separate(song)
        ratio = min(snr(exact[stem], made[stem]) for stem in exact)
        times = " | ".join(f"{_separation(separator, song, sample_rate * length):.2f}" for length in _LENGTHS)
        print(
            f"| {separator.provider} | {execution.n_threads or 'all'} | {ratio:.1f} | {times} |", flush=True
        )
    print("\n| The network on | Segments per second |\n| --- | ---: |")
    for name, rate in _rates(n_cores):
        print(f"| {name} | {rate:.2f} |", flush=True)


def _executions(n_cores: int) -> Iterator[Execution]:
    if Separator().provider != "cpu":
        yield Execution()
    yield Execution(provider="cpu")
    yield from (Execution(provider="cpu", n_threads=n) for n in _THREADS if n <= n_cores)


def _separation(separator: Separator, song: Audio, length: int) -> float:
    """Seconds for so many samples, the best of some; long ones are separated once."""
    mixture = np.resize(song, (length, song.shape[1]))
    n_repetitions = _N_REPETITIONS if length < len(song) * 100 else 1
    return min(_seconds(separator.separate, mixture) for _ in range(n_repetitions))


def _rates(n_cores: int) -> Iterator[tuple[str, float]]:
    if _CUDA in onnxruntime.get_available_providers():
        for tf32 in ("0", "1"):
            session = _session(0, (_CUDA, {"use_tf32": tf32}))
            for batch in _BATCHES:
                seconds = min(_seconds(_run, session, batch) for _ in range(2 + _N_REPETITIONS))
                yield f"CUDA, TF32 {'on' if tf32 == '1' else 'off'}, {batch} at a time", batch / seconds
    for n_threads in (n for n in _THREADS if n <= n_cores):
        for n_sessions in (n for n in _THREADS if n * n_threads <= n_cores):
            sessions = [_session(n_threads, (_CPU, {})) for _ in range(n_sessions)]
            with ThreadPoolExecutor(n_sessions) as pool:
                seconds = min(_seconds(_run_all, pool, sessions) for _ in range(_N_REPETITIONS))
            yield f"{n_sessions} sessions of {n_threads} threads", n_sessions / seconds


def _session(n_threads: int, provider: tuple[str, dict[str, str]]) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(_MODEL, options, providers=[provider])


def _run(session: Any, batch: int) -> None:
    session.run(None, {"mixture_magnitude": np.ones((batch, 512, 1024, 2), np.float32)})


def _run_all(pool: ThreadPoolExecutor, sessions: Sequence[Any]) -> None:
    list(pool.map(_run, sessions, [1] * len(sessions)))


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
