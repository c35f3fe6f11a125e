"""Runs the programs of docs/examples/spleeter, with the original or with Stemdock."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import soundfile

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples" / "spleeter"


def _facts(file: Any) -> list[Any]:
    info = soundfile.info(file)
    return [info.format, info.subtype, info.samplerate, info.channels, info.frames]


def batch(python: Sequence[str | Path], folder: Path, path: str) -> dict[str, Any]:
    """What the script for a folder of songs prints, twice, and the files that it makes.

    Args:
        python: The command that runs a program which imports Spleeter.
        folder: The folder of `spleeter_cases.make_inputs`.
        path: `PATH`, with the program `spleeter`.
    """
    songs, stems = folder / "songs", folder / "stems"
    songs.mkdir()
    for name in ("song.wav", "mono.wav", "text.txt"):
        shutil.copyfile(folder / name, songs / name)
    command = [*python, EXAMPLES / "batch.py", songs, stems, folder / "four.json"]
    printed = [
        subprocess.run(
            command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(2)
    ]
    files = sorted(path.relative_to(stems).as_posix() for path in stems.rglob("*.*"))
    rates = {tuple(_facts(stems / name)[:4]) for name in files}
    return {"printed": printed, "files": files, "formats": [list(each) for each in sorted(rates)]}


def service(python: Sequence[str | Path], folder: Path) -> dict[str, Any]:
    """What the web service answers to a song and to a text."""
    command = [*python, EXAMPLES / "service.py", folder / "four.json"]
    answers: dict[str, Any] = {}
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            port = next(line for line in process.stdout if line.startswith("port ")).split()[1]
            for name in ("song.wav", "text.txt"):
                address = f"http://127.0.0.1:{port}/separate"
                request = urllib.request.Request(address, (folder / name).read_bytes())
                try:
                    with urllib.request.urlopen(request, timeout=280) as response:  # noqa: S310
                        archive = zipfile.ZipFile(io.BytesIO(response.read()))
                        answers[name] = {
                            each: _facts(io.BytesIO(archive.read(each))) for each in archive.namelist()
                        }
                except urllib.error.HTTPError as error:
                    answers[name] = error.code
        finally:
            process.kill()
    return answers


def karaoke(python: Sequence[str | Path], folder: Path) -> dict[str, Any]:
    """The levels that the notebook's steps print, and the file that they save."""
    target = folder / "karaoke.wav"
    command = [*python, EXAMPLES / "karaoke.py", folder / "48k.wav", target, folder / "four.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    levels = [line.split() for line in done.stdout.splitlines() if line.endswith(" dB")]
    return {"levels": {name: float(level) for name, level, _ in levels}, "file": _facts(target)}
