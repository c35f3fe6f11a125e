from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stemdock.errors import AudioError, CancelledError, ModelDamagedError, ModelNotFoundError
from stemdock.separator import Separator

if TYPE_CHECKING:
    from pathlib import Path

    from stemdock import Plugins, Progress
    from support.small_model import SmallPlugin


def tone(sample_rate: int, length: int) -> np.ndarray:
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(length) / sample_rate)
    return np.stack([wave, -wave], axis=1).astype(np.float32)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sample_rate=st.sampled_from([4000, 7999, 8000, 11025, 44100, 48000, 96000]),
    length=st.integers(1, 30000),
)
def test_stems_have_the_rate_and_length_of_the_mixture(
    small_separator: Separator, sample_rate: int, length: int
) -> None:
    stems = small_separator.separate(tone(sample_rate, length), sample_rate)
    assert list(stems) == ["low", "high"]
    assert all(stem.shape == (length, 2) for stem in stems.values())


@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100])
def test_stems_are_aligned_with_the_mixture_at_any_rate(small_separator: Separator, sample_rate: int) -> None:
    mixture = tone(sample_rate, 3 * sample_rate)
    total = np.sum(list(small_separator.separate(mixture, sample_rate).values()), axis=0)
    inside = slice(sample_rate // 2, -sample_rate // 2)
    np.testing.assert_allclose(total[inside], mixture[inside], atol=2e-3)


@pytest.mark.parametrize("sample_rate", [4000, 11025, 48000])
def test_stems_add_up_to_nine_tenths_of_the_band_at_other_rates(
    small_separator: Separator, sample_rate: int
) -> None:
    """As docs/separation.md says; the small model has the full bandwidth."""
    length = 4 * sample_rate
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0, 0.1, (length, 2)), axis=0)
    frequencies = np.fft.rfftfreq(length, 1 / sample_rate)
    spectrum[frequencies > 0.9 * min(sample_rate, small_separator.sample_rate) / 2] = 0
    mixture = np.fft.irfft(spectrum, length, axis=0).astype(np.float32)
    total = np.sum(list(small_separator.separate(mixture, sample_rate).values()), axis=0)
    inside = slice(sample_rate, -sample_rate)
    error = np.sqrt(np.mean((total - mixture)[inside] ** 2) / np.mean(mixture[inside] ** 2))
    assert 20 * np.log10(error) < -55


def test_progress_ends_at_the_whole(small_separator: Separator) -> None:
    seen: list[Progress] = []
    small_separator.separate(tone(8000, 20000), on_progress=seen.append)
    lengths = [progress.done_length for progress in seen]
    assert lengths == sorted(set(lengths))
    assert len(lengths) > 2
    assert seen[-1].done_length == seen[-1].total_length == 20000


def test_cancelling_stops_at_the_next_segment(small_separator: Separator) -> None:
    cancel = Event()
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        cancel.set()

    with pytest.raises(CancelledError):
        small_separator.separate(tone(8000, 30000), on_progress=stop, cancel=cancel)
    assert len(seen) == 1


def test_an_empty_mixture_is_refused(small_separator: Separator) -> None:
    with pytest.raises(AudioError, match="no samples"):
        small_separator.separate(np.zeros((0, 2), np.float32))


@pytest.mark.parametrize("name", ["small", "spleeter:small"])
def test_models_are_found_by_name(plugins: Plugins, name: str) -> None:
    assert Separator(name, plugins=plugins).model == "small"


def test_an_unknown_model_is_refused_with_those_that_are_known(plugins: Plugins) -> None:
    with pytest.raises(ModelNotFoundError) as caught:
        Separator("7stems", plugins=plugins)
    assert caught.value.known == ("small",)
    assert "small" in caught.value.remedy


def test_an_altered_model_is_refused(plugins: Plugins, small_plugin: SmallPlugin) -> None:
    assert small_plugin.entry.path
    small_plugin.entry.path.write_bytes(b"smalL")
    with pytest.raises(ModelDamagedError, match="is damaged: its sha256 is"):
        Separator("small", plugins=plugins)


def test_a_vanished_model_is_refused(plugins: Plugins, small_plugin: SmallPlugin) -> None:
    assert small_plugin.entry.path
    small_plugin.entry.path.unlink()
    with pytest.raises(ModelDamagedError, match="No such file"):
        Separator("small", plugins=plugins)


def test_a_text_is_no_model(plugins: Plugins, tmp_path: Path) -> None:
    path = tmp_path / "text.onnx"
    path.write_text("no model")
    with pytest.raises(ModelDamagedError, match="not a usable ONNX model"):
        Separator(path, plugins=plugins)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    sample_rate=st.sampled_from([4000, 7999, 8000, 44100]),
    output_rate=st.sampled_from([4000, 7999, 8000, 22050, 48000]),
    length=st.integers(1, 20000),
)
def test_stems_at_another_rate_last_as_long(
    small_separator: Separator, sample_rate: int, output_rate: int, length: int
) -> None:
    blocks = small_separator.stream([tone(sample_rate, length)], sample_rate, output_rate=output_rate)
    found = sum(stems.shape[1] for stems in blocks)
    assert abs(found - length * output_rate / sample_rate) <= 0.5


def test_stems_at_another_rate_are_aligned_and_have_no_aliases(small_separator: Separator) -> None:
    """A tone that the rate can hold stays; one above half of it is gone."""
    times = np.arange(24000) / 8000
    mixture = np.stack(2 * [np.sin(2 * np.pi * 440 * times) + np.sin(2 * np.pi * 3000 * times)], axis=1)
    blocks = list(small_separator.stream([mixture.astype(np.float32)], 8000, output_rate=4000))
    total = np.concatenate(blocks, axis=1).sum(axis=0)
    inside = slice(2000, -2000)
    expected = np.sin(2 * np.pi * 440 * np.arange(12000) / 4000)
    np.testing.assert_allclose(total[inside, 0], expected[inside], atol=2e-3)


def test_progress_is_told_in_samples_of_the_mixture_at_any_rate(small_separator: Separator) -> None:
    seen: list[Progress] = []
    blocks = small_separator.stream(
        [tone(16000, 40000)], 16000, output_rate=4000, total_length=40000, on_progress=seen.append
    )
    assert sum(stems.shape[1] for stems in blocks) == 10000
    assert [progress.done_length for progress in seen] == sorted(progress.done_length for progress in seen)
    assert seen[-1].done_length == seen[-1].total_length == 40000
    assert {progress.sample_rate for progress in seen} == {16000}
