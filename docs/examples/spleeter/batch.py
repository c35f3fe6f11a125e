"""A script for a folder of songs: it calls the command, and skips songs that are done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SUFFIXES = (".mp3", ".wav", ".flac", ".m4a")


def main() -> None:
    songs, output, model = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    for song in sorted(songs.iterdir()):
        if song.suffix not in SUFFIXES:
            continue
        if (output / song.stem / "vocals.mp3").exists():
            print(f"{song.name}: done before")
            continue
        command = [
            "spleeter",
            "separate",
            "-p",
            model,
            "-o",
            str(output),
            "-c",
            "mp3",
            "-b",
            "192k",
            str(song),
        ]
        status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        print(f"{song.name}: {'separated' if status == 0 else 'failed'}")


if __name__ == "__main__":
    main()
