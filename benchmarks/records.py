"""Measures how long `separate --resume` needs to find out that a whole library is done.

Separates one short song, makes N songs and N records of it, and runs the command on them:

    python -m benchmarks.records 20000

The songs and stems are links to the same files, so what is measured is the program's own work for each song,
and not the disk. Prints seconds up to the first song and in all, and the peak of the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import soundfile

from stemdock.batch.manifest_files import FOLDER, entry_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_PER_FOLDER: Final = 1000
"""Songs in a folder, and links to one file: file systems limit both."""


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.records", description=__doc__)
    parser.add_argument("n_songs", type=int, metavar="N")
    parser.add_argument("--folder", type=Path, help="where the songs are made; needs about 10 kB for each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        begin = perf_counter()
        _make(Path(folder), arguments.n_songs)
        print(f"{arguments.n_songs} songs made in {perf_counter() - begin:.0f} s", file=sys.stderr)
        begin = perf_counter()
        times = {event: perf_counter() - begin for event in _resume(Path(folder), arguments.n_songs)}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(
        f"{arguments.n_songs} songs: {times['start']:.1f} s to the first, {times['summary']:.1f} s in all, "
        f"{times['summary'] / arguments.n_songs * 1e6:.0f} us each, {peak / 1024:.0f} MB"
    )


def _command(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "stemdock", "separate", *arguments, "--progress", "json"]


def _make(folder: Path, n_songs: int) -> None:
    (folder / "first").mkdir()
    rng = np.random.default_rng(0)
    soundfile.write(folder / "first" / "song.wav", rng.uniform(-0.5, 0.5, (1000, 2)), 44100)
    subprocess.run(_command(folder / "first", "-o", folder / "first out"), check=True, capture_output=True)
    (path,) = (folder / "first out" / FOLDER).iterdir()
    entry = json.loads(path.read_text("utf-8"))
    (folder / "out" / FOLDER).mkdir(parents=True)
    for number in range(n_songs):
        if number % _PER_FOLDER == 0:
            place = str(number // _PER_FOLDER)
            sources = folder / "sources" / place
            shutil.copytree(folder / "first out" / "song", sources)
            shutil.copy(folder / "first" / "song.wav", sources)
            (folder / "music" / place).mkdir(parents=True)
        os.link(sources / "song.wav", folder / "music" / place / f"{number}.wav")
        (folder / "out" / place / f"{number}").mkdir(parents=True)
        outputs = {}
        for output, content in entry["outputs"].items():
            name = output.rpartition("/")[2]
            os.link(sources / name, folder / "out" / place / f"{number}" / name)
            outputs[f"{place}/{number}/{name}"] = content
        text = json.dumps({**entry, "outputs": outputs}, indent=1)
        (folder / "out" / FOLDER / f"{entry_name(outputs)}.json").write_text(text, "utf-8")


def _resume(folder: Path, n_songs: int) -> Iterator[str]:
    """Runs the command; yields its events as they come."""
    line = _command(folder / "music", "-o", folder / "out", "--resume")
    event: dict[str, Any] = {}
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for message in process.stderr or ():
            event = json.loads(message)
            yield event["event"]
    if event.get("n_skipped") != n_songs:
        raise SystemExit(f"not all songs were skipped: {event}")


if __name__ == "__main__":
    main()
