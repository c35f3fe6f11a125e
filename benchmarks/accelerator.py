"""Measures what this machine has besides two cores: an accelerator, and many cores. Prints Markdown.

    python -m benchmarks.accelerator                   # with the onnxruntime of this environment
    python -m benchmarks.accelerator --install cuda    # in an environment of its own; or directml, coreml

It takes less than five minutes besides the installation, and downloads nothing but packages. The packages of
onnxruntime have one import name, so an installation has one of them. No extra of Stemdock can choose it: pip
would install the one for the CPU as well, over the other.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import onnxruntime
import soundfile

from benchmarks.figures import snr, table
from benchmarks.workspace import ROOT, environment, run
from stemdock import Execution, Separator, separate_file
from stemdock.errors import ProviderUnavailableError
from stemdock.inference.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    Audio = NDArray[np.float32]

_SONG: Final = ROOT / "tests/data/audio_example.mp3"
_MODEL: Final = ROOT / "models/stemdock_models/data/2stems.onnx"
_LENGTHS: Final = (10, 180, 3600)
"""Seconds."""
_LONGEST: Final = 120.0
"""Seconds that a separation may be expected to take; longer songs are left out."""
_N_REPETITIONS: Final = 3
_BATCHES: Final = (1, 2, 4, 8, 16)
_THREADS: Final = (1, 2, 4, 8, 16, 32)
_CPU: Final = PROVIDERS["cpu"].onnx_name
_LEAST_SNR: Final = 90.0
"""dB; a setting below it is not float32."""
_OTHER_SETTINGS: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "cuda": {"TF32": {"use_tf32": "1"}},
    "coreml": {
        "program, all units": {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL"},
        "program, CPU and GPU": {"ModelFormat": "MLProgram", "MLComputeUnits": "CPUAndGPU"},
    },
}
"""Settings by provider that Stemdock does not use: faster and less exact, or untried."""
_PACKAGES: Final = {
    "cuda": "onnxruntime-gpu[cuda,cudnn]", "directml": "onnxruntime-directml", "coreml": "onnxruntime"
}  # fmt: skip
_NONE: Final = "-"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of whole separations, one of files, and one of the network alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accelerator")
    parser.add_argument("--install", choices=_PACKAGES, help="measure in an environment with this provider")
    install = parser.parse_args(arguments).install
    if install:
        python = _installed(install)
        subprocess.run([python, "-m", "benchmarks.accelerator"], cwd=ROOT, check=True)
        return
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    print(f"onnxruntime {onnxruntime.__version__}, {n_cores} cores\n")
    song, sample_rate = soundfile.read(_SONG, dtype="float32")
    header = [
        "provider",
        "precision",
        "threads",
        "SNR, dB",
        *(f"{length} s" for length in _LENGTHS),
        "files, 180 s",
    ]
    names = working()
    exact = Separator(execution=Execution(provider="cpu")).separate(song)
    rows = [_separations(execution, song, sample_rate, exact) for execution in executions(names, n_cores)]
    print(table(header, rows))
    print("\nSNR: the worst stem against the CPU's. Files: from WAV to WAV, which takes no longer")
    print("than without files if reading and writing run beside the network.\n")
    rows = [[*labels, shown(ratio), *map(shown, rates)] for labels, ratio, rates in _networks(names)]
    print(table(["provider", "setting", "SNR, dB", *(f"batch of {n}" for n in _BATCHES)], rows))
    print("\nSegments of 11.9 s per second, by the network alone.")
    print(f"A setting with less than {_LEAST_SNR:.0f} dB does not compute in float32.\n")
    print(table(["sessions", "threads of each", "segments per second"], list(_sessions(n_cores))))


def working() -> list[str]:
    """Stemdock's names of the providers in the installed onnxruntime that work here; others are reported."""
    found = []
    for name, provider in PROVIDERS.items():
        if provider.onnx_name in onnxruntime.get_available_providers():
            try:
                Separator(execution=Execution(provider=name))
            except ProviderUnavailableError as error:
                print(f"{error}. {error.remedy}", file=sys.stderr)
            else:
                found.append(name)
    return found


def executions(names: Sequence[str], n_cores: int) -> Iterator[Execution]:
    """What to separate whole songs with: each provider in each precision, and the CPU with fewer threads."""
    for name in names:
        yield Execution(provider=name)
        if PROVIDERS[name].bfloat16:
            yield Execution(provider=name, precision="bfloat16")
    yield from (Execution(provider="cpu", n_threads=n) for n in _THREADS if n < n_cores)


