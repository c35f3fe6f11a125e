"""Measures what a segment takes on one core, predicts other machines, and measures this one. Prints Markdown.

    python -m benchmarks.scaling            # a minute or two, in an environment with Stemdock
    python -m benchmarks.scaling 5stems

Memory and equal bits are measured for every number of threads, since they do not depend on the cores. Times
are measured for as many threads as there are cores.

Of the two predicted times, the first is for cores that do not slow one another down. The second is for cores
that each slow down all others as the second core of this machine does: a bound, since cores share their clock
and memory in steps. Other work on the machine spoils the figures.
"""

from __future__ import annotations

import hashlib
import json
import math
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from benchmarks.figures import table
from benchmarks.schedule import Costs, predicted_time
from benchmarks.workspace import ROOT
from stemdock import Execution, Separator
from stemdock.dsp.masks import apply_mask, ratio_masks
from stemdock.dsp.segments import cut_segments, join_segments
from stemdock.dsp.stft import frames_length, istft, stft
from stemdock.inference.finding import find_entry
from stemdock.inference.scheduling import segments_at_once
from stemdock.inference.session import OnnxSession
from stemdock.lib.cores import n_physical_cores
from stemdock.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    from stemdock import ModelEntry
    from stemdock.card import ModelCard

_SONG: Final = ROOT / "tests/data/audio_example.mp3"
_SECONDS: Final = 180
_CORES: Final = (1, 2, 4, 8, 16, 32)
_N_REPETITIONS: Final = 5
_PHASES: Final = ("read", "forward", "network", "inverse", "write")
_USUAL_WAITING: Final = 0.2
"""For machines with one core, where it cannot be measured."""
_PLENTY: Final = 1 << 40
"""Bytes, for predictions: memory does not limit the lanes."""


def main() -> None:
    """Prints the costs of a segment, and a table of predicted and measured times."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--separate"]:
        _separate(arguments[1], int(arguments[2]))
        return
    model = arguments[0] if arguments else "2stems"
    entry = find_entry(model, load_plugins())
    costs = _costs(entry)
    print(f"{model}, {n_physical_cores()} physical cores. One segment on one core, in ms:\n")
    facts = {name: f"{1000 * getattr(costs, name):.1f}" for name in _PHASES}
    facts |= {name: f"{getattr(costs, name):.2f}" for name in ("waiting", "sharing")}
    print(table(list(facts), [list(facts.values())]))
    rows, contents = _rows(model, entry, costs)
    print(f"\n{_SECONDS} s of song, from memory to memory, with a loaded model:\n")
    print(table(["cores", "segments at once", "predicted, s", "speed-up", "measured, s", "memory, MB"], rows))
    print(f"\nThe stems have {'the same bits' if len(contents) == 1 else 'OTHER BITS'} in all of them.")


def _rows(model: str, entry: ModelEntry, costs: Costs) -> tuple[list[list[str]], set[str]]:
    """A row for each number of cores, and the hashes of all stems."""
    card = _card(entry)
    n_segments = math.ceil(_SECONDS * card.sample_rate / (card.n_frames * card.hop_length))
    n_stems = len(entry.stems)
    rows: list[list[str]] = []
    contents: set[str] = set()
    one_core = 0.0
    for n_cores in _CORES:
        n_at_once = segments_at_once(n_cores, lambda: _PLENTY)
        best, worst = (
            predicted_time(each, n_segments=n_segments, n_cores=n_cores, n_at_once=n_at_once, n_stems=n_stems)
            for each in (replace(costs, sharing=0.0), costs)
        )
        one_core = one_core or best
        command = [sys.executable, "-m", "benchmarks.scaling", "--separate", model, str(n_cores)]
        found = json.loads(subprocess.run(command, capture_output=True, check=True, cwd=ROOT).stdout)
        contents.add(found["sha256"])
        measured = f"{found['seconds']:.2f}" if n_cores <= n_physical_cores() else ""
        memory = f"{found['memory'] / 1e6:.0f}"
        times, ratios = f"{best:.2f} to {worst:.2f}", f"{one_core / best:.1f} to {one_core / worst:.1f}"
        rows.append([str(n_cores), str(n_at_once), times, ratios, measured, memory])
    return rows, contents


def _separate(model: str, n_threads: int) -> None:
    """Prints the time, the peak memory and the hash of the stems with so many threads, as JSON."""
    song, _ = soundfile.read(_SONG, dtype="float32")
    separator = Separator(model, execution=Execution(provider="cpu", n_threads=n_threads))
    mixture = np.resize(song, (_SECONDS * separator.sample_rate, song.shape[1]))
    separator.separate(mixture[: separator.sample_rate])
    digest = hashlib.sha256()
    began = time.perf_counter()
    for block in separator.stream([mixture]):
        digest.update(block.data)
    seconds = time.perf_counter() - began
    memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"seconds": seconds, "memory": memory, "sha256": digest.hexdigest()}))


def _costs(entry: ModelEntry) -> Costs:
    """Measures one segment on one core, in processor time, and the losses with two, in wall time."""
    card = _card(entry)
    song, _ = soundfile.read(_SONG, dtype="float32")
    mixture = np.resize(song, (3 * card.n_frames * card.hop_length, card.n_channels))
    segments = list(cut_segments([mixture], card))
    samples = segments[1].samples
    spectra = stft(samples, card.frame_length, card.n_bins)
    magnitude = np.ascontiguousarray(np.abs(spectra).transpose(1, 2, 0)[None])
    one, other, both = (
        OnnxSession(entry.path or "", Execution(provider="cpu", n_threads=n), sha256=entry.sha256)
        for n in (1, 1, 2)
    )
    estimates = [estimate[0] for estimate in one.run(magnitude)]
    stems = np.zeros((len(card.stems), card.n_channels, frames_length(card.n_frames, card.frame_length)), "f")

    def forward() -> None:
        np.abs(stft(samples, card.frame_length, card.n_bins)).transpose(1, 2, 0).copy()

    def inverse() -> None:
        masks = ratio_masks(estimates, card.separation_exponent)
        for mask in masks:
            for channel in range(card.n_channels):
                istft(
                    apply_mask(mask[..., channel : channel + 1], spectra[channel : channel + 1]),
                    card.frame_length,
                )

    alone = _best(lambda: one.run(magnitude))
    with ThreadPoolExecutor(2) as pool:
        beside = _best(lambda: list(pool.map(lambda session: session.run(magnitude), (one, other))))
    n_segments = len(segments)
    has_two = n_physical_cores() > 1
    return Costs(
        read=_best(lambda: list(cut_segments([mixture], card)), time.process_time) / n_segments,
        forward=_best(forward, time.process_time),
        network=_best(lambda: one.run(magnitude), time.process_time),
        inverse=_best(inverse, time.process_time),
        write=_best(
            lambda: list(join_segments([(card.n_frames * card.hop_length, stems)], card)), time.process_time
        ),
        waiting=max(0.0, 2 * _best(lambda: both.run(magnitude)) / alone - 1) if has_two else _USUAL_WAITING,
        sharing=max(0.0, beside / alone - 1) if has_two else 0.0,
    )


def _best(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds by a clock, the least of some."""
    times = []
    for _ in range(_N_REPETITIONS):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times)


def _card(entry: ModelEntry) -> ModelCard:
    assert entry.card is not None  # noqa: S101  a model of Spleeter
    return entry.card


if __name__ == "__main__":
    main()
