"""Measures each stage: `python -m benchmarks.profile MODEL SONG FOLDER`, in Stemdock's environment.

Separates a song in this process with a stopwatch around every stage. Stages on several threads overlap, so
their times can add up to more than the wall time.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STAGES: Final = (
    ("decode", "soundfile", "SoundFile.read"),
    ("STFT", "stemdock.dsp.stft", "stft"),
    ("network", "stemdock.inference.runtime", "Network.run"),
    ("mask", "stemdock.dsp.masks", "ratio_masks"),
    ("mask", "stemdock.dsp.masks", "apply_mask"),
    ("ISTFT", "stemdock.dsp.stft", "istft"),
    ("encode", "stemdock.audio", "AudioWriter.write"),
)
"""Stage, module and function. The time of an inner stage is not part of the outer one."""


class Stopwatch:
    """Adds up the time that all threads spend in each stage."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._local = threading.local()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times the block, without the stages inside it."""
        outer = getattr(self._local, "inner_time", 0.0)
        self._local.inner_time = 0.0
        began = time.perf_counter()
        try:
            yield
        finally:
            duration = time.perf_counter() - began
            with self._lock:
                self.totals[name] += duration - self._local.inner_time
            self._local.inner_time = outer + duration

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that is timed as a stage."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return timed


def _replace(module_name: str, path: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Replaces a function in every module of Stemdock that refers to it."""
    owner: Any = import_module(module_name)
    *classes, name = path.split(".")
    for each in classes:
        owner = getattr(owner, each)
    original = getattr(owner, name)
    replacement = make(original)
    setattr(owner, name, replacement)
    for user, module in list(sys.modules.items()):
        if user.startswith("stemdock.") and vars(module).get(name) is original:
            setattr(module, name, replacement)


def main() -> None:
    """Prints the seconds of each stage and of the whole separation as JSON."""
    model, song, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    began = time.perf_counter()
    stemdock: Any = import_module("stemdock")
    separator_class, separate_file = stemdock.Separator, stemdock.separate_file
    imported = time.perf_counter()
    separator = separator_class(model)
    loaded = time.perf_counter()
    stopwatch = Stopwatch()
    for stage, module_name, path in STAGES:
        _replace(module_name, path, partial(stopwatch.wrap, stage))
    replaced = time.perf_counter()
    separated = separate_file(separator, song, folder)
    ended = time.perf_counter()
    card = separator.entry.card
    # A frame of zeros precedes the first sample, and the last segment is padded.
    n_segments = -(-(separated.total_length + card.frame_length) // (card.n_frames * card.hop_length))
    figures = {
        "import": imported - began,
        "load": loaded - imported,
        "separate": ended - replaced,
        "stages": {stage: stopwatch.totals[stage] for stage, *_ in STAGES},
        "n_segments": n_segments,
        "n_stems": len(card.stems),
        "segment_size": card.n_frames * card.n_bins,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
