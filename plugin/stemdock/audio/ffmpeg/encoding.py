"""Encoding through ffmpeg: AAC and ALAC in MPEG-4 containers, MP3 and Opus if it has their encoders."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from stemdock.audio.ffmpeg.formats import PICTURES, RECORDINGS
from stemdock.audio.ffmpeg.process import FfmpegProcess, find_ffmpeg, local_input, run_ffmpeg
from stemdock.errors import OutputError, ThreadShortageError
from stemdock.lib.os_errors import reason_for

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock.audio.encoding import Encoding
    from stemdock.output.codecs import Codec
    from stemdock.output.tags import Cover, Tags
    from stemdock.types import FloatArray

CONTAINER: Final = "ipod"
"""ffmpeg's name of the container with the extension m4a."""
_ENCODERS: Final = {"m4a": "aac", "alac": "alac", "mp3": "libmp3lame", "opus": "libopus"}
"""ffmpeg's encoder for each codec."""
_CONTAINERS: Final = {
    "m4a": (CONTAINER,),
    "alac": (CONTAINER,),
    # `add_tags` writes the tags of MP3.
    "mp3": ("mp3", "-id3v2_version", "0"),
    # Otherwise ffmpeg numbers the stream at random: equal results must be equal files.
    "opus": ("opus", "-fflags", "+bitexact", "-flags:a", "+bitexact"),
}
"""ffmpeg's name of each codec's container, and options of it."""
_LAME_QUALITY: Final = 3
"""LAME's own default for constant bit rates, which libsndfile uses, too. ffmpeg's default is worse."""
_WORTHWHILE_LENGTH: Final = 5
"""Seconds. To start ffmpeg takes as long as to encode this much by libsndfile."""
_SAMPLE_FORMATS: Final = {"16": "s16p", "24": "s32p"}
"""ffmpeg's name of the samples that its ALAC encoder takes, by the bits that it writes."""
_KEYS: Final = {
    "title": "title", "artist": "artist", "album": "album", "tracknumber": "track", "date": "date",
    "genre": "genre", "comment": "comment",
}  # fmt: skip
"""ffmpeg's name of each tag."""


def check_encoder(codec: Codec, path: Path) -> None:
    """Checks, before any work starts, that the program which a codec needs is installed.

    Args:
        codec: The codec.
        path: A file to write, for the error message.

    Raises:
        OutputError: The codec needs ffmpeg, which is not installed.
    """
    if codec.encoder == "ffmpeg":
        program_for(path)


def prefers_ffmpeg(encoding: Encoding) -> bool:
    """Whether ffmpeg writes a file.

    Of a codec that libsndfile can write as well, it writes long files if it has the encoder: some builds of
    ffmpeg lack LAME or Opus.
    """
    if encoding.codec.encoder != "either":
        return encoding.codec.encoder == "ffmpeg"
    length = encoding.signal.total_length
    if length is not None and length < _WORTHWHILE_LENGTH * encoding.signal.sample_rate:
        return False
    program = find_ffmpeg()
    return program is not None and _has_encoder(program, _ENCODERS[encoding.codec.name])


@cache
def _has_encoder(program: str, encoder: str) -> bool:
    """Whether an ffmpeg can encode nothing with an encoder."""
    arguments = ["-f", "f32le", "-ar", "48000", "-ac", "2", "-protocol_whitelist", "pipe", "-i", "pipe:0"]
    try:
        return not run_ffmpeg(program, [*arguments, "-c:a", encoder, "-f", "null", "-"])
    except (OSError, ThreadShortageError):
        return False


def program_for(path: Path) -> str:
    """The path of ffmpeg.

    Args:
        path: A file to write, for the error message.

    Raises:
        OutputError: ffmpeg is not installed.
    """
    program = find_ffmpeg()
    if program is None:
        raise OutputError(
            path, "cannot be written without ffmpeg", remedy="Install ffmpeg, or use flac, mp3, ogg or opus."
        )
    return program


def tag_arguments(tags: Tags) -> list[str]:
    """The arguments that write tags."""
    texts = ((key, getattr(tags, name)) for name, key in _KEYS.items())
    return [argument for key, text in texts if text for argument in ("-metadata", f"{key}={text}")]


class FfmpegSink:
    """A file that ffmpeg writes from the samples on its standard input.

    Attributes:
        warning: Why tags are missing; always empty, because ffmpeg accepts any text.
    """

    warning: Final = ""

    def __init__(self, path: Path, encoding: Encoding, tags: Tags) -> None:
        """Starts ffmpeg; raises `OutputError` if it is not installed or cannot be started."""
        self._path = path
        rate, channels = str(encoding.signal.sample_rate), str(encoding.signal.n_channels)
        arguments = ["-n", "-f", "f32le", "-ar", rate, "-ac", channels]
        arguments += ["-protocol_whitelist", "pipe", "-i", "pipe:0"]
        codec = encoding.codec.name
        # The tags of MP3 are written by `add_tags`.
        arguments += [] if codec == "mp3" else tag_arguments(tags)
        arguments += ["-c:a", _ENCODERS[codec], *_quality(encoding)]
        arguments += ["-f", *_CONTAINERS[codec], f"file:{path}"]
        program = program_for(path)
        try:
            self._process = FfmpegProcess(program, arguments, writes_file=True)
        except OSError as error:
            raise OutputError(
                path,
                f"cannot be written, because ffmpeg cannot be started ({program}: {reason_for(error)})",
                remedy="Install ffmpeg for this computer, or use flac, mp3, ogg or opus instead.",
            ) from error

    def write(self, block: FloatArray) -> None:
        """Appends a block."""
        try:
            self._process.pipe.write(np.ascontiguousarray(block, "<f4").data)
        except OSError as error:
            self._process.wait()
            raise self._error() from error

    def close(self) -> None:
        """Waits until ffmpeg has completed the file."""
        with self._process:
            try:
                self._process.pipe.close()
            except OSError as error:
                self._process.wait()
                raise self._error() from error
            if not self._process.wait():
                raise self._error()

    def abort(self) -> None:
        """Stops ffmpeg; the file is incomplete."""
        self._process.stop()

    def _error(self) -> OutputError:
        return OutputError(
            self._path,
            f"ffmpeg cannot write it ({self._process.message()})",
            remedy="Check the free disk space, or use flac, mp3, ogg or opus, which do not need ffmpeg.",
        )


def _quality(encoding: Encoding) -> list[str]:
    if encoding.bit_depth is not None:
        return ["-sample_fmt", _SAMPLE_FORMATS[encoding.bit_depth]]
    quality = ["-compression_level", str(_LAME_QUALITY)] if encoding.codec.name == "mp3" else []
    return ["-b:a", f"{encoding.bitrate}k", *quality]


def copy_with_cover(path: Path, cover: Cover, result: Path) -> None:
    """Copies an m4a file and adds a cover picture.

    Args:
        path: The file to copy.
        cover: The picture.
        result: The new file, which must not exist.

    Raises:
        OutputError: ffmpeg cannot read the picture, or cannot write the file.
    """
    picture = path.with_name(f"{path.name}.cover")
    picture.write_bytes(cover.data)
    arguments = ["-n", *local_input(path, RECORDINGS), *local_input(picture, PICTURES)]
    arguments += ["-map", "0:a", "-map", "1:v"]
    arguments += ["-c", "copy", "-disposition:v", "attached_pic", "-f", CONTAINER, f"file:{result}"]
    reason = run_ffmpeg(program_for(path), arguments)
    picture.unlink()
    if reason:
        raise OutputError(
            path, f"the cover cannot be added ({reason})", remedy="Add the cover in a tag editor."
        )
