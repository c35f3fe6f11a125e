"""Encodes files through ffmpeg with the settings that Spleeter uses."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from stemdock import FfmpegProcess, find_ffmpeg, os_errors_as, printable
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
            SpleeterError: ffmpeg is not installed or cannot be started.
        """
        program = find_ffmpeg()
        if program is None:
            raise SpleeterError("ffmpeg binary not found", remedy="Install ffmpeg, or write wav files.")
        rate = str(sample_rate)
        arguments = ["-y", "-f", "f32le", "-ar", rate, "-ac", str(n_channels)]
        arguments += ["-protocol_whitelist", "pipe", "-i", "pipe:0", "-ar", rate, "-strict", "-2"]
        self._place = place
        with os_errors_as(
            lambda reason: SpleeterError(
                f"{program}: cannot be started ({reason})", remedy="Install ffmpeg for this computer."
            )
        ):
            self._process = FfmpegProcess(program, [*arguments, *settings, f"file:{path}"], writes_file=True)

    def write(self, block: FloatArray) -> None:
        """Appends a block `(n_samples, n_channels)`.

        Raises:
            SpleeterError: ffmpeg has ended.
        """
        try:
            self._process.pipe.write(np.ascontiguousarray(block, "<f4").data)
        except OSError as error:
            self._process.wait()
            raise self._error() from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Completes the file, or stops ffmpeg after an error; raises `SpleeterError` if ffmpeg failed."""
        with self._process:
            if kind is not None:
                return
            with suppress(OSError):  # ffmpeg has ended, and says why
                self._process.pipe.close()
            if not self._process.wait():
                raise self._error()

    def _error(self) -> SpleeterError:
        self._process.messages.seek(0)
        lines = self._process.messages.read().decode(errors="replace").strip().splitlines()
        reason = printable("; ".join(lines[-_N_LINES:])) or "it gave no reason"
        return SpleeterError(
            f"{self._place}: ffmpeg cannot write it ({reason})",
            remedy="Check the codec, the bit rate and the free disk space.",
        )
