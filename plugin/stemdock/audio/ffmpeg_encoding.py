"""Encoding by the ffmpeg on the PATH: m4a."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from typing import IO, TYPE_CHECKING, Final

import numpy as np

from stemdock.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.output.codecs import Codec
    from stemdock.output.tags import Cover, Tags
    from stemdock.types import FloatArray

_FORMATS: Final = {"m4a": ("aac", "ipod")}
"""ffmpeg's encoder and container."""
_KEYS: Final = {
    "title": "title", "artist": "artist", "album": "album", "tracknumber": "track", "date": "date",
    "genre": "genre", "comment": "comment",
}  # fmt: skip
"""Names of tags here and in ffmpeg."""


def check_encoder(codec: Codec, path: Path) -> None:
    """Finds out whether a codec can be written at all, before any work is done for it.

    Raises:
        OutputError: It takes ffmpeg, which is not there.
    """
    if codec.encoder == "ffmpeg":
        _program(path)


def _program(path: Path) -> str:
    program = shutil.which("ffmpeg")
    if program is None:
        raise OutputError(
            path, "cannot be written without ffmpeg", remedy="Install ffmpeg, or choose mp3, ogg or opus."
        )
    return program


class FfmpegSink:
    """A file that ffmpeg is writing from what it is given on its standard input.

    Attributes:
        warning: What went wrong with the tags: always empty, since ffmpeg takes any text.
    """

    warning: Final = ""

    def __init__(
        self, path: Path, codec: Codec, bitrate: int | None, sample_rate: int, n_channels: int, tags: Tags
    ) -> None:
        """Starts ffmpeg; raises `OutputError` if it is missing."""
        self._path = path
        encoder, container = _FORMATS[codec.name]
        command = [_program(path), "-v", "error", "-n", "-protocol_whitelist", "file,pipe"]
        command += ["-f", "f32le", "-ar", str(sample_rate), "-ac", str(n_channels), "-i", "pipe:0"]
        for name, key in _KEYS.items():
            if text := getattr(tags, name):
                command += ["-metadata", f"{key}={text}"]
        command += ["-c:a", encoder, "-b:a", f"{bitrate}k", "-f", container, f"file:{path}"]
        with ExitStack() as resources:
            self._messages = resources.enter_context(tempfile.TemporaryFile())
            self._process = resources.enter_context(
                # An interrupt at the terminal is for us to deal with, so ffmpeg is kept from it.
                subprocess.Popen(  # noqa: S603
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=self._messages,
                    start_new_session=True,
                )
            )
            # Whatever happens, nothing is waited for that would not end.
            resources.callback(self._process.kill)
            self._resources = resources.pop_all()
        assert self._process.stdin is not None  # noqa: S101  because of PIPE
        self._stdin: IO[bytes] = self._process.stdin

    def write(self, block: FloatArray) -> None:
        """Appends a block."""
        try:
            self._stdin.write(np.ascontiguousarray(block, "<f4").data)
        except OSError as error:
            self._process.wait()
            raise self._error() from error

    def close(self) -> None:
        """Waits for ffmpeg to complete the file."""
        with self._resources:
            try:
                self._stdin.close()
            except OSError as error:
                self._process.wait()
                raise self._error() from error
            if self._process.wait() != 0:
                raise self._error()

    def abort(self) -> None:
        """Ends ffmpeg."""
        # What is still buffered for it finds no reader, and matters no more.
        with suppress(OSError):
            self._resources.close()

    def _error(self) -> OutputError:
        return OutputError(
            self._path,
            f"ffmpeg cannot write it ({_last_line(self._messages)})",
            remedy="Check free disk space, or choose mp3, ogg or opus, which do without ffmpeg.",
        )


def _last_line(messages: IO[bytes]) -> str:
    messages.seek(0)
    lines = messages.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"


def with_cover(path: Path, cover: Cover, result: Path) -> None:
    """Copies an m4a file and adds a cover.

    Raises:
        OutputError: ffmpeg does not understand the picture, or cannot write.
    """
    picture = path.with_name(f"{path.name}.cover")
    picture.write_bytes(cover.data)
    command = [_program(path), "-v", "error", "-nostdin", "-n", "-protocol_whitelist", "file,pipe"]
    command += ["-i", f"file:{path}", "-i", f"file:{picture}", "-map", "0:a", "-map", "1:v", "-c", "copy"]
    command += ["-disposition:v", "attached_pic", "-f", "ipod", f"file:{result}"]
    with tempfile.TemporaryFile() as messages:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=messages, check=False)  # noqa: S603
        picture.unlink()
        if done.returncode != 0:
            raise OutputError(
                path, f"the cover cannot be added ({_last_line(messages)})", remedy="Add it in a tag editor."
            )
