"""The ffmpeg on the PATH, as a process that reads or writes audio."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LOCAL: Final = ("-protocol_whitelist", "file,pipe")
"""Never open a network address that a playlist-like file contains."""
_ERRORS: Final = ("-v", "error")
_ALL_MESSAGES: Final = ("-hide_banner", "-nostats", "-v", "level+info")
"""For the reader of the messages, with the level of each."""

_MAX_EXIT_STATUS: Final = 255


def find_ffmpeg() -> str | None:
    """The path of ffmpeg; None if it is not installed."""
    return shutil.which("ffmpeg")


class FfmpegProcess:
    """A running ffmpeg with a pipe to its input or from its output.

    Attributes:
        pipe: ffmpeg's standard input if it writes a file, its standard output if it reads one.
        messages: What ffmpeg prints: a temporary file if it writes a file; a pipe, which the caller must keep
            empty, if it reads one.
    """

    def __init__(self, program: str, arguments: Sequence[str | Path], *, writes_file: bool) -> None:
        """Starts ffmpeg.

        Args:
            program: From `find_ffmpeg`.
            arguments: Everything after the options that all calls share.
            writes_file: Whether samples go into ffmpeg; otherwise they come out of it.

        Raises:
            OSError: ffmpeg cannot be started.
        """
        with ExitStack() as resources:
            messages = resources.enter_context(tempfile.TemporaryFile()) if writes_file else subprocess.PIPE
            # A new session keeps Ctrl+C at the terminal from ffmpeg: Stemdock stops it in its own time.
            self._process = resources.enter_context(
                subprocess.Popen(  # noqa: S603
                    [program, *(_ERRORS if writes_file else _ALL_MESSAGES), *_LOCAL, *arguments],
                    stdin=subprocess.PIPE if writes_file else subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL if writes_file else subprocess.PIPE,
                    stderr=messages,
                    start_new_session=True,
                )
            )
            # Leaving the process's context waits for it, so it must be dead by then.
            resources.callback(self._process.kill)
            self._resources = resources.pop_all()
        pipe = self._process.stdin if writes_file else self._process.stdout
        printed = messages if not isinstance(messages, int) else self._process.stderr
        assert pipe is not None  # noqa: S101  because of PIPE
        assert printed is not None  # noqa: S101  because of PIPE
        self.pipe: IO[bytes] = pipe
        self.messages: IO[bytes] = printed

    def wait(self) -> bool:
        """Waits until ffmpeg ends; returns whether it succeeded."""
        return self._process.wait() == 0

    @property
    def has_crashed(self) -> bool:
        """Whether the system ended ffmpeg, after `wait`."""
        # Negative by a signal; on Windows, an exception gives a large number.
        return not 0 <= self._process.returncode <= _MAX_EXIT_STATUS

    def message(self) -> str:
        """The last line that ffmpeg printed while it wrote a file."""
        return _last_line(self.messages)

    def stop(self) -> None:
        """Ends ffmpeg, if it still runs, and releases its resources."""
        # Samples still buffered for ffmpeg cannot be written any more, and are not needed.
        with suppress(OSError):
            self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run_ffmpeg(program: str, arguments: Sequence[str | Path]) -> str:
    """Runs ffmpeg to its end; returns the last line that it printed if it failed, else nothing.

    Raises:
        OSError: ffmpeg cannot be started.
    """
    with tempfile.TemporaryFile() as messages:
        done = subprocess.run(  # noqa: S603
            [program, *_ERRORS, *_LOCAL, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            check=False,
        )
        return _last_line(messages) if done.returncode else ""


def _last_line(messages: IO[bytes]) -> str:
    messages.seek(0)
    lines = messages.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "ffmpeg gave no reason"
