"""Measures ways to separate many short songs: one process, workers, shards, and the same command twice.

    python -m benchmarks.many_songs 100 --codec mp3

All ways must write the same bytes. Prints for each the elapsed time, the processor time for each song (the
start of the program included), and the peak of the memory of all processes together.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from time import perf_counter, sleep
from typing import Final

import numpy as np
import psutil
import soundfile

_RATE: Final = 44100
_STEP: Final = 0.1
"""Seconds between two looks at the processes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    name: str
    options: tuple[tuple[str, ...], ...]
    """Of each command, all of which run at the same time."""


_WAYS: Final = (
    _Way(name="one process", options=(("-t", "2"),)),
    _Way(name="2 workers", options=(("-t", "2", "--workers", "2"),)),
    _Way(name="2 shards", options=(("-t", "1", "--shard", "1/2"), ("-t", "1", "--shard", "2/2"))),
    _Way(name="twice the same command", options=(("-t", "1"), ("-t", "1"))),
)


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_songs", description=__doc__)
    parser.add_argument("n_songs", type=int, metavar="N")
    parser.add_argument("--seconds", type=float, default=10, help="length of each song")
    parser.add_argument("--codec", default="wav")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        music = Path(folder) / "music"
        music.mkdir()
        rng = np.random.default_rng(0)
        for number in range(arguments.n_songs):
            samples = rng.normal(0, 0.1, (round(arguments.seconds * _RATE), 2))
            soundfile.write(music / f"{number:06}.flac", samples, _RATE)
        hashes = set()
        for number, way in enumerate(_WAYS):
            out = Path(folder) / f"out {number}"
            line = [str(music), "-o", str(out), "--resume", "--progress", "none", "--codec", arguments.codec]
            print(f"{way.name}: {_measured(way, line, arguments.n_songs)}")
            hashes.add(_hash(out))
    if len(hashes) > 1:
        raise SystemExit("the files differ")
    print("all files are the same")


def _measured(way: _Way, line: list[str], n_songs: int) -> str:
    begin, used_before = perf_counter(), _processor_time()
    command = [sys.executable, "-m", "stemdock", "separate", *line]
    runs = [
        subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for options in way.options
    ]
    peak = 0
    while any(run.poll() is None for run in runs):
        peak = max(peak, sum(map(_memory, runs)))
        sleep(_STEP)
    if any(run.returncode for run in runs):
        raise SystemExit(f"{way.name} failed")
    used = (_processor_time() - used_before) / n_songs
    return f"{perf_counter() - begin:.1f} s, {used:.2f} s of processor time a song, {peak / 1e6:.0f} MB"


def _processor_time() -> float:
    """Seconds, of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _memory(run: subprocess.Popen[bytes]) -> int:
    """Bytes of a process and those that it has started; shared ones are counted in each."""
    total = 0
    try:
        process = psutil.Process(run.pid)
        for each in (process, *process.children(recursive=True)):
            total += each.memory_info().rss
    except psutil.Error:
        pass
    return total


def _hash(folder: Path) -> str:
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
