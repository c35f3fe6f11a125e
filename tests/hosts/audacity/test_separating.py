"""The files of one request, without Audacity."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from stemdock import StemdockError
from stemdock_audacity.request import CapturedTrack, Request
from stemdock_audacity.separating import separate_request
from support.reaper_model.known_separator import SHARES, known_separator

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock_audacity.legacy import StemTrack

SAMPLE_RATE = 8000


def separated(
    folder: Path, mixture: np.ndarray, *, length: int, start: int, end: int
) -> tuple[StemTrack, ...]:
    """Stems of a selection from sample 0 to `length`, of a track that has audio from `start` to `end`."""
    soundfile.write(folder / "track-1.wav", mixture, SAMPLE_RATE, subtype="FLOAT")
    track = CapturedTrack(
        index=0, name="Song", sample_rate=SAMPLE_RATE, n_channels=2,
        start_sample=0, length=length, audio_start=start, audio_end=end,
    )  # fmt: skip
    request = Request(
        model="2stems", stems=(), remainder=False, mute_original=False, tracks=(track,),
        project_rate=float(SAMPLE_RATE),
    )  # fmt: skip
    return separate_request(known_separator(), request, folder, on_progress=lambda _: None, cancel=Event())


def test_silence_around_a_track_is_not_separated(tmp_path: Path) -> None:
    mixture = np.random.default_rng(3).uniform(-0.5, 0.5, (40_000, 2)).astype(np.float32)
    stems = separated(tmp_path, mixture, length=40_000, start=9000, end=33_000)
    assert [(stem.start, stem.length) for stem in stems] == [(9000 / SAMPLE_RATE, 24_000)] * 2
    for stem in stems:
        samples, _ = soundfile.read(stem.audio, dtype="float32")
        np.testing.assert_array_equal(samples, mixture[9000:33_000] * np.float32(SHARES[stem.audio.stem]))
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["1", "stems.aup", "stems_data"]


def test_an_export_that_stopped_early_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StemdockError, match="exported 40000 of 50000 samples of 'Song'"):
        separated(tmp_path, np.zeros((40_000, 2)), length=50_000, start=0, end=50_000)
    assert [path.name for path in tmp_path.iterdir()] == ["track-1.wav"]
