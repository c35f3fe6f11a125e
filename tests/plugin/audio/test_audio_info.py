"""Length and format of audio files, compared with how the files were made."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import AudioInfo, audio_info
from stemdock.errors import AudioFileError, AudioFileNotFoundError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("container", "sample_rate", "n_channels"),
    [("WAV", 44100, 2), ("WAVEX", 999, 6), ("RF64", 8000, 1), ("FLAC", 96000, 2)],
)
def test_any_rate_and_number_of_channels(
    tmp_path: Path, container: str, sample_rate: int, n_channels: int
) -> None:
    path = tmp_path / "song"
    soundfile.write(path, np.zeros((1234, n_channels)), sample_rate, format=container)
    expected = AudioInfo(
        sample_rate=sample_rate, n_channels=n_channels, total_length=1234, container=container
    )
    assert audio_info(path) == expected
    assert audio_info(path).duration == 1234 / sample_rate


@pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")
def test_a_length_that_the_header_does_not_give_is_counted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.zeros((200_000, 1)), 8000)
    command: list[str | Path] = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        tmp_path / "song.wav",
        "-c:a",
        "pcm_s16le",
        tmp_path / "song.mka",
    ]
    subprocess.run(command, check=True)
    expected = AudioInfo(sample_rate=8000, n_channels=1, total_length=200_000, container="")
    assert audio_info(tmp_path / "song.mka") == expected


def test_a_file_without_samples_has_no_length(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.wav", np.zeros((0, 2)), 8000)
    assert audio_info(tmp_path / "song.wav").total_length == 0


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_text("no music")
    with pytest.raises(AudioFileError):
        audio_info(tmp_path / "song.wav")
    with pytest.raises(AudioFileNotFoundError):
        audio_info(tmp_path / "nothing.wav")
