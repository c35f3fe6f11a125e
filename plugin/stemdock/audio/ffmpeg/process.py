"""The ffmpeg on the PATH, as a process that reads or writes audio."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, Self

from stemdock.audio.abandoning import ended_when_abandoned
from stemdock.audio.ffmpeg.lifeline import Lifeline
from stemdock.errors import CancelledError, ThreadShortageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from stemdock.lib.arguments import StrPath

_ERRORS: Final = ("-nostdin", "-v", "error")
_ALL_MESSAGES: Final = ("-nostdin", "-hide_banner", "-nostats", "-v", "level+info")
"""For the reader of the messages, with the level of each."""
_LAST_MESSAGES: Final = 4096
"""Bytes."""

_MAX_EXIT_STATUS: Final = 255
_PATIENCE: Final = 0.1
"""Seconds between looks at whether waiting is still wanted."""


def find_ffmpeg() -> str | None:
    """The path of the first ffmpeg in the folders of the PATH; None if there is none.

    The working folder does not count, although Windows and an empty entry of the PATH mean it, too: it may
    contain programs of strangers, beside their songs.
    """
    name = "ffmpeg.exe" if sys.platform == "win32" else "ffmpeg"
    folders = map(Path, os.environ.get("PATH", os.defpath).split(os.pathsep))
    found = (shutil.which(str(folder / name)) for folder in folders if folder.is_absolute())
    return next(filter(None, found), None)


def local_input(path: Path, formats: Sequence[str]) -> tuple[str, ...]:
    """The arguments that make a file an input.

    Args:
        path: The file. Nothing in its name has a special meaning.
        formats: ffmpeg's names of the formats that the file may have. Both lists also hold for a file that
            another file names.
    """
    return (
        "-format_whitelist", ",".join(formats), "-protocol_whitelist", "file", "-i", f"file:{path}",
    )  # fmt: skip


class FfmpegProcess:
    """A running ffmpeg with a pipe to its input or from its output.

    It ends with this process, however that ends.

    Attributes:
        pipe: ffmpeg's standard input if it writes a file, its standard output if it reads one.
        messages: What ffmpeg prints: a temporary file if it writes a file; a pipe, which the caller must keep
            empty, if it reads one.
    """

    def __init__(self, program: str, arguments: Sequence[StrPath], *, writes_file: bool) -> None:
        """Starts ffmpeg.

        Args:
            program: From `find_ffmpeg`.
            arguments: Everything after the options that all calls share.
            writes_file: Whether samples go into ffmpeg; otherwise they come out of it.

        Raises:
            ThreadShortageError: The system allows no further processes.
            OSError: ffmpeg cannot be started.
        """
        with ExitStack() as resources:
            messages = resources.enter_context(tempfile.TemporaryFile()) if writes_file else subprocess.PIPE
            lifeline = resources.enter_context(Lifeline())
            # A new session keeps Ctrl+C at the terminal from ffmpeg: Stemdock stops it in its own time.
            try:
                self._process = resources.enter_context(
                    subprocess.Popen(  # noqa: S603
                        [program, *(_ERRORS if writes_file else _ALL_MESSAGES), *arguments],
                        stdin=subprocess.PIPE if writes_file else subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL if writes_file else subprocess.PIPE,
                        stderr=messages,
                        start_new_session=True,
                        pass_fds=lifeline.descriptors,
                    )
                )
            except BlockingIOError as error:  # EAGAIN of fork
                raise ThreadShortageError(program) from error
            # Leaving the process's context waits for it, so it must be dead by then.
            resources.callback(self._kill)
            lifeline.hold(self._process.pid)
            resources.enter_context(ended_when_abandoned(self._kill))
            self._resources = resources.pop_all()
        pipe = self._process.stdin if writes_file else self._process.stdout
        printed = messages if not isinstance(messages, int) else self._process.stderr
        assert pipe is not None  # noqa: S101  because of PIPE
        assert printed is not None  # noqa: S101  because of PIPE
        self.pipe: IO[bytes] = pipe
        self.messages: IO[bytes] = printed

    def wait(self, cancel: Event | None = None) -> bool:
        """Waits until ffmpeg ends; returns whether it succeeded.

        Args:
            cancel: Set it from another thread to stop waiting.

        Raises:
            CancelledError: `cancel` was set. ffmpeg still runs.
        """
        while cancel is not None:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(_PATIENCE) == 0
            if cancel.is_set():
                raise CancelledError
        return self._process.wait() == 0

    @property
    def has_crashed(self) -> bool:
        """Whether the system ended ffmpeg, after `wait`."""
        # Negative by a signal; on Windows, an exception gives a large number.
        return not 0 <= self._process.returncode <= _MAX_EXIT_STATUS

    def message(self) -> str:
        """The last line that ffmpeg printed while it wrote a file."""
        end = self.messages.seek(0, os.SEEK_END)
        self.messages.seek(max(0, end - _LAST_MESSAGES))
        lines = self.messages.read(_LAST_MESSAGES).decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "ffmpeg gave no reason"

    def stop(self) -> None:
        """Ends ffmpeg, if it still runs, and releases its resources."""
        # Samples still buffered for ffmpeg cannot be written any more, and are not needed.
        with suppress(OSError):
            self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _kill(self) -> None:
        if self._process.poll() is not None:
            return
        if sys.platform == "win32":
            self._process.kill()
            return
        # The program may be a script that runs the real ffmpeg, which would keep the pipes open.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def run_ffmpeg(program: str, arguments: Sequence[StrPath], cancel: Event | None = None) -> str:
    """Runs ffmpeg to its end; returns the last line that it printed if it failed, else nothing.

    Args:
        program: From `find_ffmpeg`.
        arguments: Everything after the options that all calls share.
        cancel: Set it from another thread to end ffmpeg.

    Raises:
        OSError: ffmpeg cannot be started.
        CancelledError: `cancel` was set.
    """
    with FfmpegProcess(program, arguments, writes_file=True) as process:
        process.pipe.close()
        return "" if process.wait(cancel) else process.message()
