"""Where Stemdock's time goes: `python -m benchmarks.profile MODEL SONG FOLDER`, in Stemdock's environment.

Separates a song in this process with a stopwatch around every stage. Stages that run on several threads at
once overlap, so that their times can add up to more than the wall time.
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
"""Stage, module and function; a stage within another counts for itself alone."""


class Stopwatch:
    """Adds up the time that all threads spend in each stage."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()
        self._local = threading.local()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what is within, less the stages within that."""
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
        """The function, timed as a stage."""

        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.stage(name):
                return function(*args, **kwargs)

        return timed


def _replace(module_name: str, path: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Puts another function in the place of one, wherever Stemdock has bound it."""
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
    """Prints seconds as JSON: of each stage, and of the whole."""
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
    # A frame of zeros leads the first sample, and the last segment is filled up.
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
