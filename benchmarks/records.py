"""Measures how long `separate --resume` needs to find out that a whole library is done.

Separates one short song, makes N songs and N records of it, and runs the command on them:

    python -m benchmarks.records 20000

The songs and stems are links to the same files, so what is measured is the program's own work for each song,
and not the disk. Prints elapsed seconds and (on Linux) seconds of processor time, up to the first
song and in all, and the peak of the memory. --stop ends the run before the first song, as Ctrl-C does, and
prints how long that took; no stems are made for it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
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
    parser.add_argument("--stop", action="store_true", help="stop before the first song")
    parser.add_argument("--folder", type=Path, help="where the songs are made; needs about 10 kB for each")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        begin = perf_counter()
        _make(Path(folder), arguments.n_songs, stems=not arguments.stop)
        print(f"{arguments.n_songs} songs made in {perf_counter() - begin:.0f} s", file=sys.stderr)
        times = dict(_resume(Path(folder), arguments.n_songs, stop=arguments.stop))
    for event, (elapsed, processor, peak) in times.items():
        print(
            f"{arguments.n_songs} songs, {event}: {elapsed:.1f} s, processor time {processor:.1f} s, "
            f"{peak:.0f} MB"
        )


def _command(*arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", "stemdock", "separate", *arguments, "--progress", "json"]


def _make(folder: Path, n_songs: int, *, stems: bool) -> None:
    """Makes songs with records, and perhaps with their stems."""
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
            shutil.copy(path, sources / "entry.json")
            (folder / "music" / place).mkdir(parents=True)
        os.link(sources / "song.wav", folder / "music" / place / f"{number}.wav")
        names = [output.rpartition("/")[2] for output in entry["outputs"]]
        outputs = dict(
            zip((f"{place}/{number}/{name}" for name in names), entry["outputs"].values(), strict=True)
        )
        record = folder / "out" / FOLDER / f"{entry_name(outputs)}.json"
        if not stems:
            os.link(sources / "entry.json", record)
            continue
        record.write_text(json.dumps({**entry, "outputs": outputs}, indent=1), "utf-8")
        (folder / "out" / place / f"{number}").mkdir(parents=True)
        for name in names:
            os.link(sources / name, folder / "out" / place / f"{number}" / name)


def _resume(folder: Path, n_songs: int, *, stop: bool) -> Iterator[tuple[str, tuple[float, float, float]]]:
    """Runs the command; yields its events, but those of songs, with times and memory."""
    line = _command(folder / "music", "-o", folder / "out", "--resume")
    event: dict[str, Any] = {}
    begin = perf_counter()
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for message in process.stderr or ():
            event = json.loads(message)
            if event["event"] in {"start", "summary"}:
                yield event["event"], (perf_counter() - begin, *_used(process.pid))
            if stop and event["event"] == "start":
                process.send_signal(signal.SIGINT)
                begin = perf_counter()
    if not stop and event.get("n_skipped") != n_songs:
        raise SystemExit(f"not all songs were skipped: {event}")


def _used(process: int) -> tuple[float, float]:
    """Seconds that a process has computed, and the most MB that it has had."""
    folder = Path(f"/proc/{process}")
    if not folder.exists():
        return float("nan"), float("nan")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    peak = int((folder / "status").read_text().partition("VmHWM:")[2].split()[0])
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak / 1024


if __name__ == "__main__":
    main()
