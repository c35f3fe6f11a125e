"""Encodes files through ffmpeg with the settings that Spleeter uses: the only module that runs it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from stemdock import printable
from stemdock_spleeter.errors import SpleeterError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stemdock import FloatArray

_N_LINES: Final = 3
"""Last lines of ffmpeg's messages that are reported."""


class FfmpegFile:
    """A file that ffmpeg writes. Use it as a context manager: leaving the context completes the file."""

    def __init__(
        self, path: Path, place: Path, settings: Sequence[str], *, sample_rate: int, n_channels: int
    ) -> None:
        """Starts ffmpeg.

        Args:
            path: The file to write; replaced if it exists.
            place: Its later name, for error messages.
            settings: ffmpeg's options for the encoder and the container.
            sample_rate: Hz.
            n_channels: Channels of every block.

        Raises:
            SpleeterError: ffmpeg is not installed.
        """
        program = shutil.which("ffmpeg")
        if program is None:
            raise SpleeterError("ffmpeg binary not found", remedy="Install ffmpeg, or write wav files.")
        rate = str(sample_rate)
        arguments = ["-v", "error", "-y", "-f", "f32le", "-ar", rate, "-ac", str(n_channels)]
        arguments += ["-protocol_whitelist", "pipe", "-i", "pipe:0", "-ar", rate, "-strict", "-2"]
        self._place = place
        # A file, because a pipe that is not read would stop ffmpeg when it is full.
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__
        self._process = subprocess.Popen(  # noqa: S603  a list of arguments, no shell
            [program, *arguments, *settings, f"file:{path}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._messages,
        )  # fmt: skip

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            SpleeterError: ffmpeg has ended.
        """
        assert self._process.stdin is not None  # noqa: S101  opened above
        try:
            self._process.stdin.write(np.ascontiguousarray(block, "<f4").tobytes())
        except OSError as error:
            self._process.wait()
            raise self._error() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Completes the file, or stops ffmpeg after an error; raises `SpleeterError` if ffmpeg failed."""
        with self._messages:
            if kind is not None:
                self._process.kill()
            try:
                self._process.communicate()
            except BrokenPipeError:
                self._process.wait()
            if kind is None and self._process.returncode:
                raise self._error()

    def _error(self) -> SpleeterError:
        self._messages.seek(0)
        lines = self._messages.read().decode(errors="replace").strip().splitlines()
        reason = printable("; ".join(lines[-_N_LINES:])) or f"status {self._process.returncode}"
        return SpleeterError(
            f"{self._place}: ffmpeg cannot write it ({reason})",
            remedy="Check the codec, the bit rate and the free disk space.",
        )
