"""Sources whose channels are in files of their own."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import AudioFileError
from stemdock_hostkit.job.request import Channel, Request, Source, request_from_values, request_to_values
from stemdock_hostkit.worker.joining import join_channels

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, samples: np.ndarray, sample_rate: int = 8000) -> Path:
    soundfile.write(path, samples.astype(np.float32), sample_rate, subtype="FLOAT")
    return path


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """The left channel in a file of its own, the right one as the third of a longer file."""
    random = np.random.default_rng(3)
    left = write(tmp_path / "left.wav", random.uniform(-1, 1, 200_000))
    right = write(tmp_path / "right.wav", random.uniform(-1, 1, (300_000, 2)))
    channels = (Channel(path=left), Channel(path=right, number=1))
    return Source(id="1", name="Song", channels=channels)


@pytest.mark.parametrize(
    ("start", "duration", "first", "last"),
    [
        (0, None, 0, 200_000),
        (1 / 8000, 10, 1, 80_001),
        (12.5, 0.000125, 100_000, 100_001),
        (24, 100, 192_000, 200_000),
    ],
)
def test_channels_are_joined_to_the_bit(
    source: Source, tmp_path: Path, start: float, duration: float | None, first: int, last: int
) -> None:
    part = Source(id="1", name="Song", channels=source.channels, start=start, duration=duration)
    join_channels(part, tmp_path / "both.wav", Event())
    both, sample_rate = soundfile.read(tmp_path / "both.wav", dtype="float32")
    assert sample_rate == 8000
    for number, channel in enumerate(source.channels):
        samples = soundfile.read(channel.path, dtype="float32", always_2d=True)[0][:, channel.number]
        assert np.array_equal(both[:, number], samples[first:last])


@pytest.mark.parametrize(
    ("reason", "number", "sample_rate", "start"),
    [("no channel 2", 1, 8000, 0.0), ("another sample rate", 0, 9000, 0.0), ("no audio", 0, 8000, 3.0)],
)
def test_what_cannot_be_joined_is_said(
    tmp_path: Path, reason: str, number: int, sample_rate: int, start: float
) -> None:
    first = write(tmp_path / "first.wav", np.zeros(100_000))
    second = write(tmp_path / "second.wav", np.zeros(8000), sample_rate)
    channels = (Channel(path=first), Channel(path=second, number=number))
    source = Source(id="1", name="Song", channels=channels, start=start)
    with pytest.raises(AudioFileError, match=reason):
        join_channels(source, tmp_path / "both.wav", Event())


def test_a_request_with_channels_comes_back(source: Source, tmp_path: Path) -> None:
    request = Request(host="Test", output_folder=tmp_path, model="2stems", sources=(source,))
    assert request_from_values(tmp_path, request_to_values(request)) == request
