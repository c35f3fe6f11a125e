"""Damages songs at random and compares how much of them Stemdock and ffmpeg read.

A case passes if the sound is as long as ffmpeg decodes it, or if Stemdock reports damage, or if ffmpeg reads
nothing. Run it from the folder `tests`: python -m fuzz.damaged_songs --n 2000
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

from stemdock import open_audio
from stemdock.errors import AudioFileError
from support.mixtures import SONG
from support.other_peoples_files import ffmpeg_length
from support.verdicts import verdict

if TYPE_CHECKING:
    from stemdock import Damage

_ENCODERS: Final = {
    "mp3": ("-c:a", "libmp3lame"), "vbr.mp3": ("-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"),
    "flac": ("-c:a", "flac"), "ogg": ("-c:a", "libvorbis"), "opus": ("-c:a", "libopus"),
    "m4a": ("-c:a", "aac"), "wav": ("-c:a", "pcm_s16le"),
}  # fmt: skip
_SECONDS: Final = 4


def make_songs(folder: Path) -> None:
    """Encodes the start of the example song in each format."""
    for name, encoder in _ENCODERS.items():
        path = folder / f"song.{name}"
        subprocess.run(["ffmpeg", "-v", "error", "-i", SONG, "-t", str(_SECONDS), *encoder, path], check=True)


def damaged(rng: Random, data: bytes) -> bytes:
    """One to three damages of a file."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        start = rng.randrange(len(data))
        size = min(len(data) - start, rng.choice((1, 4, 60, 500, 4000, 20_000)))
        noise = rng.randbytes(size)
        data = rng.choice(
            (
                data[:start] + bytes(size) + data[start + size :],
                data[:start] + noise + data[start + size :],
                data[:start] + data[start + size :],
                data[:start] + noise + data[start:],
                data[: start + 1],
                data + noise,
                data + data[:size],
            )
        )
    return data


def outcome(folder: Path, seed: int, number: int) -> tuple[str, str, str]:
    """Tries one case; returns its format, how it ended, and what happened."""
    rng = Random(f"{seed}/{number}")  # noqa: S311
    name = rng.choice(tuple(_ENCODERS))
    data = damaged(rng, (folder / f"song.{name}").read_bytes())
    with tempfile.TemporaryDirectory() as own:
        path = Path(own) / f"song.{name}"
        path.write_bytes(data)
        expected = ffmpeg_length(path)
        length: int | None = None
        damage: list[Damage] = []
        reason = ""
        try:
            with open_audio(path, "auto") as audio:
                length = sum(len(block) for block in audio.blocks)
                damage = audio.damage
        except AudioFileError as error:
            reason = str(error)[len(str(path)) + 2 :]
        except Exception as error:  # noqa: BLE001  every other exception is a find
            return name, "EXCEPTION", f"{type(error).__name__}: {error}"
    how = verdict(expected, length, is_reported=bool(damage))
    return name, how, f"{reason or length} instead of {expected} samples"


def main() -> int:
    """Runs the cases, and prints the finds and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2, help="run this many processes at a time [2]")
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name, ProcessPoolExecutor(options.workers) as pool:
        folder = Path(name)
        make_songs(folder)
        numbers = range(options.n)
        folders, seeds = [folder] * options.n, [options.seed] * options.n
        outcomes = pool.map(outcome, folders, seeds, numbers, chunksize=8)
        for number, (kind, how, what) in zip(numbers, outcomes, strict=True):
            if how.isupper():
                print(f"{options.seed}/{number} {kind}: {how}: {what}", flush=True)  # noqa: T201
            counts[kind, how] += 1
    for (kind, how), n in sorted(counts.items()):
        print(f"{kind:8} {how:30} {n}")  # noqa: T201
    return int(any(how.isupper() for _, how in counts))


if __name__ == "__main__":
    sys.exit(main())
