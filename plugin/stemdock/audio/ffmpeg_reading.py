"""Reading of audio files through ffmpeg: m4a, video and whatever else libsndfile cannot read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from stemdock.audio.ffmpeg import FfmpegProcess, find_ffmpeg
from stemdock.audio.layouts import read_wav_header
from stemdock.audio.stream import BLOCK_LENGTH, AudioStream
from stemdock.errors import AudioFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from stemdock.types import FloatArray


@contextmanager
def open_by_ffmpeg(path: Path, reason: str) -> Iterator[AudioStream]:
    """Opens an audio file through ffmpeg.

    Args:
        path: A file, which must exist.
        reason: Why libsndfile cannot read it, for the error message.

    Raises:
        AudioFileError: ffmpeg is not installed, or cannot read the file.
    """
    program = find_ffmpeg()
    if program is None:
        raise AudioFileError(
            path,
            f"cannot be read without ffmpeg ({reason})",
            remedy="Install ffmpeg to read m4a, video and other formats, or convert the file to WAV.",
        )
    # A WAV header gives the rate and the channels, and says which loudspeakers the channels are for.
    arguments = ["-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32le", "-f", "wav", "-"]
    with FfmpegProcess(program, arguments, writes_file=False) as process:
        header = read_wav_header(process.pipe)
        if header is None:
            process.wait()
            raise _error(path, process)
        sample_rate, n_channels, speakers = header
        yield AudioStream(
            sample_rate=sample_rate,
            n_channels=n_channels,
            total_length=None,
            blocks=_blocks(path, process, n_channels),
            speakers=speakers,
        )


def _blocks(path: Path, process: FfmpegProcess, n_channels: int) -> Iterator[FloatArray]:
    size = BLOCK_LENGTH * n_channels * 4
    while data := process.pipe.read(size):
        usable = len(data) - len(data) % (n_channels * 4)
        yield np.frombuffer(data[:usable], "<f4").astype(np.float32).reshape(-1, n_channels)
    if not process.wait():
        raise _error(path, process)


def _error(path: Path, process: FfmpegProcess) -> AudioFileError:
    reason = process.message().replace(f"file:{path}: ", "")
    return AudioFileError(
        path,
        f"ffmpeg cannot read any audio from it ({reason})",
        remedy="Check that it is an audio file and that it is complete.",
    )
