"""Measures what an object store costs: the same songs from disk to disk, and from bucket to bucket.

    python -m benchmarks.store 20 song.mp3

The store is moto on this machine, in a process of its own, so that what is measured is the program's own
work and moto's. Prints seconds for a first run, for a run with --resume, and the requests for each song in
both. Needs `pip install -e '.[remote]' --group store`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_OPTIONS: Final = ("--progress", "none", "-c", "flac")


def main() -> None:
    """Runs the measurement."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.store", description=__doc__)
    parser.add_argument("n_songs", type=int, metavar="N")
    parser.add_argument("song", type=Path, metavar="SONG")
    arguments = parser.parse_args()
    here, there = get_context("spawn").Pipe()
    server = get_context("spawn").Process(target=_serve, args=[there], daemon=True)
    server.start()
    environment = {**os.environ, **here.recv()}
    os.environ.update(environment)
    import fsspec  # noqa: PLC0415  finds the server in the environment

    store = fsspec.filesystem("s3")
    store.mkdir("songs")
    store.mkdir("stems")
    with tempfile.TemporaryDirectory() as folder:
        music = Path(folder) / "music"
        music.mkdir()
        for number in range(arguments.n_songs):
            path = music / f"{number:06}{arguments.song.suffix}"
            shutil.copy(arguments.song, path)
            store.put_file(str(path), f"songs/{path.name}")
        for name, songs, stems in (
            ("disk", str(music), f"{folder}/stems"),
            ("store", "s3://songs", "s3://stems/out"),
        ):
            here.send(None)
            here.recv()
            first = _seconds(songs, stems, environment)
            here.send(None)
            n_first = here.recv()
            again = _seconds(songs, stems, environment, "--resume")
            here.send(None)
            n_again = here.recv()
            print(f"{name}: {first:.1f} s, again with --resume {again:.1f} s")
            for counts in (n_first, n_again):
                print("   requests:", {method: n / arguments.n_songs for method, n in sorted(counts.items())})
    server.kill()


def _seconds(songs: str, stems: str, environment: dict[str, str], *options: str) -> float:
    start = perf_counter()
    command = [sys.executable, "-m", "stemdock", "separate", songs, "-o", stems, *_OPTIONS, *options]
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return perf_counter() - start


def _serve(connection: Connection) -> None:
    """Serves, and answers each message with the methods of the requests since the last one."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.s3_server import S3Server  # noqa: PLC0415

    with S3Server() as server:
        connection.send(server.environment)
        while True:
            connection.recv()
            connection.send(Counter(method for method, _ in server.requests))
            server.requests.clear()


if __name__ == "__main__":
    main()
