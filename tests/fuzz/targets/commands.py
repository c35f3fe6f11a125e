"""Runs the command line, in the worker and in a new process: one error line, and the right status."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Final

from fuzz.case import Target
from fuzz.targets import audio, models
from stemdock.cli.main import run as run_command
from stemdock.errors import StemdockError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from random import Random

    from fuzz.case import Place


_SUMMARY: Final = re.compile(r"\d+ songs: ")
_NOTE: Final = re.compile(r"^warning: |: \d+ channels \(.*\) mixed down to stereo")
"""A line about a song that is separated."""
_UNEXPECTED: Final = "Report it to the makers"
"""Printed for an unexpected exception."""
_DECODER: Final = ("Note: ", "Warning: ", "[src/libmpg123/")


class RefusedError(StemdockError):
    """The command line refused the input, as it should."""


def build(folder: Path) -> None:
    """Writes audio files and a model."""
    for name, target in (("audio", audio), ("model", models)):
        (folder / name).mkdir()
        target.build(folder / name)


def damage(rng: Random, corpus: Path, folder: Path) -> None:
    """Damages the song or the model."""
    if rng.random() < 0.6:
        audio.damage(rng, corpus / "audio", folder)
        (folder / models.MODEL).write_bytes((corpus / "model" / models.MODEL).read_bytes())
    else:
        models.damage(rng, corpus / "model", folder)


def _arguments(place: Place) -> list[str]:
    (song,) = (path for path in place.input.iterdir() if path.suffix != ".onnx")
    options = [
        "--model",
        str(place.input / models.MODEL),
        "--output",
        str(place.output),
        "--provider",
        "cpu",
        "--threads",
        "1",
    ]
    return ["separate", *options, "--", str(song)]


def run(place: Place) -> None:
    """Runs the command in this process."""
    assert check_command(_arguments(place))


def check_command(arguments: Sequence[str]) -> str:
    """Runs a command line in this process, checks its messages and status, and returns its output.

    Raises:
        RefusedError: The input was refused, with one line of error.
    """
    status, output, errors = captured(arguments)
    _check(status, output, errors)
    return output


def captured(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Runs a command line in this process; returns its status, its output and its messages."""
    output, errors = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(output), redirect_stderr(errors):
        status = run_command(arguments)
    texts = []
    for stream in (output, errors):
        stream.seek(0)
        texts.append(stream.read())
    return status, texts[0], texts[1]


def run_process(place: Place) -> None:
    """Runs the command in a new process."""
    command = [sys.executable, "-m", "stemdock", *_arguments(place)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, errors="surrogateescape")
    _check(done.returncode, done.stdout, done.stderr)
    assert done.stdout


def _check(status: int, output: str, errors: str) -> None:
    # The mp3 decoder prints to standard error, which cannot be turned off.
    lines = [line for line in errors.splitlines() if not line.startswith(_DECODER)]
    # A file named like a playlist can contain many songs; then a summary is printed last.
    lines = [line for line in lines if not _SUMMARY.match(line)]
    if status == 0:
        assert not [line for line in lines if not _NOTE.search(line)], errors
        return
    assert status == 1, (status, errors)
    assert not output, output
    assert _UNEXPECTED not in errors, errors
    assert lines, errors
    assert all(line.startswith("error: ") for line in lines), errors
    assert all(line.isprintable() for line in lines), errors
    raise RefusedError(lines[0], remedy="None: the refusal is correct.")


TARGET: Final = Target(build=build, damage=damage, run=run)
PROCESS_TARGET: Final = Target(build=build, damage=damage, run=run_process)
