"""Reading of audio files, by libsndfile or else by ffmpeg."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Final

import numpy as np
import soundfile

from stemdock.errors import AudioFileError, AudioFileNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import FloatArray

_BLOCK_LENGTH: Final = 1 << 16
_MAX_CHANNELS: Final = 2
_AU_HEADER: Final = struct.Struct(">4sIIIII")
"""Magic, data offset, data size, encoding, sample rate in Hz, channels; all big-endian."""
_AU_FLOAT: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """An audio file that is open for reading."""

    sample_rate: int
    n_channels: int
    total_length: int | None
    """Samples a channel; None if the file does not say."""
    blocks: Iterator[FloatArray]


@contextmanager
def open_audio(path: Path) -> Iterator[AudioStream]:
    """Opens an audio file, by libsndfile or else by the ffmpeg on the PATH.

    Args:
        path: wav, flac, mp3, ogg and the like; anything with an audio stream if ffmpeg is there.

    Raises:
        AudioFileNotFoundError: There is no such file.
        AudioFileError: It has no audio, no samples, more than two channels, or it is damaged.
    """
    with _open_either(path) as stream:
        if stream.n_channels > _MAX_CHANNELS:
            raise AudioFileError(
                path,
                f"has {stream.n_channels} channels, and only mono and stereo can be separated",
                remedy="Fold it down first, for example with: ffmpeg -i IN -ac 2 OUT.wav",
            )
        yield replace(stream, blocks=_some_samples(path, stream.blocks))


@contextmanager
def _open_either(path: Path) -> Iterator[AudioStream]:
    try:
        # Shown the bytes without the name, libsndfile judges by content, and does not let its mp3
        # decoder complain to standard error about a text that is called mp3.
        with path.open("rb") as file, soundfile.SoundFile(file):
            pass
    except FileNotFoundError as error:
        raise AudioFileNotFoundError(path) from error
    except OSError as error:
        raise AudioFileError(
            path, f"cannot be opened ({error.strerror})", remedy="Name an audio file that you may read."
        ) from error
    except soundfile.LibsndfileError as error:
        with _open_by_ffmpeg(path, error.error_string) as stream:
            yield stream
        return
    # Reading goes by name all the same: an error or a signal inside a read of a Python file is lost.
    with soundfile.SoundFile(path) as sound:
        yield AudioStream(
            sample_rate=sound.samplerate,
            n_channels=sound.channels,
            total_length=sound.frames,
            blocks=_soundfile_blocks(path, sound),
        )


def _some_samples(path: Path, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
    first = next(blocks, None)
    if first is None:
        raise AudioFileError(path, "has no samples", remedy="Choose a file with some audio in it.")
    yield first
    yield from blocks


def _soundfile_blocks(path: Path, file: soundfile.SoundFile) -> Iterator[FloatArray]:
    while True:
        try:
            block = file.read(_BLOCK_LENGTH, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioFileError(
                path,
                f"is damaged ({error.error_string})",
                remedy="Get an intact copy, or repair it in an audio editor.",
            ) from error
        if not len(block):
            return
        yield block


@contextmanager
def _open_by_ffmpeg(path: Path, reason: str) -> Iterator[AudioStream]:
    """Opens what libsndfile refused for `reason`."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise AudioFileError(
            path,
            f"is no audio file that can be read without ffmpeg ({reason})",
            remedy="Install ffmpeg for m4a, video and other formats, or convert the file to WAV.",
        )
    # AU is the simplest format that says rate and channels ahead of a stream of unknown length.
    command = [program, "-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe"]
    command += ["-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "-"]
    with (
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=messages) as process,  # noqa: S603
    ):
        try:
            assert process.stdout is not None  # noqa: S101  because of PIPE
            header = process.stdout.read(_AU_HEADER.size)
            if len(header) < _AU_HEADER.size:
                process.wait()
                raise _ffmpeg_error(path, messages)
            _, offset, _, encoding, sample_rate, n_channels = _AU_HEADER.unpack(header)
            if encoding != _AU_FLOAT:
                raise AudioFileError(path, "ffmpeg's output is not understood", remedy="Update ffmpeg.")
            process.stdout.read(offset - _AU_HEADER.size)
            yield AudioStream(
                sample_rate=sample_rate,
                n_channels=n_channels,
                total_length=None,
                blocks=_ffmpeg_blocks(path, process, n_channels, messages),
            )
        finally:
            process.kill()


def _ffmpeg_blocks(
    path: Path, process: subprocess.Popen[bytes], n_channels: int, messages: IO[bytes]
) -> Iterator[FloatArray]:
    assert process.stdout is not None  # noqa: S101  because of PIPE
    size = _BLOCK_LENGTH * n_channels * 4
    while data := process.stdout.read(size):
        usable = len(data) - len(data) % (n_channels * 4)
        yield np.frombuffer(data[:usable], ">f4").astype(np.float32).reshape(-1, n_channels)
    if process.wait() != 0:
        raise _ffmpeg_error(path, messages)


def _ffmpeg_error(path: Path, messages: IO[bytes]) -> AudioFileError:
    messages.seek(0)
    lines = messages.read().decode(errors="replace").strip().splitlines()
    reason = lines[-1].replace(f"file:{path}: ", "") if lines else "no reason given"
    return AudioFileError(
        path,
        f"ffmpeg finds no usable audio in it ({reason})",
        remedy="Check that it is an audio file and intact.",
    )
