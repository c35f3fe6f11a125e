"""Measures ways to separate many short songs: one process, workers, shards, Ray, an object store.

    python -m benchmarks.many_songs 200 song.mp3 --seconds 2

The songs are excerpts of one song. All ways must write the same bytes. Prints a table:

- start: seconds until the first song begins;
- wall: seconds in all;
- overhead: of each song, seconds of a worker that were not spent on a separation;
- processor: seconds of processor time of each song, the start of the program included;
- memory: the peak of all processes together, shared memory counted once on Linux.

Ray and the store are left out without `pip install -e '.[ray,remote]' --group store`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Final

import psutil
import soundfile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.connection import Connection

_STEP: Final = 0.5
"""Seconds between two looks at the processes."""
_BUCKET: Final = "songs"
_N_MESSAGES: Final = 20
"""Lines of messages that are shown if a way fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    name: str
    options: tuple[tuple[str, ...], ...]
    """Of each command, all of which run at the same time."""
    n_at_once: int = 2
    in_store: bool = False


_WAYS: Final = (
    _Way(name="one process", options=(("-t", "2"),), n_at_once=1),
    _Way(name="2 workers", options=(("-t", "2", "--workers", "2"),)),
    _Way(name="2 shards", options=(("-t", "1", "--shard", "1/2"), ("-t", "1", "--shard", "2/2"))),
    _Way(name="twice the same command", options=(("-t", "1"), ("-t", "1"))),
    _Way(name="Ray, 2 actors", options=(("-t", "2", "--workers", "2", "--engine", "ray"),)),
    _Way(name="store, 2 workers", options=(("-t", "2", "--workers", "2"),), in_store=True),
)


@dataclass(slots=True)
class _Told:
    """What the commands of a way have told."""

    begun: float | None = None
    """Seconds until the first song began."""
    separating: list[float] = field(default_factory=list)
    """Seconds of each song."""
    messages: list[str] = field(default_factory=list)
    """Errors, and what is no event."""


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_songs", description=__doc__)
    parser.add_argument("n_songs", type=int, metavar="N")
    parser.add_argument("song", type=Path, metavar="SONG")
    parser.add_argument("--seconds", type=float, default=10, help="length of each song")
    parser.add_argument("--codec", default="wav")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        music = folder / "music"
        _write_songs(arguments.song, music, arguments.n_songs, arguments.seconds)
        hashes = set()
        print(f"{'':24}{'start':>8}{'wall':>8}{'overhead':>10}{'processor':>11}{'memory':>9}")
        for number, way in enumerate(_WAYS):
            if "ray" in str(way.options) and find_spec("ray") is None:
                continue
            out = folder / f"out {number}"
            songs, stems = str(music), str(out)
            if way.in_store:
                if find_spec("moto") is None or find_spec("s3fs") is None:
                    continue
                _start_store(music, stack)
                songs, stems = f"s3://{_BUCKET}", f"s3://{_BUCKET}-out"
            line = [songs, "-o", stems, "--resume", "--progress", "json", "--codec", arguments.codec]
            print(f"{way.name:24}{_measured(way, line, arguments.n_songs)}", flush=True)
            if way.in_store:
                _fetch(f"{_BUCKET}-out", out)
            hashes.add(_hash(out))
    if len(hashes) > 1:
        raise SystemExit("the files differ")
    print("all files are the same")


def _write_songs(song: Path, music: Path, n_songs: int, seconds: float) -> None:
    """Writes excerpts of a song, each from another place."""
    samples, rate = soundfile.read(song, always_2d=True)
    length = round(seconds * rate)
    music.mkdir()
    for number in range(n_songs):
        start = number * 4001 % max(1, len(samples) - length)
        soundfile.write(music / f"{number:06}.flac", samples[start : start + length], rate)


def _measured(way: _Way, line: list[str], n_songs: int) -> str:
    """A row of the table."""
    begin, used_before = perf_counter(), _processor_time()
    command = [sys.executable, "-m", "stemdock", "separate", *line]
    runs = [
        subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for options in way.options
    ]
    told = _Told()
    listeners = [Thread(target=_listen, args=[run.stderr, told, begin]) for run in runs]
    for listener in listeners:
        listener.start()
    peak = 0
    while any(run.poll() is None for run in runs):
        peak = max(peak, sum(map(_memory, runs)))
        sleep(_STEP)
    for listener in listeners:
        listener.join()
    wall = perf_counter() - begin
    if any(run.returncode for run in runs) or len(told.separating) != n_songs or told.begun is None:
        raise SystemExit(f"{way.name} failed\n{''.join(told.messages[-_N_MESSAGES:])}")
    overhead = ((wall - told.begun) * way.n_at_once - sum(told.separating)) / n_songs
    used = (_processor_time() - used_before) / n_songs
    return f"{told.begun:7.1f}s{wall:7.1f}s{overhead:9.3f}s{used:10.2f}s{peak / 1e6:6.0f} MB"


def _listen(lines: Iterable[bytes], told: _Told, begin: float) -> None:
    for line in lines:
        if not line.startswith(b"{"):
            told.messages.append(line.decode(errors="replace"))
            continue
        event = json.loads(line)
        if event["event"] == "song" and told.begun is None:
            told.begun = perf_counter() - begin
        if event["event"] == "done":
            told.separating.append(event["elapsed"])
        if event["event"] in {"failed", "refused"}:
            told.messages.append(f"{event['error']}\n")


def _processor_time() -> float:
    """Seconds, of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _memory(run: subprocess.Popen[bytes]) -> int:
    """Bytes of a process and those that it has started."""
    total = 0
    try:
        process = psutil.Process(run.pid)
        for each in (process, *process.children(recursive=True)):
            memory = each.memory_full_info()
            total += getattr(memory, "pss", memory.rss)
    except psutil.Error:
        pass
    return total


def _hash(folder: Path) -> str:
    """Of the stems; the records of a store are others than those of a folder."""
    digest = sha256()
    for path in sorted(folder.rglob("*.*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not name.startswith(".stemdock/"):
            digest.update(name.encode() + path.read_bytes())
    return digest.hexdigest()


def _start_store(music: Path, stack: ExitStack) -> None:
    """Starts moto in a process of its own, and uploads the songs."""
    here, there = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=_serve, args=[there], daemon=True)
    server.start()
    stack.callback(server.kill)
    os.environ.update(here.recv())
    import fsspec  # noqa: PLC0415  finds the server in the environment

    store = fsspec.filesystem("s3")
    store.mkdir(_BUCKET)
    store.mkdir(f"{_BUCKET}-out")
    for path in music.iterdir():
        store.put_file(str(path), f"{_BUCKET}/{path.name}")


def _fetch(bucket: str, folder: Path) -> None:
    import fsspec  # noqa: PLC0415

    store = fsspec.filesystem("s3", skip_instance_cache=True)
    for name in store.find(bucket):
        path = folder / name.partition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        store.get_file(name, str(path))


def _serve(connection: Connection) -> None:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.s3_server import S3Server  # noqa: PLC0415

    with S3Server() as server:
        connection.send(server.environment)
        while True:
            sleep(1)


if __name__ == "__main__":
    main()