def settings(name: str) -> dict[str, Mapping[str, str]]:
    """The settings of a provider to try, by a name for people; Stemdock's own come first."""
    found: dict[str, Mapping[str, str]] = {"as Stemdock": PROVIDERS[name].settings}
    if PROVIDERS[name].bfloat16:
        found["bfloat16"] = PROVIDERS[name].bfloat16
    return {**found, **_OTHER_SETTINGS.get(name, {})}


def worthwhile(lengths: Sequence[int], measure: Callable[[int], float]) -> list[float | None]:
    """The times for songs of ascending lengths, without those that would take too long.

    Args:
        lengths: Seconds.
        measure: Returns the seconds that a length takes.
    """
    times: list[float | None] = []
    speed = float("inf")
    for length in lengths:
        if length / speed > _LONGEST:
            times.append(None)
            continue
        times.append(measure(length))
        speed = length / max(times[-1] or 0.0, 1e-9)
    return times


def shown(value: float | None) -> str:
    """A number for a table."""
    return _NONE if value is None else f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004


def _installed(name: str) -> Path:
    """The Python of an environment with Stemdock and a provider."""
    folder = environment(f"accelerator-{name}", (str(ROOT), "soundfile"))
    python = folder / "python"
    run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "onnxruntime"])
    run([python, "-m", "pip", "install", "--quiet", _PACKAGES[name]])
    return python


def _separations(
    execution: Execution, song: Audio, sample_rate: int, exact: Mapping[str, Audio]
) -> list[str]:
    """A row: how exact and how fast whole separations are."""
    separator = Separator(execution=execution)
    made = separator.separate(song)
    ratio = min(snr(exact[stem], made[stem]) for stem in exact)

    def measure(length: int) -> float:
        mixture = np.resize(song, (length * sample_rate, song.shape[1]))
        n_repetitions = _N_REPETITIONS if length <= 180 else 1  # noqa: PLR2004
        return min(_seconds(separator.separate, mixture) for _ in range(n_repetitions))

    times = worthwhile(_LENGTHS, measure)
    threads = str(execution.n_threads or "all")
    names = [separator.provider, execution.precision, threads, shown(ratio)]
    return [*names, *map(shown, times), shown(_files(separator, song, sample_rate))]


def _files(separator: Separator, song: Audio, sample_rate: int) -> float:
    """Seconds from a WAV file of three minutes to WAV files."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "song.wav")
        soundfile.write(path, np.resize(song, (_LENGTHS[1] * sample_rate, song.shape[1])), sample_rate)
        return min(_seconds(separate_file, separator, path, Path(folder, str(number))) for number in range(2))


def _networks(names: Sequence[str]) -> Iterator[tuple[list[str], float, list[float | None]]]:
    """For each provider and setting: names, the SNR of the estimates, and segments per second by batch."""
    segment = np.random.default_rng(0).exponential(5, (1, 512, 1024, 2)).astype(np.float32)
    exact = _session(0, (_CPU, {})).run(None, {"mixture_magnitude": segment})
    for name in names:
        for setting, options in settings(name).items():
            session = _session(0, (PROVIDERS[name].onnx_name, dict(options)))
            made = session.run(None, {"mixture_magnitude": segment})
            ratio = min(snr(one, other) for one, other in zip(exact, made, strict=True))
            yield [name, setting], ratio, [_rate(session, batch) for batch in _BATCHES]


def _rate(session: Any, batch: int) -> float | None:
    """Segments per second in batches of a size; None if they do not fit into the memory."""
    try:
        return batch / min(_seconds(_run, session, batch) for _ in range(_N_REPETITIONS))
    except Exception as error:  # noqa: BLE001  each provider has exceptions of its own
        print(f"a batch of {batch}: {error}", file=sys.stderr)
        return None


def _sessions(n_cores: int) -> Iterator[list[str]]:
    """For numbers of sessions side by side and of their threads, segments per second on the CPU."""
    for n_threads in (n for n in _THREADS if n <= n_cores):
        for n_sessions in (n for n in _THREADS if n * n_threads <= n_cores):
            sessions = [_session(n_threads, (_CPU, {})) for _ in range(n_sessions)]
            with ThreadPoolExecutor(n_sessions) as pool:
                seconds = min(_seconds(_run_all, pool, sessions) for _ in range(_N_REPETITIONS))
            yield [str(n_sessions), str(n_threads), shown(n_sessions / seconds)]


def _session(n_threads: int, provider: tuple[str, dict[str, str]]) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.enable_mem_pattern = False  # DirectML demands it
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
